"""The one loader of weights: named tensors from any file, checked, copied off the file and converted."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from modules.checkpoints import pickle_file, safetensors_file
from modules.checkpoints.problems import WeightsError

PICKLE_SUFFIXES = (".ckpt", ".pt", ".bin", ".pth")
SUFFIXES = (".safetensors", *PICKLE_SUFFIXES)


class WeightsFile(Protocol):
    """An open file: names, shapes and dtypes at once, tensors on demand (on a map of the file; copy them before it is closed)."""

    path: Path
    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, torch.dtype]

    def names_in_file_order(self) -> list[str]: ...

    def tensor(self, name: str) -> Tensor: ...


@contextmanager
def open_weights(path: Path) -> Iterator[WeightsFile]:
    """Open a file of weights for reading tensor by tensor. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(path, "The file is not there.", "Refresh the list and choose another one.")
    with pickle_file.open_pickle(path) if _is_pickle(path) else safetensors_file.open_safetensors(path) as file:
        yield file


def quick_problem(path: Path) -> str | None:
    """The reason why this file cannot be whole, or None; reads a few hundred bytes only."""
    return pickle_file.quick_problem(path) if _is_pickle(path) else safetensors_file.quick_problem(path)


def _is_pickle(path: Path) -> bool:
    return path.suffix.lower() in PICKLE_SUFFIXES


def load_weights(
    path: Path, *, names: Iterable[str] | None = None, dtype: torch.dtype | Callable[[str], torch.dtype] | None = None,
) -> dict[str, Tensor]:
    """All tensors of a file, or those called `names`, as copies that do not depend on the file. Raises WeightsError.

    dtype: what floating-point tensors are converted to, for all or by name; None keeps them.
    """
    with open_weights(path) as file:
        return copies(file, names, dtype)


def copies(
    file: WeightsFile, names: Iterable[str] | None = None, dtype: torch.dtype | Callable[[str], torch.dtype] | None = None,
    *, layout: Callable[[str], torch.memory_format] | None = None,
) -> dict[str, Tensor]:
    """Copies of the tensors called `names` (default: all), read in the order in which they lie in the file.

    layout: the memory format of convolution weights, by name; None is the plain one.
    Raises WeightsError when a floating-point number in them is infinite or not a number.
    """
    wanted = set(file.shapes if names is None else names)
    result, spoiled = {}, []
    for name in file.names_in_file_order():
        if name not in wanted:
            continue
        source = file.tensor(name)
        if source.is_floating_point():
            target = dtype(name) if callable(dtype) else dtype or source.dtype
            memory_format = layout(name) if layout and source.ndim == 4 else torch.contiguous_format
            result[name] = source.to(dtype=target, memory_format=memory_format, copy=True)
            if not _is_finite(result[name]):
                spoiled.append(name)
        else:
            result[name] = source.clone()
    if spoiled:
        raise WeightsError(
            file.path, f"It is spoiled: {len(spoiled)} of its tensors, {spoiled[0]} first, contain NaN (not a number) or infinity.",
            "Such files come from failed merges or trainings; choose another one.")
    return result


def _is_finite(tensor: Tensor) -> bool:
    """One pass over numbers that are still in the processor's cache, in the order in which they lie there."""
    tensor = tensor.as_strided((tensor.numel(),), (1,))
    if tensor.dtype.itemsize == 1:
        tensor = tensor.to(torch.float32)
    return bool(torch.isfinite(tensor.sum(dtype=torch.float32)))
