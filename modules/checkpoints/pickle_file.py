"""Checkpoints that are pickles (.ckpt, .pt, .bin), read without running anything in them."""
from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modules.checkpoints.problems import DOWNLOAD_AGAIN, WeightsError, problem_of_first_bytes

MAX_MEMBERS = 100_000
# Beside the pickle itself, files of weights hold bare numbers only.
_MEMBERS = ("data.pkl", "version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id")
_SAFETENSORS_INSTEAD = "Do not use this file. Look for a .safetensors version of it."


class Inert:
    """Stands for the classes of training programs that old checkpoints mention; it holds what it is given and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _allowed() -> list[Any]:
    """Beside tensors: numpy's numbers and arrays, under their old and new places, and the inert class."""
    functions = [np._core.multiarray.scalar, np._core.multiarray._reconstruct]  # type: ignore[attr-defined]
    old_names = [(function, f"numpy.core.multiarray.{function.__name__}") for function in functions]
    new_names = [(function, f"numpy._core.multiarray.{function.__name__}") for function in functions]
    kinds = {type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")}
    inert = [(Inert, "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"),
             (Inert, "pytorch_lightning.utilities.parsing.AttributeDict")]
    return [*old_names, *new_names, np.dtype, np.ndarray, *kinds, *inert]


def quick_problem(path: Path) -> str | None:
    """The reason why this file cannot be whole, or None; reads its ends only."""
    try:
        size = path.stat().st_size
        with path.open("rb", buffering=0) as file:
            start = file.read(64)
            if problem := problem_of_first_bytes(start, size):
                return problem
            if start.startswith(b"PK\x03\x04"):
                file.seek(max(0, size - 22))
                if not file.read(4).startswith(b"PK\x05\x06") and not zipfile.is_zipfile(path):
                    return "The file is truncated: the directory at its end is missing."
            elif not start.startswith(b"\x80"):
                return "It is not a checkpoint: it is neither a zip archive nor a pickle."
    except OSError as error:
        return f"It cannot be read: {error.strerror or error}."
    return None


def check_archive(path: Path) -> bool:
    """Whether the file is a zip archive; every member must be one that torch writes, stored as it is.

    Raises WeightsError: a compressed member of 255 kB may unfold to 256 MB.
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise WeightsError(path, "The archive has too many members.", _SAFETENSORS_INSTEAD)
    tops = {member.filename.split("/", 1)[0] for member in members}
    for member in members:
        inner = member.filename.partition("/")[2]
        is_data = inner.startswith("data/") and inner[5:].isdigit()
        if len(tops) != 1 or not (is_data or inner in _MEMBERS):
            raise WeightsError(path, f"The archive holds {member.filename[:80]}, which files of weights do not have.", _SAFETENSORS_INSTEAD)
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > path.stat().st_size:
            raise WeightsError(path, "The archive is compressed, which files of weights are not.", _SAFETENSORS_INSTEAD)
    return True


def read_pickle(path: Path) -> Mapping[str, Any]:
    """The mapping in the file, whatever it holds; tensors may lie on a memory map of it. Raises WeightsError."""
    if problem := quick_problem(path):
        raise WeightsError(path, problem, DOWNLOAD_AGAIN)
    try:
        is_archive = check_archive(path)
        with torch.serialization.safe_globals(_allowed()):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    except pickle.UnpicklingError as error:
        raise WeightsError(path, _refusal(path, error), _SAFETENSORS_INSTEAD) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError,
            RecursionError, zipfile.BadZipFile, MemoryError) as error:
        raise WeightsError(path, f"It is damaged: {_first_line(error)}", DOWNLOAD_AGAIN) from error
    if not isinstance(content, Mapping):
        raise WeightsError(path, "It holds no named tensors.")
    return content


def _refusal(path: Path, error: pickle.UnpicklingError) -> str:
    """Which program parts the file wanted to reach."""
    try:
        with torch.serialization.safe_globals(_allowed()):
            wanted = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, IndexError, TypeError, pickle.UnpicklingError):
        wanted = _names_in(error)
    if wanted:
        return f"It would run foreign code when loaded: it asks for {', '.join(sorted(wanted)[:5])}."
    return f"It is not a file of weights only: {_first_line(error)}"


def _names_in(error: Exception) -> list[str]:
    text = str(error)
    found = text.partition("GLOBAL ")[2] or text.partition("global ")[2]
    return [found.split()[0].strip("`'\".,")] if found.split() else []


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    return line[:200].rstrip(".") + "."


class PickleFile:
    """The tensors of a pickle, by name. What `tensor` gives may lie on a map of the file: copy it."""

    def __init__(self, path: Path, tensors: dict[str, Tensor]):
        self.path = path
        self.metadata: dict[str, str] = {}
        self.shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        self.dtypes = {name: tensor.dtype for name, tensor in tensors.items()}
        self._tensors = tensors

    def names_in_file_order(self) -> list[str]:
        return list(self._tensors)

    def tensor(self, name: str) -> Tensor:
        return self._tensors[name]


@contextmanager
def open_pickle(path: Path) -> Iterator[PickleFile]:
    """Open a .ckpt, .pt or .bin file: its `state_dict` if it has one, else its top level. Raises WeightsError."""
    content = read_pickle(path)
    inner = content.get("state_dict")
    content = inner if isinstance(inner, Mapping) else content
    yield PickleFile(path, {str(name): value for name, value in content.items() if isinstance(value, Tensor)})
