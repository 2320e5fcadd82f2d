"""Brownian noise for the stochastic samplers: one path per picture, the same whatever steps and batch it is read with."""
from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from modules.sampling.step import beside

Normal = Callable[[int, Sequence[int]], Tensor]
# torchsde rounds places on a path to this many decimals; a query beyond the rounded end would only earn a warning.
_DIGITS = 6
_patching = threading.Lock()


class BrownianNoise:
    """Increments of one Brownian path per row, scaled to unit variance.

    like: [B, C, h, w]; seeds: one per row; levels outside sigma_min..sigma_max count as the nearer end. `normal(seed, shape)`
    replaces the generator of normal numbers (NV source). The paths live on `device`; on the CPU they are the same bytes everywhere.
    A path depends on its seed and the range alone, so that neither batch size nor the steps in between change it.
    Li et al. 2020 (arXiv:2001.01328), virtual Brownian tree.
    """

    def __init__(self, like: Tensor, sigma_min: float, sigma_max: float, seeds: Sequence[int], *, normal: Normal | None = None,
                 device: torch.device | str = "cpu"):
        import torchsde  # only these samplers need it

        self._normal = normal
        self._like = like
        self._range = (min(sigma_min, sigma_max), max(sigma_min, sigma_max))
        start = torch.zeros_like(like[0], device=device)
        with self._numbers():
            self._paths = [torchsde.BrownianTree(self._range[0], start, self._range[1], entropy=seed) for seed in seeds]

    def __call__(self, level: float, next_level: float) -> Tensor:
        """Unit normal noise [B, C, h, w] for the way between two levels; either order gives the increment of rising level, negated."""
        bottom, top = (round(end, _DIGITS) for end in self._range)
        low, high = sorted(min(max(sigma, bottom), top) for sigma in (level, next_level))
        sign = 1.0 if level <= next_level else -1.0
        with self._numbers():
            increments = torch.stack([path(low, high) for path in self._paths])
        return beside(increments, self._like) * (sign / math.sqrt(abs(next_level - level)))

    @contextmanager
    def _numbers(self) -> Iterator[None]:
        """torchsde draws through one function of its module; it has no argument for another source, so it is exchanged for this scope."""
        if self._normal is None:
            yield
            return
        from torchsde._brownian import brownian_interval

        normal = self._normal
        with _patching:
            before = brownian_interval._randn
            brownian_interval._randn = lambda size, dtype, device, seed: normal(int(seed), size).to(device, dtype)
            try:
                yield
            finally:
                brownian_interval._randn = before
