"""The safetensors format: its header, checked, and tensors read off a memory map."""
from __future__ import annotations

import json
import math
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from modules.checkpoints.problems import DOWNLOAD_AGAIN, WeightsError, problem_of_first_bytes

# A header of a million tensors would take ten seconds and gigabytes to parse; SDXL has 2,500 tensors in 0.4 MB.
MAX_HEADER_BYTES = 32 << 20
MAX_TENSORS = 50_000
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}
_TAIL_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Where one tensor lies. `start`: bytes from the beginning of the file."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    start: int

    @property
    def numel(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says about itself."""

    metadata: dict[str, str]
    entries: dict[str, Entry]


def read_header(path: Path) -> Header:
    """The checked header of a safetensors file. Raises WeightsError."""
    try:
        with path.open("rb") as file:
            return _read_header(path, file)
    except OSError as error:
        raise WeightsError(path, f"It cannot be read: {error.strerror or error}.", "Check the file and its permissions.") from error


def _read_header(path: Path, file: BinaryIO) -> Header:
    size = os.fstat(file.fileno()).st_size
    length = _header_length(path, file, size)
    raw = file.read(length)
    if raw.count(b'"data_offsets"') > MAX_TENSORS:
        raise WeightsError(path, f"Its header names more than {MAX_TENSORS} tensors.", "It is not a model; choose another file.")
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, "Its header is not in the safetensors format.", DOWNLOAD_AGAIN) from error
    if not isinstance(content, dict):
        raise WeightsError(path, "Its header is not in the safetensors format.", DOWNLOAD_AGAIN)
    metadata = content.pop("__metadata__", None)
    metadata = metadata if isinstance(metadata, dict) else {}
    data_start = 8 + length
    entries = {name: _entry(path, name, row, data_start) for name, row in content.items()}
    end = _end_without_overlaps(path, entries)
    if end > size:
        raise WeightsError(path, f"The file is truncated: {end - size:,} of its {end:,} bytes are missing.", DOWNLOAD_AGAIN)
    return Header(metadata={str(k): v for k, v in metadata.items() if isinstance(v, str)}, entries=entries)


def _header_length(path: Path, file: BinaryIO, size: int) -> int:
    first = file.read(8)
    if problem := problem_of_first_bytes(first + file.read(64), size):
        raise WeightsError(path, problem, DOWNLOAD_AGAIN)
    file.seek(8)
    length = int.from_bytes(first, "little")
    if first.startswith((b"PK\x03\x04", b"\x80")) and length > MAX_HEADER_BYTES:
        raise WeightsError(path, "It is a pickle (.ckpt), though its name says safetensors.", "Rename it to end in .ckpt.")
    if length < 2 or length > max(size - 8, MAX_HEADER_BYTES):
        raise WeightsError(path, "It is not in the safetensors format.", "Check where the file came from, and download it again.")
    if length > MAX_HEADER_BYTES:
        raise WeightsError(path, f"Its header has more than {MAX_HEADER_BYTES >> 20} MB.", "It is not a model; choose another file.")
    if length > size - 8:
        raise WeightsError(path, "The file is truncated: its header is not complete.", DOWNLOAD_AGAIN)
    return length


def _entry(path: Path, name: str, row: Any, data_start: int) -> Entry:
    try:
        dtype = DTYPES[row["dtype"]]
        shape = tuple(row["shape"])
        begin, end = row["data_offsets"]
        sound = all(type(number) is int and number >= 0 for number in (*shape, begin, end))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(path, f"Its header describes the tensor {name[:80]} in a way that is not known.") from error
    if not sound or end - begin != math.prod(shape) * dtype.itemsize:
        raise WeightsError(path, f"Shape and length of the tensor {name[:80]} contradict each other.", DOWNLOAD_AGAIN)
    return Entry(dtype=dtype, shape=shape, start=data_start + begin)


def _end_without_overlaps(path: Path, entries: dict[str, Entry]) -> int:
    """Where the last tensor ends."""
    end = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.start):
        if entry.numel and entry.start < end:
            raise WeightsError(path, "Tensors in it overlap.", "Do not use this file: it was made to do harm, or is damaged.")
        end = max(end, entry.start + entry.numel * entry.dtype.itemsize)
    return end


def quick_problem(path: Path) -> str | None:
    """The reason why this file cannot be whole, or None; reads a few hundred bytes only, so that folders of thousands list fast."""
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
                tail_start = max(8, 8 + length - _TAIL_BYTES)
                file.seek(tail_start)
                ends = re.findall(rb'"data_offsets":\[\d+,(\d+)\]', file.read(8 + length - tail_start))
                # Writers put the last tensor last, and it ends with the file; anything else gets the full check.
                if ends and max(map(int, ends)) + 8 + length == size:
                    return None
        read_header(path)
    except WeightsError as error:
        return error.why
    except OSError as error:
        return f"It cannot be read: {error.strerror or error}."
    return None


class SafetensorsFile:
    """An open file whose tensors are read one at a time. What `tensor` gives lies on the map: copy it before the file is closed."""

    def __init__(self, path: Path, header: Header, memory: mmap.mmap | None):
        self.path = path
        self.metadata = header.metadata
        self.shapes = {name: entry.shape for name, entry in header.entries.items()}
        self.dtypes = {name: entry.dtype for name, entry in header.entries.items()}
        self._entries = header.entries
        self._memory = memory

    def names_in_file_order(self) -> list[str]:
        return sorted(self._entries, key=lambda name: self._entries[name].start)

    def tensor(self, name: str) -> Tensor:
        """A view on the memory map."""
        entry = self._entries[name]
        if entry.numel == 0 or self._memory is None:
            return torch.empty(entry.shape, dtype=entry.dtype)
        if entry.start % entry.dtype.itemsize:
            unaligned = torch.frombuffer(self._memory, dtype=torch.uint8, count=entry.numel * entry.dtype.itemsize, offset=entry.start)
            return unaligned.clone().view(entry.dtype).view(entry.shape)
        return torch.frombuffer(self._memory, dtype=entry.dtype, count=entry.numel, offset=entry.start).view(entry.shape)


@contextmanager
def open_safetensors(path: Path) -> Iterator[SafetensorsFile]:
    """Open and check a safetensors file. Raises WeightsError."""
    header = read_header(path)
    try:
        with path.open("rb") as file:
            # A private map that could be written to: torch warns of others. Nothing writes, so no page is copied.
            has_data = any(entry.numel for entry in header.entries.values())
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if has_data else None
    except OSError as error:
        raise WeightsError(path, f"It cannot be read: {error.strerror or error}.", "Check the file and its permissions.") from error
    try:
        yield SafetensorsFile(path, header, memory)
    finally:
        if memory is not None:
            _close(memory)


def _close(memory: mmap.mmap) -> None:
    """Unmap now if no view is left; else with the last view."""
    try:
        memory.close()
    except BufferError:
        pass  # a traceback still holds a view; the map goes with it
