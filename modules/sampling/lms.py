"""Linear multistep (Adams-Bashforth) sampling on an uneven grid of noise levels."""
from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, levels, rows_of

# Gauss-Legendre with two nodes integrates polynomials up to degree 3 exactly: all that order 4 needs.
_NODES = (-1 / math.sqrt(3), 1 / math.sqrt(3))


def sample_lms(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
               order: int = 4) -> Tensor:
    """Extrapolates the slope through up to `order` (1 to 4) past ones. Adams-Bashforth; Liu et al. 2022 (arXiv:2202.09778) in sigmas."""
    grid = levels(sigmas)
    slopes: list[Tensor] = []
    for i, (sigma, _) in enumerate(pairwise(grid)):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        slopes = [(x - denoised) / sigma, *slopes][:order]
        for slope, weight in zip(slopes, multistep_weights(grid, i, len(slopes)), strict=True):
            x = x + slope * weight
    return x


def multistep_weights(grid: list[float], i: int, order: int) -> list[float]:
    """Integrals from grid[i] to grid[i+1] of the Lagrange polynomials over grid[i], grid[i-1], ..., newest first. Exact for order <= 4."""
    start, end = grid[i], grid[i + 1]
    places = [0.5 * (start + end) + 0.5 * (end - start) * node for node in _NODES]
    known = [grid[i - k] for k in range(order)]
    return [0.5 * (end - start) * sum(_lagrange(known, k, place) for place in places) for k in range(order)]


def _lagrange(known: list[float], k: int, place: float) -> float:
    """The polynomial that is 1 at known[k] and 0 at the others, at `place`."""
    return math.prod((place - other) / (known[k] - other) for m, other in enumerate(known) if m != k)
