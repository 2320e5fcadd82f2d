"""Weights that no file holds: an extension made them and hands them over as tensors by name."""
from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modules.checkpoints.files import CheckpointInfo
from modules.checkpoints.hashing import FileState

# The folder of such checkpoints, by which they differ from the file whose entry an extension copied; it is never opened.
FOLDER = "(in memory)"


class WeightsInMemory:
    """Tensors by name, to be read like an open file. `path`: that of the entry that was copied; a yaml may lie beside it."""

    def __init__(self, path: Path, weights: Mapping[str, Any], metadata: Mapping[str, Any] | None = None):
        self.path = path
        self.metadata = {name: text for name, text in (metadata or {}).items() if isinstance(text, str)}
        self._tensors = {name: value.detach() for name, value in weights.items() if isinstance(value, Tensor)}
        self.shapes = {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}
        self.dtypes = {name: tensor.dtype for name, tensor in self._tensors.items()}

    def names_in_file_order(self) -> list[str]:
        """All names, as they were given."""
        return [*self._tensors]

    def tensor(self, name: str) -> Tensor:
        """The tensor itself, in main memory."""
        return self._tensors[name].cpu()

    def size_bytes(self) -> int:
        """The bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self._tensors.values())

    def sha256(self) -> str:
        """In hex, of names and contents."""
        digest = hashlib.sha256()
        for name in sorted(self._tensors):
            digest.update(name.encode("utf-8", "surrogatepass"))
            digest.update(self.tensor(name).contiguous().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()


def entry_for(info: CheckpointInfo, weights: Mapping[str, Any]) -> tuple[CheckpointInfo, WeightsInMemory]:
    """An entry of the list for weights that an extension calls by the names of `info`, and the weights to load.

    The hash is the one that the extension gave its copy of an entry, or that of the weights: the hash of another file is not theirs.
    """
    entry = copy.copy(info)
    held = WeightsInMemory(Path(info.filename), weights, info.metadata)
    given = {"filename": info.filename, "metadata": info.metadata, "model_name": info.model_name or info.name} | vars(entry)
    given |= {"path": Path(f"{FOLDER}/{entry.name}"), "is_demo": False, "is_in_memory": True,
              "state": FileState(size=held.size_bytes(), mtime_ns=time.time_ns())}
    if "sha256" not in given:
        given["sha256"] = held.sha256()
    vars(entry).update(given)
    return entry, held
