"""VAE files under the names of A1111's `sd_vae`."""
import os

from modules import runtime
from modules._live import live
from modules.checkpoints.vae import beside

base_vae = loaded_vae_file = checkpoint_info = None
unspecified = object()


def get_filename(filepath: str) -> str:
    """The name that lists show."""
    return os.path.basename(filepath)


def refresh_vae_list() -> None:
    """Nothing: the folders are looked at each time."""


def find_vae_near_checkpoint(checkpoint_file: str) -> str | None:
    """The file that belongs to a checkpoint by its name."""
    from pathlib import Path

    found = beside(Path(checkpoint_file), runtime.current().vae_files())
    return str(found) if found else None


def get_loaded_vae_name() -> str | None:
    """The name of the file in use; None for the checkpoint's own."""
    used = runtime.current().models.vae_file
    return used[0].name if used else None


def get_loaded_vae_hash() -> None:
    """Not known."""


def reload_vae_weights(sd_model=None, vae_file=unspecified):
    """Let the model use the VAE of the settings, or that of a file."""
    from pathlib import Path

    rt = runtime.current()
    model = sd_model or rt.models.current
    if model is None:
        return None
    rt.models.ensure_vae(rt.chosen_vae(model.checkpoint) if vae_file is unspecified else Path(vae_file) if vae_file else None)
    return model


def load_vae(model, vae_file=None, vae_source: str = "from unknown source") -> None:
    """Let the model use the VAE of a file."""
    reload_vae_weights(model, vae_file)


live(__name__, computed={
    "vae_dict": lambda: {name: str(path) for name, path in runtime.current().vae_files().items()},
    "vae_path": lambda: str(runtime.current().folders.vae),
})
