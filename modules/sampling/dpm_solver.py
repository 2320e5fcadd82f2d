"""DPM-Solver++ samplers: exponential integrators in the log of the noise level, deterministic and stochastic."""
from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, ancestral_split, levels, rows_of


def sample_dpmpp_2s_ancestral(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                              eta: float = 1.0, s_noise: float = 1.0) -> Tensor:
    """DPM-Solver++(2S) below the next level, then fresh noise. Lu et al. 2022 (arXiv:2211.01095), algorithm 1 with r = 1/2."""
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        down, up = ancestral_split(sigma, sigma_next, eta)
        if down == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * down)
            halfway = moved(x, denoised, sigma, middle)
            x = moved(x, denoise(halfway, rows_of(middle, x)), sigma, down)
        if up:
            x = x + noise(sigma, sigma_next) * (s_noise * up)
    return x


def sample_dpmpp_2m(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None) -> Tensor:
    """DPM-Solver++(2M): the last two estimates, extrapolated. Lu et al. 2022 (arXiv:2211.01095), algorithm 2."""
    before: Tensor | None = None
    h_last = 0.0
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        h = math.log(sigma / sigma_next) if sigma_next else math.inf
        estimate = denoised
        if before is not None and sigma_next:
            estimate = denoised + (denoised - before) * (h / (2 * h_last))
        x = moved(x, estimate, sigma, sigma_next)
        before, h_last = denoised, h
    return x


def sample_dpmpp_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                     eta: float = 1.0, s_noise: float = 1.0, r: float = 0.5) -> Tensor:
    """Stochastic DPM-Solver++ of two stages, the first at the fraction r of the step in log sigma. Lu et al. 2022 (arXiv:2211.01095).

    `noise` must be increments of one Brownian path, since both stages draw on the same stretch of it.
    """
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        if sigma_next == 0:
            x = denoised
            continue
        start, middle, end = (_stage_level(sigma, sigma_next, part) for part in (0, r, 1))
        down, up = ancestral_split(sigma, middle, eta)
        halfway = moved(x, denoised, sigma, down)
        if up:
            halfway = halfway + noise(start, middle) * (s_noise * up)
        denoised_halfway = denoise(halfway, rows_of(middle, x))
        estimate = denoised + (denoised_halfway - denoised) * (1 / (2 * r))
        down, up = ancestral_split(sigma, sigma_next, eta)
        x = moved(x, estimate, sigma, down)
        if up:
            x = x + noise(start, end) * (s_noise * up)
    return x


def sample_dpmpp_2m_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                        eta: float = 1.0, s_noise: float = 1.0, solver_type: Literal["midpoint", "heun"] = "midpoint") -> Tensor:
    """Stochastic DPM-Solver++(2M) with Brownian noise. Lu et al. 2022 (arXiv:2211.01095), SDE-DPM-Solver++(2M)."""
    before: Tensor | None = None
    h_last = 0.0
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        if sigma_next == 0:
            x = denoised
            continue
        h = math.log(sigma / sigma_next)
        reach = h * (1 + eta)
        gain = -math.expm1(-reach)
        x = x * math.exp(-reach) + denoised * gain
        if before is not None:
            second = 0.5 * gain if solver_type == "midpoint" else 1 - gain / reach
            x = x + (denoised - before) * (second * h / h_last)
        x = x + _sde_noise(noise, sigma, sigma_next, h, eta, s_noise)
        before, h_last = denoised, h
    return x


def sample_dpmpp_3m_sde(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                        eta: float = 1.0, s_noise: float = 1.0) -> Tensor:
    """Third-order stochastic multistep: a parabola in log sigma through the last three estimates. Extends Lu et al. 2022 (2211.01095)."""
    past: list[Tensor] = []
    widths: list[float] = []
    for i, (sigma, sigma_next) in enumerate(pairwise(levels(sigmas))):
        denoised = denoise(x, rows_of(sigma, x))
        if on_step:
            on_step(Step(i, sigma, x, denoised))
        if sigma_next == 0:
            x = denoised
            continue
        h = math.log(sigma / sigma_next)
        reach = h * (1 + eta)
        phi_1 = -math.expm1(-reach)
        phi_2 = 1 - phi_1 / reach
        x = x * math.exp(-reach) + denoised * phi_1
        if len(past) == 1:
            x = x + (denoised - past[0]) * (phi_2 * h / widths[0])
        elif past:
            r0, r1 = widths[0] / h, widths[1] / h
            newer, older = (denoised - past[0]) / r0, (past[0] - past[1]) / r1
            bend = (newer - older) / (r0 + r1)
            x = x + (newer + bend * r0) * phi_2 - bend * (phi_2 / reach - 0.5)
        x = x + _sde_noise(noise, sigma, sigma_next, h, eta, s_noise)
        past, widths = [denoised, *past][:2], [h, *widths][:2]
    return x


def _stage_level(sigma: float, sigma_next: float, r: float) -> float:
    """The level at the fraction r of a step in log sigma, with the rounding of float32.

    Brownian noise is read at these levels to six decimals, and the last of them shows in pictures.
    """
    time = torch.tensor([sigma, sigma_next]).log().neg()
    return (time[0] + (time[1] - time[0]) * r).neg().exp().item()


def moved(x: Tensor, estimate: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """x brought from sigma to sigma_next while the estimate of x0 stays: the exact solution of the ODE in that case."""
    ratio = sigma_next / sigma
    return x * ratio + estimate * (1 - ratio)


def _sde_noise(noise: StepNoise, sigma: float, sigma_next: float, h: float, eta: float, s_noise: float) -> Tensor | float:
    """The noise that the SDE of strength eta adds over a step of h in log sigma."""
    if not eta:
        return 0.0
    return noise(sigma, sigma_next) * (s_noise * sigma_next * math.sqrt(-math.expm1(-2 * eta * h)))
