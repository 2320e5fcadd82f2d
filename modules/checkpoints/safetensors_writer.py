"""Writing the safetensors format tensor by tensor, so that a file of any size needs the memory of one tensor."""
from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor

from modules.checkpoints.safetensors_file import DTYPES

NAMES = {dtype: name for name, dtype in DTYPES.items()}
ALIGNMENT_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class TensorPlan:
    """A tensor that will be written: what the header says of it."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def write_safetensors(file: BinaryIO, plans: Iterable[TensorPlan], metadata: Mapping[str, str],
                      tensor: Callable[[TensorPlan], Tensor]) -> None:
    """Write the header, then each tensor as `tensor` gives it, in the order of `plans`.

    Format: 8 bytes of length, a JSON header with names, shapes and offsets, the numbers (https://github.com/huggingface/safetensors).
    """
    plans = tuple(plans)
    file.write(header(plans, metadata))
    for plan in plans:
        values = tensor(plan).to(dtype=plan.dtype, device="cpu").contiguous()
        if tuple(values.shape) != plan.shape:
            raise ValueError(f"{plan.name} has the shape {tuple(values.shape)}, planned was {plan.shape}")
        if values.numel():
            file.write(values.reshape(-1).view(torch.uint8).numpy().data)


def header(plans: Iterable[TensorPlan], metadata: Mapping[str, str]) -> bytes:
    """The beginning of a file, its length first, filled up with spaces so that the numbers begin at a multiple of 8."""
    content: dict[str, object] = {"__metadata__": dict(metadata)}
    offset = 0
    for plan in plans:
        end = offset + plan.size_bytes
        content[plan.name] = {"dtype": NAMES[plan.dtype], "shape": list(plan.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT_BYTES)
    return len(text).to_bytes(8, "little") + text
