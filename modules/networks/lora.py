"""LoRA files and their kin: reading them, and the changes that they make to weights."""
from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import read_header
from modules.checkpoints.state_dict import load_weights
from modules.errors import NotFound
from modules.networks.block_weights import BASE, factor_of
from modules.networks.file_keys import adapter_alpha, read_key
from modules.networks.file_names import RecentlyRead, named_files
from modules.networks.key_names import Target, kohya_names
from modules.networks.kinds import KINDS, QUALIFIERS, Kind, changed
from modules.networks.patching import Delta
from modules.networks.textual_inversion import Embedding, bundled_embeddings
from modules.nn.latent_diffusion import LatentDiffusion

SUFFIXES = (".safetensors", ".pt", ".ckpt")
# So many names stand in a note.
NAMED = 3
SINGLE_NUMBERS = ("alpha", "on_input")


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The change of one module: the kinds of networks it is written as, and their tensors by short names."""

    kinds: tuple[Kind, ...]
    tensors: dict[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lora:
    """One file. parts: kohya's module name -> its change. hash12: as it stands in infotexts.

    embeddings: learned with it, and only there while it is at work. unknown: keys that mean nothing here.
    """

    name: str
    alias: str
    hash12: str
    path: Path
    parts: dict[str, Part]
    embeddings: tuple[Embedding, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LoraUse:
    """A LoRA with the strengths that a prompt gives it. dyn_dim: how many of its ranks to use; None for all.

    blocks: further factors by block of the U-Net, see modules/networks/block_weights.py; None for 1 everywhere.
    """

    lora: Lora
    te_multiplier: float = 1.0
    unet_multiplier: float = 1.0
    dyn_dim: int | None = None
    blocks: Mapping[str, float] | None = None

    def strength(self, module: str, parameter: str) -> float:
        """How strongly a parameter is changed by the part of this module."""
        if module.startswith("lora_te"):
            return self.te_multiplier * (1.0 if self.blocks is None else self.blocks[BASE])
        return self.unet_multiplier * (1.0 if self.blocks is None else factor_of(self.blocks, parameter))


def read_lora(path: Path) -> Lora:
    """Raises WeightsError for files that hold no network of a kind in modules/networks/kinds.py."""
    tensors = load_weights(path, dtype=torch.float32)
    metadata = read_header(path).metadata if path.suffix.lower() == ".safetensors" else {}
    modules: dict[str, dict[str, str]] = {}
    unknown = []
    embeddings, bundled = bundled_embeddings(tensors)
    for key in (key for key in tensors if key not in bundled):
        meaning = read_key(key)
        if meaning is None:
            unknown.append(key)
        else:
            modules.setdefault(meaning.module, {})[meaning.tensor] = key
    parts = {}
    for module, keys in modules.items():
        part = _part(path, module, {name: tensors[key] for name, key in keys.items()}, metadata)
        used = set(QUALIFIERS).union(*(kind.names for kind in part.kinds))
        unknown += [key for name, key in keys.items() if name not in used and name != "magnitude"]
        if part.kinds:
            parts[module] = part
    if not parts:
        raise WeightsError(path, "It holds no LoRA of a kind that is known.", "Choose another file.")
    hash12 = (metadata.get("sshs_model_hash") or weights_hash(path))[:12]
    return Lora(name=path.stem, alias=metadata.get("ss_output_name") or path.stem, hash12=hash12, path=path, parts=parts,
                embeddings=tuple(embeddings), unknown=tuple(unknown))


def _part(path: Path, module: str, tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> Part:
    # Some programs store single numbers as lists of one.
    tensors |= {name: tensors[name].reshape(()) for name in SINGLE_NUMBERS if name in tensors and tensors[name].numel() == 1}
    part = Part(kinds=tuple(kind for kind in KINDS if kind.is_in(tensors)), tensors=tensors)
    if "up" in tensors and "down" in tensors:
        up, down = tensors["up"], tensors["down"]
        if up.ndim < 2 or down.ndim < 2 or up.shape[1] != down.shape[0] or len(down) == 0:
            raise WeightsError(path, f"The two matrices of {module} do not fit together.", "Download it again.")
        alpha = adapter_alpha(metadata, module, len(down))
        if alpha is not None:
            tensors.setdefault("alpha", torch.tensor(alpha))
    if "magnitude" in tensors:
        # peft measures rows, and gives convolutions another shape than other programs do.
        tensors["dora_scale"] = tensors["magnitude"].flatten()
    return part


def weights_hash(path: Path) -> str:
    """SHA-256 of a safetensors file without its header, in which notes may be changed; of the whole file for other kinds."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if path.suffix.lower() == ".safetensors":
            file.seek(int.from_bytes(file.read(8), "little") + 8)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def deltas(model: LatentDiffusion, uses: Sequence[LoraUse]) -> tuple[dict[str, list[Delta]], list[str]]:
    """What `patched` needs for these LoRAs, and notes that name what does not fit the model or means nothing."""
    names = kohya_names(model)
    parameters = dict(model.named_parameters())
    found: dict[str, list[Delta]] = {}
    notes: list[str] = []
    for use in uses:
        strange: list[str] = []
        for module, part in use.lora.parts.items():
            changes = _changes(part, names.get(module), parameters)
            if not changes:
                strange.append(module)
            for kind, name, rows in changes:
                if multiplier := use.strength(module, name):
                    found.setdefault(name, []).append(_delta(kind, part.tensors, rows, multiplier, use.dyn_dim))
        notes += _notes(use.lora, strange)
    return found, notes


