"""Brownian noise for the stochastic samplers: one path per picture, the same whatever steps and batch it is read with."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from modules.sampling.step import beside

Normal = Callable[[int, Sequence[int]], Tensor]
# Places on a path are rounded to this many decimals, and its seeds pooled to this many words: published pictures count on both.
_DIGITS = 6
_SEED_WORDS = 24
# Seeds below 0 are the same seeds as for torch's generators: their bits.
_SEED_BITS = 2**64 - 1
# A second-order step reads its start three times; what was read before that is not asked for again.
_REMEMBERED = 4


class BrownianNoise:
    """Increments of one Brownian path per row, scaled to unit variance.

    like: [B, C, h, w]; seeds: one per row; levels outside sigma_min..sigma_max count as the nearer end. `normal(seed, shape)`
    replaces torch's normal numbers (NV source). The paths live on `device`; on the CPU they are the same bytes everywhere.
    A path depends on its seed and the range alone, so that neither batch size nor the steps in between change it.
    """

    def __init__(self, like: Tensor, sigma_min: float, sigma_max: float, seeds: Sequence[int], *, normal: Normal | None = None,
                 device: torch.device | str = "cpu"):
        self._like = like
        draw = normal or _torch_normal(torch.device(device))
        ends = min(sigma_min, sigma_max), max(sigma_min, sigma_max)
        self._paths = [BrownianPath(int(seed) & _SEED_BITS, *ends, tuple(like.shape[1:]), draw) for seed in seeds]

    def __call__(self, level: float, next_level: float) -> Tensor:
        """Unit normal noise [B, C, h, w] for the way between two different levels: the path's increment, negated where they fall."""
        increments = torch.stack([path.at(next_level) - path.at(level) for path in self._paths])
        return beside(increments, self._like) * (1 / math.sqrt(abs(next_level - level)))


class BrownianPath:
    """One path W over start..end with W(start) = 0, found by halving the interval around a place until it is met.

    Every half has its own seed, so that a value does not depend on what was read before. Li et al. 2020 (arXiv:2001.01328), sec. 4;
    seeds, halving and rounding are those of torchsde's BrownianTree, which published pictures were made with.
    """

    def __init__(self, seed: int, start: float, end: float, shape: Sequence[int], normal: Normal):
        self._seed, self._shape, self._normal = seed, tuple(shape), normal
        self._start, self._end = round(start, _DIGITS), round(end, _DIGITS)
        words = np.random.SeedSequence(entropy=seed, pool_size=_SEED_WORDS).generate_state(1)
        self._whole = normal(int(words[0]), self._shape) * math.sqrt(end - start)
        self._recent: dict[float, Tensor] = {}
        self._halves: dict[tuple[int, int], Tensor] = {}

    def at(self, place: float) -> Tensor:
        """W at a place; beyond the ends, W there."""
        place = round(place, _DIGITS)
        if place <= self._start:
            return torch.zeros_like(self._whole)
        if place >= self._end:
            return self._whole
        if place not in self._recent:
            while len(self._recent) >= _REMEMBERED:
                del self._recent[next(iter(self._recent))]
            self._recent[place] = self._found(place)
        return self._recent[place]

    def _found(self, place: float) -> Tensor:
        """W at a place strictly inside. The halves on the way are kept for the next place, which is near."""
        left, right, increment = self._start, self._end, self._whole
        value = torch.zeros_like(increment)
        depth, index = 0, 0
        way: dict[tuple[int, int], Tensor] = {}
        while True:
            middle = round(0.5 * (left + right), _DIGITS)
            node = depth, index
            way[node] = first = self._halves[node] if node in self._halves else self._first_half(node, increment, left, middle, right)
            if place == middle:
                break
            if place < middle:
                right, increment, index = middle, first, 2 * index
            else:
                value, left, increment, index = value + first, middle, increment - first, 2 * index + 1
            depth += 1
        self._halves = way
        return value + first

    def _first_half(self, node: tuple[int, int], increment: Tensor, left: float, middle: float, right: float) -> Tensor:
        """The increment over left..middle, given that over left..right: a Brownian bridge."""
        depth, index = node
        words = np.random.SeedSequence(entropy=self._seed, spawn_key=(index, depth), pool_size=_SEED_WORDS).generate_state(1)
        part = (middle - left) / (right - left)
        return increment * part + self._normal(int(words[0]), self._shape) * math.sqrt(part * (right - middle))


def _torch_normal(device: torch.device) -> Normal:
    """Normal numbers of torch's generator on a device."""
    return lambda seed, shape: torch.randn(tuple(shape), device=device, generator=torch.Generator(device).manual_seed(seed))
