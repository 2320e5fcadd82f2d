"""The parts of the running program under the names of A1111's `shared`: settings, command line, state, model, folders."""
from modules import runtime
from modules._live import live
from modules.generation import hires
from modules.settings.option import OptionInfo
from modules.upscaler import upscalers

__all__ = ["OptionInfo", "latent_upscale_default_mode", "list_checkpoint_tiles", "options_section"]

latent_upscale_default_mode = hires.DEFAULT_UPSCALER


def options_section(section: tuple, options: dict[str, OptionInfo]) -> dict[str, OptionInfo]:
    """Put all `options` into one section, (id, title) or (id, title, category); returns them."""
    for option in options.values():
        option.section, option.category_id = tuple(section[:2]), section[2] if len(section) > 2 else option.category_id
    return options


def list_checkpoint_tiles(use_short: bool = False) -> list[str]:
    """The titles of all checkpoints, or their short names."""
    from modules import sd_models

    return sd_models.checkpoint_tiles(use_short)


def _loaded_model():
    rt = runtime.current()
    return rt.models.current or rt.models.ensure(rt.chosen_checkpoint())


live(__name__, computed={
    "opts": lambda: runtime.current().settings,
    "cmd_opts": lambda: runtime.current().args,
    "state": lambda: runtime.current().state,
    "sd_model": _loaded_model,
    "device": lambda: runtime.current().hardware.device,
    "sd_upscalers": upscalers,
    "latent_upscale_modes": lambda: dict(hires.LATENT_UPSCALERS),
    "prompt_styles": lambda: runtime.current().styles,
    "data_path": lambda: str(runtime.current().folders.data),
    "models_path": lambda: str(runtime.current().folders.models),
    "config_filename": lambda: str(runtime.current().folders.config_file),
    "styles_filename": lambda: str(runtime.current().folders.styles_file),
})
