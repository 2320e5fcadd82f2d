"""Checkpoints under the names of A1111's `sd_models`: the list, the one that is meant by a text, the model in memory."""
from pathlib import Path

from modules import runtime
from modules._live import live
from modules.checkpoints.files import CheckpointInfo
from modules.checkpoints.in_memory import entry_for
from modules.checkpoints.safetensors_file import read_header
from modules.checkpoints.state_dict import load_weights
from modules.errors import UserError

model_dir = "Stable-diffusion"
checkpoints_loaded: dict = {}


class SkipWritingToConfig:
    """A scope in which choosing a checkpoint does not change the settings; choosing never does here."""

    skip = False

    def __enter__(self):
        SkipWritingToConfig.skip = True
        return self

    def __exit__(self, *exc_info):
        SkipWritingToConfig.skip = False


class SdModelData:
    """The models in memory."""

    @property
    def sd_model(self):
        """The one used last; None while there is none."""
        return runtime.current().models.current

    @property
    def loaded_sd_models(self) -> list:
        """All of them."""
        return [loaded.model for loaded in runtime.current().models._loaded.values()]

    @property
    def was_loaded_at_least_once(self) -> bool:
        """Whether there is one."""
        return self.sd_model is not None

    def get_sd_model(self):
        """The one used last, or that of the settings, loaded now."""
        rt = runtime.current()
        if rt.models.current is not None:
            return rt.models.current
        with rt.queue.turn:
            return rt.models.ensure(rt.chosen_checkpoint())

    def set_sd_model(self, v, already_loaded: bool = False) -> None:
        """Nothing: the program owns the models."""


model_data = SdModelData()


def checkpoint_tiles(use_short: bool = False) -> list[str]:
    """The titles of all checkpoints, or their short names."""
    return [info.model_name if use_short else info.title for info in runtime.current().checkpoints]


def get_closet_checkpoint_match(search_string: str) -> CheckpointInfo | None:
    """The checkpoint with this title, name or beginning of its hash; None when there is none."""
    try:
        return runtime.current().checkpoints.find(search_string) if search_string else None
    except UserError:
        return None


get_closest_checkpoint_match = get_closet_checkpoint_match


def select_checkpoint() -> CheckpointInfo:
    """That of the settings. Raises NotFound when there is none at all."""
    return runtime.current().chosen_checkpoint()


def list_models() -> None:
    """Look at the folders again."""
    runtime.current().checkpoints.refresh()


def load_model(checkpoint_info: CheckpointInfo | None = None, already_loaded_state_dict=None, checkpoint_config=None):
    """The model of a checkpoint, in memory afterwards; one of weights by name is that of the settings, too. Raises WeightsError."""
    rt = runtime.current()
    info = checkpoint_info or rt.chosen_checkpoint()
    with rt.queue.turn:
        if already_loaded_state_dict is None:
            return rt.models.ensure(info)
        entry, weights = entry_for(info, already_loaded_state_dict)
        model = rt.models.adopt(entry, weights)
        rt.settings.set("sd_model_checkpoint", entry.title)
        return model


def reload_model_weights(sd_model=None, info: CheckpointInfo | None = None, forced_reload: bool = False):
    """The same."""
    return load_model(info)


def unload_model_weights(sd_model=None, info=None) -> None:
    """Let go of all models."""
    rt = runtime.current()
    with rt.queue.turn:
        rt.models.unload()


def send_model_to_cpu(m) -> None:
    """Nothing: the program places the parts of a model."""


send_model_to_device = send_model_to_trash = send_model_to_cpu


def read_state_dict(checkpoint_file: str, print_global_state: bool = False, map_location=None) -> dict:
    """All tensors of a file of weights by name. Raises WeightsError."""
    return dict(load_weights(Path(checkpoint_file)))


load_torch_file = read_state_dict


def read_metadata_from_safetensors(filename: str) -> dict:
    """What the header of a file says. Raises WeightsError."""
    return dict(read_header(Path(filename)).metadata)


def model_hash(filename: str) -> str:
    """The oldest kind of hash: eight digits, of a piece of the file."""
    import hashlib

    try:
        with open(filename, "rb") as file:
            file.seek(0x100000)
            return hashlib.sha256(file.read(0x10000)).hexdigest()[:8]
    except FileNotFoundError:
        return "NOFILE"


def _aliases() -> dict:
    names = lambda info: (info.title, info.name, info.model_name, info.stem, info.sha256, info.short_hash)
    return {name: info for info in runtime.current().checkpoints for name in names(info) if name}


live(__name__, computed={
    "checkpoints_list": lambda: {info.title: info for info in runtime.current().checkpoints},
    "checkpoint_aliases": _aliases,
    "checkpoint_alisases": _aliases,
    "model_path": lambda: str(runtime.current().folders.checkpoints),
})
