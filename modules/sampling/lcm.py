"""Sampling of latent consistency models: jump to the estimate, add noise again."""
from __future__ import annotations

from itertools import pairwise

from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, levels, rows_of


def sample_lcm(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None) -> Tensor:
    """Multistep consistency sampling. Luo et al. 2023 (arXiv:2310.04378), algorithm 3."""
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        x = denoised + noise(sigma, sigma_next) * sigma_next if sigma_next > 0 else denoised
    return x
