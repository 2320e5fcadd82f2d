"""Second-order single-step samplers: Heun's trapezoid, the midpoint rule of DPM-Solver-2, and its ancestral form."""
from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, ancestral_split, churned, levels, rows_of


def sample_heun(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                s_churn: float = 0.0, s_tmin: float = 0.0, s_tmax: float = math.inf, s_noise: float = 1.0) -> Tensor:
    """Heun's method: the mean of the slopes at both ends. Karras et al. 2022 (arXiv:2206.00364), algorithm 2."""
    steps = len(sigmas) - 1
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        x, sigma_hat = churned(x, sigma, steps, noise, s_churn=s_churn, s_tmin=s_tmin, s_tmax=s_tmax, s_noise=s_noise)
        denoised = denoise(x, rows_of(sigma_hat, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised, sigma_hat))
        slope = (x - denoised) / sigma_hat
        ahead = x + slope * (sigma_next - sigma_hat)
        if sigma_next == 0:
            x = ahead
            continue
        slope_ahead = (ahead - denoise(ahead, rows_of(sigma_next, x))) / sigma_next
        x = x + (slope + slope_ahead) * (0.5 * (sigma_next - sigma_hat))
    return x


def sample_dpm_2(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                 s_churn: float = 0.0, s_tmin: float = 0.0, s_tmax: float = math.inf, s_noise: float = 1.0) -> Tensor:
    """The slope at the geometric middle of the step. After DPM-Solver-2, Lu et al. 2022 (arXiv:2206.00927), in Karras' ODE."""
    steps = len(sigmas) - 1
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        x, sigma_hat = churned(x, sigma, steps, noise, s_churn=s_churn, s_tmin=s_tmin, s_tmax=s_tmax, s_noise=s_noise)
        denoised = denoise(x, rows_of(sigma_hat, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised, sigma_hat))
        x = _midpoint(denoise, x, denoised, sigma_hat, sigma_next)
    return x


def sample_dpm_2_ancestral(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                           eta: float = 1.0, s_noise: float = 1.0) -> Tensor:
    """The midpoint rule below the next level, then fresh noise up to it. Sources as for DPM2 and Euler a."""
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        down, up = ancestral_split(sigma, sigma_next, eta)
        x = _midpoint(denoise, x, denoised, sigma, down)
        if up:
            x = x + noise(sigma, sigma_next) * (s_noise * up)
    return x


def _midpoint(denoise: Denoiser, x: Tensor, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """One step from sigma to sigma_next with the slope at their geometric mean; a plain Euler step where sigma_next is 0."""
    slope = (x - denoised) / sigma
    if sigma_next == 0:
        return x + slope * (sigma_next - sigma)
    middle = math.sqrt(sigma * sigma_next)
    halfway = x + slope * (middle - sigma)
    return x + (halfway - denoise(halfway, rows_of(middle, x))) * ((sigma_next - sigma) / middle)
