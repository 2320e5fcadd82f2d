"""Euler's method for the probability-flow ODE, and its ancestral form."""
from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, ancestral_split, churned, levels, rows_of


def sample_euler(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                 s_churn: float = 0.0, s_tmin: float = 0.0, s_tmax: float = math.inf, s_noise: float = 1.0) -> Tensor:
    """Euler steps. x: [B, C, h, w] with noise sigmas[0]. Karras et al. 2022 (arXiv:2206.00364), algorithm 2 without the correction."""
    steps = len(sigmas) - 1
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        x, sigma_hat = churned(x, sigma, steps, noise, s_churn=s_churn, s_tmin=s_tmin, s_tmax=s_tmax, s_noise=s_noise)
        denoised = denoise(x, rows_of(sigma_hat, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised, sigma_hat))
        slope = (x - denoised) / sigma_hat
        x = x + slope * (sigma_next - sigma_hat)
    return x


def sample_euler_ancestral(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                           eta: float = 1.0, s_noise: float = 1.0) -> Tensor:
    """Euler steps below the next level, then fresh noise up to it. Song et al. 2020 (arXiv:2010.02502) in the sigmas of Karras."""
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        down, up = ancestral_split(sigma, sigma_next, eta)
        slope = (x - denoised) / sigma
        x = x + slope * (down - sigma)
        if up:
            x = x + noise(sigma, sigma_next) * (s_noise * up)
    return x
