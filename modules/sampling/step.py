"""What a sampler function is given and what it reports: the denoiser, the noise source, the step."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Denoiser(Protocol):
    """Estimates the clean latent: x [B, C, h, w] at noise levels sigma [B] (on the CPU) -> x0 [B, C, h, w]."""

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor: ...


class NoisePredictor(Protocol):
    """Estimates the noise: x [B, C, h, w] at timesteps t [B] (on the CPU, may be fractional) -> eps [B, C, h, w]."""

    def __call__(self, x: Tensor, t: Tensor) -> Tensor: ...


class StepNoise(Protocol):
    """Unit normal noise [B, C, h, w] for the way from `level` to `next_level`; samplers of independent noise ignore both."""

    def __call__(self, level: float, next_level: float) -> Tensor: ...


@dataclass(frozen=True)
class Step:
    """One step of a sampler: index, noise level before it (sigma, also for timestep samplers), latent, and estimate of x0.

    `sigma_hat` is the level after churn, where the network was really asked.
    """

    i: int
    sigma: float
    x: Tensor
    denoised: Tensor
    sigma_hat: float | None = None


OnStep = Callable[[Step], None]


def rows_of(level: float, x: Tensor) -> Tensor:
    """The level for every row of x: float32 [B] on the CPU, so that nobody waits for a device to read it."""
    return torch.full((len(x),), level, dtype=torch.float32)


def beside(values: Tensor, x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """The values on the device of x, without waiting for it where it is a CUDA device: the copy out of host memory is staged at once."""
    return values.to(x.device, dtype or values.dtype, non_blocking=x.device.type == "cuda")


def levels(sigmas: Tensor) -> list[float]:
    """The noise levels as Python numbers. Schedules live on the CPU, so this does not wait for a device."""
    return sigmas.tolist()


def ancestral_split(sigma: float, sigma_next: float, eta: float) -> tuple[float, float]:
    """(level to step down to, standard deviation of fresh noise) that together arrive at sigma_next.

    eta 0 is deterministic, 1 adds as much noise as the reverse SDE. Song et al. 2020 (arXiv:2010.02502), eq. 16, in sigmas.
    """
    if not eta:
        return sigma_next, 0.0
    up = min(sigma_next, eta * math.sqrt(sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2))
    return math.sqrt(sigma_next**2 - up**2), up


def churned(x: Tensor, sigma: float, steps: int, noise: StepNoise, *, s_churn: float, s_tmin: float, s_tmax: float,
            s_noise: float) -> tuple[Tensor, float]:
    """Latent and level after the noise of one stochastic step is added. Karras et al. 2022 (arXiv:2206.00364), algorithm 2."""
    if s_churn <= 0:
        return x, sigma
    gamma = min(s_churn / steps, math.sqrt(2) - 1) if s_tmin <= sigma <= s_tmax else 0.0
    # Drawn in every step, also outside tmin..tmax: pictures made with churn count on the draw.
    fresh = noise(sigma, sigma)
    if gamma == 0:
        return x, sigma
    sigma_hat = sigma * (gamma + 1)
    return x + fresh * (s_noise * math.sqrt(sigma_hat**2 - sigma**2)), sigma_hat
