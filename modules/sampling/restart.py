"""Restart sampling: go back up in noise part of the way and come down again."""
from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from modules.sampling.schedules import karras_sigmas
from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, levels, rows_of


@dataclass(frozen=True)
class Restart:
    """When the level nearest `low` is reached, noise is added up to the level nearest `high`, `times` times, `steps` levels each."""

    low: float
    high: float
    steps: int
    times: int


def sample_restart(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                   s_noise: float = 1.0) -> Tensor:
    """Heun's method with restarts from 20 steps on. Xu et al. 2023 (arXiv:2306.14878), algorithm 1."""
    sigma_before: float | None = None
    for i, (sigma, sigma_next) in enumerate(restart_walk(sigmas)):
        if sigma_before is not None and sigma > sigma_before:
            x = x + noise(sigma_before, sigma) * (s_noise * math.sqrt(sigma**2 - sigma_before**2))
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        slope = (x - denoised) / sigma
        ahead = x + slope * (sigma_next - sigma)
        if sigma_next > 0:
            slope_ahead = (ahead - denoise(ahead, rows_of(sigma_next, x))) / sigma_next
            ahead = x + (slope + slope_ahead) * (0.5 * (sigma_next - sigma))
        x, sigma_before = ahead, sigma_next
    return x


def restart_walk(sigmas: Tensor) -> list[tuple[float, float]]:
    """The steps (from, to) for a schedule of n levels and 0: n in all, restarts included; fewer than 20 make no restart."""
    steps = len(sigmas) - 1
    grid, plan = sigmas, None
    if steps >= 20:
        # The figures of the paper's authors for Stable Diffusion: one restart between 0.1 and 2, two for many steps.
        width, times = (steps // 4, 2) if steps >= 36 else (9, 1)
        plan = Restart(low=0.1, high=2.0, steps=width + 1, times=times)
        grid = karras_sigmas(steps - width * times, sigmas[-2].item(), sigmas[0].item())
    walk = list(pairwise(levels(grid)))
    if plan is None:
        return walk
    low, high = (int((grid - level).abs().argmin()) for level in (plan.low, plan.high))
    if high >= low:
        return walk
    again = list(pairwise(levels(karras_sigmas(plan.steps, grid[low].item(), grid[high].item())[:-1])))
    return walk[:low] + again * plan.times + walk[low:]
