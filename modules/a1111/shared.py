"""The parts of the running program under the names of A1111's `shared`: settings, command line, state, model, folders."""
from modules import command_options, errors, runtime
from modules._live import live
from modules.generation import hires
from modules.options import OptionHTML, OptionInfo, Options, options_section
from modules.shared_state import State
from modules.shared_total_tqdm import TotalTQDM
from modules.upscaler import upscalers
from modules.util import html, listfiles, natural_sort_key, walk_files

__all__ = ["OptionHTML", "OptionInfo", "Options", "State", "html", "list_checkpoint_tiles", "listfiles", "natural_sort_key",
           "options_section", "refresh_checkpoints", "total_tqdm", "walk_files"]

total_tqdm = TotalTQDM()
log = errors.log

latent_upscale_default_mode = hires.DEFAULT_UPSCALER
hide_dirs = {"visible": None}
parallel_processing_allowed = True
xformers_available = False
hypernetworks: dict = {}
loaded_hypernetworks: list = []
clip_model = demo = progress_print_out = None
tab_names: list = []
settings_components: dict = {}


def list_checkpoint_tiles(use_short: bool = False) -> list[str]:
    """The titles of all checkpoints, or their short names."""
    from modules import sd_models

    return sd_models.checkpoint_tiles(use_short)


def refresh_checkpoints() -> None:
    """Look at the folders of checkpoints again."""
    runtime.current().checkpoints.refresh()


def _model():
    from modules import sd_models

    return sd_models.model_data.get_sd_model()


_face_restorers: list = []


def _restorers_of_faces() -> list:
    from modules.codeformer_model import codeformer
    from modules.gfpgan_model import gfpgan_face_restorer

    if not _face_restorers:
        _face_restorers.extend((codeformer, gfpgan_face_restorer))
    return _face_restorers


def _interrogator():
    from modules import interrogate

    return interrogate.interrogator


def _memory_monitor():
    from modules import memmon

    return memmon.monitor


live(__name__, computed={
    "opts": lambda: runtime.current().settings,
    "cmd_opts": command_options.current,
    "state": lambda: runtime.current().state,
    "face_restorers": _restorers_of_faces,
    "interrogator": _interrogator,
    "sd_model": _model,
    "mem_mon": _memory_monitor,
    "device": lambda: runtime.current().hardware.device,
    "weight_load_location": lambda: runtime.current().hardware.device,
    "sd_upscalers": upscalers,
    "latent_upscale_modes": lambda: dict(hires.LATENT_UPSCALERS),
    "prompt_styles": lambda: _styles(),
    "options_templates": lambda: runtime.current().settings.data_labels,
    "batch_cond_uncond": lambda: runtime.current().settings.batch_cond_uncond,
    "restricted_opts": lambda: {key for key, option in runtime.current().settings.data_labels.items() if option.restrict_api},
    "data_path": lambda: str(runtime.current().folders.data),
    "models_path": lambda: str(runtime.current().folders.models),
    "config_filename": lambda: str(runtime.current().folders.config_file),
    "styles_filename": lambda: str(runtime.current().folders.styles_file),
})


def _styles():
    from modules import style_database

    return style_database.of(runtime.current().styles)