def _changes(part: Part, target: Target | None, parameters: Mapping[str, Tensor]) -> list[tuple[Kind, str, slice]]:
    """For each kind in the part the parameter it changes, and its rows; none where one of them does not fit."""
    changes: list[tuple[Kind, str, slice]] = []
    if target is None:
        return changes
    for kind in part.kinds:
        name = target.weight if kind.of == "weight" else target.bias
        if name not in parameters:
            return []
        rows = target.rows(parameters[name])
        if not _fits(kind, part.tensors, parameters[name][rows]):
            return []
        changes.append((kind, name, rows))
    return changes


def _fits(kind: Kind, tensors: Mapping[str, Tensor], weight: Tensor) -> bool:
    """Whether the change can be made, found out by making it with shapes alone."""
    shapes = {name: tensor.to("meta") if tensor.ndim else tensor for name, tensor in tensors.items()}
    try:
        return changed(kind, shapes, torch.empty_like(weight, device="meta", dtype=torch.float32), 1.0).shape == weight.shape
    except (RuntimeError, ValueError, IndexError):
        return False


def _notes(lora: Lora, strange: Sequence[str]) -> Iterator[str]:
    count = len(lora.parts)
    if len(strange) == count:
        yield f"The LoRA {lora.name} was left out: it was made for another family of models."
    elif strange:
        yield f"Of the LoRA {lora.name}, {len(strange)} of {count} parts do not fit this model and were left out: {_listed(strange)}."
    if lora.unknown:
        yield f"In the LoRA {lora.name}, tensors of no known kind were left out: {_listed(lora.unknown)}."


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _delta(kind: Kind, tensors: Mapping[str, Tensor], rows: slice, multiplier: float, dyn_dim: int | None) -> Delta:
    def change(weight: Tensor) -> Tensor:
        here = {name: tensor.to(weight) if tensor.ndim else tensor for name, tensor in tensors.items()}
        if rows == slice(None):
            return changed(kind, here, weight, multiplier, dyn_dim)
        whole = weight.clone()
        whole[rows] = changed(kind, here, weight[rows], multiplier, dyn_dim)
        return whole

    return change


class LoraCatalog:
    """The LoRA files in folders, by name; the ones used last are kept in memory."""

    def __init__(self, folders: Iterable[Path], keep: int = 4):
        self._folders = tuple(folders)
        self._paths: dict[str, Path] = {}
        self._read = RecentlyRead(read_lora, keep)
        self.refresh()

    def refresh(self) -> None:
        """Look at the folders again."""
        self._paths = named_files(self._folders, SUFFIXES)

    def find(self, name: str) -> Lora:
        """The LoRA whose file has this name (without ending, with or without folder), or this name in its metadata.

        Raises NotFound, and WeightsError for a file that cannot be used.
        """
        return self._read.of(self.path_of(name))

    def path_of(self, name: str) -> Path:
        """The file that `find` would read. Raises NotFound."""
        path = self._paths.get(name)
        if path is None or not path.exists():
            self.refresh()
            path = self._paths.get(name) or self._by_alias(name)
        if path is None:
            raise NotFound(f'There is no LoRA "{name[:200]}".', "", "Check the name, or put the file into the folder models/Lora.")
        return path

    def _by_alias(self, name: str) -> Path | None:
        for path in self._paths.values():
            if path.suffix.lower() != ".safetensors":
                continue
            try:
                if read_header(path).metadata.get("ss_output_name") == name:
                    return path
            except WeightsError:
                continue  # a broken file has no names
        return None
