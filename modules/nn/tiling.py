"""Pictures whose edges fit together: convolutions that go on at the opposite edge."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def tiled(*networks: nn.Module) -> Iterator[None]:
    """Within this scope all convolutions of these networks pad with what stands at the opposite edge; afterwards as before."""
    convolutions = [module for network in networks for module in network.modules() if isinstance(module, nn.Conv2d)]
    before = [module.padding_mode for module in convolutions]
    try:
        for module in convolutions:
            module.padding_mode = "circular"
        yield
    finally:
        for module, mode in zip(convolutions, before, strict=True):
            module.padding_mode = mode
