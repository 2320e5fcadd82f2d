"""Networks of other packages filled from files: weights as plain tensors, all of them and no others."""
from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from modules.checkpoints.problems import WeightsError
from modules.imaging.upscaler_files import read_tensors


def float_tensors(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The weights of a file in single precision, without a prefix that training put before their names. Raises WeightsError."""
    return {name.removeprefix(prefix): value.float() if value.is_floating_point() else value for name, value in read_tensors(path).items()}


@contextmanager
def fitting(path: Path, kind: str) -> Iterator[None]:
    """Raises WeightsError for weights that are of another kind."""
    try:
        yield
    except (RuntimeError, KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise WeightsError(path, f"Its weights are not those of {kind}.") from error


def filled(make: Callable[[], nn.Module], tensors: dict[str, Tensor], *, has_tables: bool = False) -> nn.Module:
    """A network that holds these tensors, all of them and no others.

    No time is spent on numbers to begin with, unless the network computes tables that its files lack (`has_tables`).
    """
    with torch.device("cpu" if has_tables else "meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's about arguments that facexlib gives
        network = make()
    network.load_state_dict(tensors, strict=True, assign=True)
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                if name != "position_ids":
                    raise RuntimeError(f"{name} is not in the file")
                module.register_buffer(name, torch.arange(buffer.shape[-1]).expand(buffer.shape), persistent=False)
    return network.eval().requires_grad_(False)
