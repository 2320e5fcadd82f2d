"""Live previews of a run: which decoder they use, and how often they are made."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from modules import runtime
from modules.checkpoints.hashing import FileState
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.state_dict import load_weights
from modules.jobs.preview import Previewer, PreviewOptions, linear_decoder
from modules.nn.families import VaeConfig
from modules.nn.preview_factors import latent_rgb_factors
from modules.nn.taesd import ApproxDecoder, TaesdDecoder

Decode = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class SmallDecoder:
    """A network for previews that lies in a file of its own; of the names the first that is there counts."""

    network: type[nn.Module]
    names: tuple[str, ...]
    sdxl_names: tuple[str, ...]

    def path(self, folders: Sequence[Path], is_sdxl: bool) -> Path | None:
        """Its file in one of the folders."""
        names = self.sdxl_names if is_sdxl else self.names
        return next((path for folder in folders for name in names if (path := folder / name).is_file()), None)


DEFAULT = "Approx NN"
SMALL_DECODERS = {
    "Approx NN": SmallDecoder(network=ApproxDecoder, names=("model.pt", "model.safetensors"),
                              sdxl_names=("vaeapprox-sdxl.pt", "vaeapprox-sdxl.safetensors")),
    "TAESD": SmallDecoder(network=TaesdDecoder, names=("taesd_decoder.safetensors", "taesd_decoder.pth"),
                          sdxl_names=("taesdxl_decoder.safetensors", "taesdxl_decoder.pth")),
}


def start_previews(model: Any) -> None:
    """Have the steps that follow shown as the settings say, decoded for `model`."""
    rt = runtime.current()
    opts = rt.settings
    if not opts.live_previews_enable or opts.show_progress_every_n_steps < 1:
        rt.state.previewer = None
        return
    options = PreviewOptions(every_n_steps=opts.show_progress_every_n_steps, format=opts.live_previews_image_format,
                             whole_batch=opts.show_progress_grid)
    folders = (rt.folders.vae_approx, *rt.folders.extra_vae_approx)
    rt.state.previewer = Previewer(decoder(model, opts.show_progress_type, folders, rt.notice), options)


def decoder(model: Any, method: str, folders: Sequence[Path] = (), note: Callable[[str], object] = lambda text: None) -> Decode:
    """Latents [B, 4, h, w] to pixels [B, 3, H, W] in -1..1, of any size H, W: the whole VAE for "Full", a small network, or the cheapest.

    folders: where the files of small networks lie. note: is told why another method is used than the one that was chosen.
    """
    if method == "Full":
        return model.decode_first_stage
    has_known_latents = model.architecture.vae == VaeConfig()
    if has_known_latents and method in SMALL_DECODERS and (decode := _small(model, method, folders, note)):
        return decode
    # Asked for with the first preview: many runs are over before one is due, and an unknown autoencoder has to be fitted first.
    return lambda latent: linear_decoder(*latent_rgb_factors(model))(latent)


def _small(model: Any, method: str, folders: Sequence[Path], note: Callable[[str], object]) -> Decode | None:
    row = SMALL_DECODERS[method]
    path = row.path(folders, model.is_sdxl)
    if path is None:
        if method != DEFAULT:  # nobody chose the default, and the Settings tab says what it needs
            name = (row.sdxl_names if model.is_sdxl else row.names)[-1]
            note(f"Live previews by {method} need the file {name} in {folders[0] if folders else 'models/VAE-approx'}; "
                 "Approx cheap is used until it is there.")
        return None
    try:
        network = _read(method, path, FileState.of(path))
    except (WeightsError, OSError) as error:
        note(f"Live previews by {method} cannot be made. {error} Approx cheap is used instead.")
        return None

    def decode(latent: Tensor) -> Tensor:
        return network.to(latent.device)(latent.float())

    return decode


@lru_cache(maxsize=2)
def _read(method: str, path: Path, state: FileState) -> nn.Module:
    """The network in a file, float32, read once as long as the file stays as it is. Raises WeightsError."""
    network = SMALL_DECODERS[method].network()
    try:
        network.load_state_dict(load_weights(path))
    except RuntimeError as error:
        raise WeightsError(path, "Its layers are not those of this kind of decoder.", "Choose another file.") from error
    return network.float().requires_grad_(False).eval()
