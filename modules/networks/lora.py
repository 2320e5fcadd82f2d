"""LoRA files (Hu et al. 2021, arXiv:2106.09685) in kohya's form: reading them, and the changes that they make to weights."""
from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from modules.checkpoints.files import files_below
from modules.checkpoints.hashing import FileState
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import read_header
from modules.checkpoints.state_dict import load_weights
from modules.errors import NotFound
from modules.networks.key_names import kohya_names
from modules.networks.patching import Delta
from modules.nn.latent_diffusion import LatentDiffusion

SUFFIXES = (".safetensors", ".pt", ".ckpt")


@dataclass(frozen=True, kw_only=True, eq=False)
class LoraPart:
    """The change of one module: up [out, r] @ down [r, in], times alpha / r; for convolutions with kernels, and a middle [r, r, kh, kw]."""

    up: Tensor
    down: Tensor
    mid: Tensor | None = None
    alpha: float | None = None

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    @property
    def scale(self) -> float:
        return 1.0 if self.alpha is None else self.alpha / self.rank


@dataclass(frozen=True, kw_only=True, eq=False)
class Lora:
    """One file. parts: kohya's module name -> its change. hash12: as it stands in infotexts."""

    name: str
    alias: str
    hash12: str
    path: Path
    parts: dict[str, LoraPart]


@dataclass(frozen=True, kw_only=True)
class LoraUse:
    """A LoRA with the strengths that a prompt gives it. dyn_dim: how many of its ranks to use; None for all."""

    lora: Lora
    te_multiplier: float = 1.0
    unet_multiplier: float = 1.0
    dyn_dim: int | None = None


def read_lora(path: Path) -> Lora:
    """Raises WeightsError for files that hold no LoRA of kohya's form."""
    tensors = load_weights(path, dtype=torch.float32)
    metadata = read_header(path).metadata if path.suffix.lower() == ".safetensors" else {}
    modules: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        module, _, kind = key.partition(".")
        modules.setdefault(module, {})[kind] = tensor
    parts = {module: _part(path, module, kinds) for module, kinds in modules.items() if "lora_down.weight" in kinds}
    if not parts:
        raise WeightsError(path, "It holds no LoRA of a kind that is known.", "Choose another file.")
    hash12 = (metadata.get("sshs_model_hash") or weights_hash(path))[:12]
    return Lora(name=path.stem, alias=metadata.get("ss_output_name") or path.stem, hash12=hash12, path=path, parts=parts)


def _part(path: Path, module: str, kinds: dict[str, Tensor]) -> LoraPart:
    if "lora_up.weight" not in kinds:
        raise WeightsError(path, f"It is not complete: {module} has one matrix of two.", "Download it again.")
    alpha = kinds.get("alpha")
    part = LoraPart(up=kinds["lora_up.weight"], down=kinds["lora_down.weight"], mid=kinds.get("lora_mid.weight"),
                    alpha=None if alpha is None else float(alpha))
    if part.up.ndim < 2 or part.down.ndim < 2 or part.up.shape[1] != part.rank or part.rank == 0:
        raise WeightsError(path, f"The two matrices of {module} do not fit together.", "Download it again.")
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
    """What `patched` needs for these LoRAs, and a note for each that does not fit the model as a whole."""
    names = kohya_names(model)
    weights = {name: module.weight for name, module in model.named_modules() if name in set(names.values())}
    found: dict[str, list[Delta]] = {}
    notes = []
    for use in uses:
        strange = 0
        for module, part in use.lora.parts.items():
            target = names.get(module)
            if target is None or not _fits(part, weights[target]):
                strange += 1
                continue
            multiplier = use.te_multiplier if module.startswith("lora_te") else use.unet_multiplier
            if multiplier:
                found.setdefault(target + ".weight", []).append(_delta(part, multiplier, use.dyn_dim))
        if strange:
            notes.append(_misfit_note(use.lora, strange))
    return found, notes


def _misfit_note(lora: Lora, strange: int) -> str:
    count = len(lora.parts)
    if strange == count:
        return f"The LoRA {lora.name} was left out: it was made for another family of models."
    return f"Of the LoRA {lora.name}, {strange} of {count} parts do not fit this model and were left out."


def _fits(part: LoraPart, weight: Tensor) -> bool:
    same_ends = part.up.shape[0] == weight.shape[0] and part.down.shape[1] == weight.shape[1]
    if part.mid is not None:
        return weight.ndim == 4 and part.mid.shape[2:] == weight.shape[2:] and part.up.shape[0] == weight.shape[0]
    kernel = part.down.shape[2:] or (1,) * (weight.ndim - 2)
    return same_ends and tuple(kernel) == tuple(weight.shape[2:])


def _delta(part: LoraPart, multiplier: float, dyn_dim: int | None) -> Delta:
    def changed(weight: Tensor) -> Tensor:
        up, down = part.up[:, :dyn_dim].to(weight), part.down[:dyn_dim].to(weight)
        factor = multiplier * part.scale
        if part.mid is None:
            flat = torch.addmm(weight.flatten(1), up.flatten(1), down.flatten(1), alpha=factor)
            return flat.view(weight.shape)
        mid = part.mid[:dyn_dim, :dyn_dim].to(weight)
        return weight + factor * torch.einsum("or,rshw,si->oihw", up.flatten(1), mid, down.flatten(1))

    return changed


class LoraCatalog:
    """The LoRA files in folders, by name; the ones used last are kept in memory."""

    def __init__(self, folders: Iterable[Path], keep: int = 4):
        self._folders = tuple(folders)
        self._keep = keep
        self._paths: dict[str, Path] = {}
        self._read: OrderedDict[tuple[Path, FileState], Lora] = OrderedDict()
        self.refresh()

    def refresh(self) -> None:
        """Look at the folders again."""
        found: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted(files_below(folder, SUFFIXES)):
                found.setdefault(path.stem, path)
                found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
        self._paths = found

    def find(self, name: str) -> Lora:
        """The LoRA whose file has this name (without ending, with or without folder), or this name in its metadata.

        Raises NotFound, and WeightsError for a file that cannot be used.
        """
        return self._lora(self.path_of(name))

    def path_of(self, name: str) -> Path:
        """The file that `find` would read. Raises NotFound."""
        path = self._paths.get(name)
        if path is None or not path.exists():
            self.refresh()
            path = self._paths.get(name) or self._by_alias(name)
        if path is None:
            raise NotFound(f'There is no LoRA "{name[:200]}".', "", "Check the name, or put the file into the folder models/Lora.")
        return path

    def _lora(self, path: Path) -> Lora:
        key = (path, FileState.of(path))
        if key not in self._read:
            self._read[key] = read_lora(path)
            while len(self._read) > self._keep:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return self._read[key]

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
