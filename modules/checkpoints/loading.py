"""A checkpoint file becomes a LatentDiffusion, and a VAE file a first stage, with every tensor allocated once."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from modules.checkpoints.detect import detect
from modules.checkpoints.old_names import our_names
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.state_dict import WeightsFile, copies, open_weights
from modules.hardware import Hardware
from modules.nn.families import Architecture
from modules.nn.latent_diffusion import SCHEDULE_NAMES, VAE, LatentDiffusion
from modules.nn.meta import on_meta

# The projection of open_clip as a layer of transformers, which is the same matrix lying on its side.
_TURNED = "text_projection.weight"


def read_architecture(path: Path) -> Architecture:
    """What the file at `path` is, from its header alone where it has one. Raises WeightsError."""
    with open_weights(path) as file:
        named = Renamed(file)
        return detect(path, named.shapes, file.metadata, named.tensor)


def outline(named: Renamed) -> LatentDiffusion:
    """The model in the file without its weights, on the meta device, after a check that each is there in its shape. Raises WeightsError."""
    path = named.path
    architecture = detect(path, named.shapes, named.metadata, named.tensor)
    with on_meta():
        model = LatentDiffusion(architecture)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if tensor.is_meta}
    _refuse_misfits(path, wanted, named.shapes)
    return model


def load_model(path: Path, hardware: Hardware, *, is_waiting: bool = False) -> LatentDiffusion:
    """The model in the file, on the hardware's devices and in its dtypes, independent of the file. Raises WeightsError.

    With `is_waiting` its weights stay in main memory, since they will be moved one part at a time.
    """
    with open_weights(path) as file:
        return model_of(file, hardware, is_waiting=is_waiting)


def model_of(file: WeightsFile, hardware: Hardware, *, is_waiting: bool = False) -> LatentDiffusion:
    """The same for weights that are open. Raises WeightsError."""
    named = Renamed(file)
    model = outline(named)
    state = model.state_dict()
    tables = {name: state[name] for name in SCHEDULE_NAMES}
    names = [name for name, tensor in state.items() if tensor.is_meta]
    names += [name for name in tables if named.has_table(name, tables[name].shape)]
    weights = copies(named, names, lambda name: hardware.dtype_of(part_of(name)), layout=lambda name: hardware.layout_of(part_of(name)))
    model.load_state_dict({**tables, **weights}, strict=True, assign=True)
    return hardware.place(model.requires_grad_(False).eval(), is_waiting=is_waiting)


def load_vae(path: Path, model: LatentDiffusion, hardware: Hardware) -> dict[str, Tensor]:
    """The tensors of a VAE file (or of the VAE in a checkpoint) under the names of `model.first_stage_model`. Raises WeightsError."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.first_stage_model.state_dict().items()}
    with open_weights(path) as file:
        named = Renamed(file, strip=VAE if any(key.startswith(VAE) for key in file.shapes) else "")
        if "decoder.conv_in.weight" not in named.shapes:
            raise WeightsError(path, "It is not a VAE.", "Choose another file as SD VAE.")
        _refuse_misfits(path, wanted, named.shapes, "Choose a VAE for this family of models.")
        return copies(named, wanted, hardware.dtype_of("vae"))


def part_of(name: str) -> str:
    """"unet", "vae", "text" or "tables", by the beginning of a parameter's name."""
    beginning = name.split(".", 1)[0]
    return {"model": "unet", "first_stage_model": "vae", "cond_stage_model": "text", "conditioner": "text"}.get(beginning, "tables")


class Renamed:
    """A file seen under the names that our networks use."""

    def __init__(self, file: WeightsFile, strip: str = ""):
        self.path, self.metadata, self._file = file.path, file.metadata, file
        ours = our_names(file.shapes)
        if strip:
            ours = {key: name.removeprefix(strip) for key, name in ours.items() if name.startswith(strip)}
        self._turned = {name.removesuffix(".weight"): key for key, name in ours.items() if name.endswith(_TURNED)}
        self._keys = {name: key for key, name in ours.items()} | self._turned
        self.shapes = {name: file.shapes[key][::-1 if name in self._turned else 1] for name, key in self._keys.items()}
        self.dtypes = {name: file.dtypes[key] for name, key in self._keys.items()}

    def names_in_file_order(self) -> list[str]:
        names = {key: name for name, key in self._keys.items()}
        return [names[key] for key in self._file.names_in_file_order() if key in names]

    def tensor(self, name: str) -> Tensor:
        tensor = self._file.tensor(self._keys[name])
        return tensor.T if name in self._turned else tensor

    def has_table(self, name: str, shape: torch.Size) -> bool:
        """Whether the file's own table of the noise schedule can be used; those in half precision are worse than computed ones."""
        return self.shapes.get(name) == tuple(shape) and self.dtypes[name] in (torch.float32, torch.float64)


def _refuse_misfits(
    path: Path, wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], remedy: str = "Choose a complete checkpoint.",
) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        parts = {"unet": "its U-Net", "vae": "its VAE", "text": "its text encoder"}
        incomplete = sorted({parts[part_of(name)] for name in missing if part_of(name) in parts}) or ["it"]
        raise WeightsError(
            path, f"It is not complete: {len(missing)} tensors of {', '.join(incomplete)} are missing, {missing[0]} first.", remedy)
    wrong = [name for name in wanted if found[name] != wanted[name]]
    if wrong:
        shape = lambda sizes: "x".join(map(str, sizes))
        raise WeightsError(
            path, f"{len(wrong)} of its tensors have other shapes than they should, {wrong[0]} first: "
            f"{shape(found[wrong[0]])} instead of {shape(wanted[wrong[0]])}.", remedy)
