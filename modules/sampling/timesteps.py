"""Samplers on the discrete timesteps of the training schedule: DDIM, DDIM with CFG++, PLMS.

They work on the variance-preserving latent sqrt(a) x0 + sqrt(1 - a) eps, a = alphas_cumprod[t], and ask for the noise eps.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from torch import Tensor

from modules.sampling.step import NoisePredictor, OnStep, Step, StepNoise, rows_of

# Adams-Bashforth weights by number of slopes known, newest first.
_ADAMS_BASHFORTH = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))


def sample_ddim(predict_noise: NoisePredictor, x: Tensor, timesteps: list[int], alphas_cumprod: Tensor, *, noise: StepNoise,
                on_step: OnStep | None = None, eta: float = 0.0) -> Tensor:
    """Denoising diffusion implicit models. Song et al. 2020 (arXiv:2010.02502), eq. 12.

    x: [B, C, h, w] at timesteps[-1]; `timesteps` rise; the walk ends at timesteps[0], almost clean. eta 1 is DDPM.
    """
    return _ddim(predict_noise, x, timesteps, alphas_cumprod, noise, on_step, eta, lambda eps: eps)


def sample_ddim_cfgpp(predict_noise: NoisePredictor, x: Tensor, timesteps: list[int], alphas_cumprod: Tensor, *, noise: StepNoise,
                      on_step: OnStep | None = None, eta: float = 0.0, last_unguided: Callable[[], Tensor]) -> Tensor:
    """DDIM that adds back the unguided noise, so that guidance stays on the manifold. Chung et al. 2024 (arXiv:2406.08070), algorithm 2.

    `last_unguided` gives the prediction without the prompt of the latest call, [B, C, h, w].
    """
    return _ddim(predict_noise, x, timesteps, alphas_cumprod, noise, on_step, eta, lambda eps: last_unguided())


def _ddim(predict_noise: NoisePredictor, x: Tensor, timesteps: list[int], alphas_cumprod: Tensor, noise: StepNoise,
          on_step: OnStep | None, eta: float, renoise: Callable[[Tensor], Tensor]) -> Tensor:
    alphas = alphas_cumprod.tolist()
    for i, (t, t_next) in enumerate(pairwise(reversed(timesteps))):
        a, a_next = alphas[t], alphas[t_next]
        eps = predict_noise(x, rows_of(t, x))
        clean = (x - eps * math.sqrt(1 - a)) / math.sqrt(a)
        spread = eta * math.sqrt((1 - a_next) / (1 - a) * (1 - a / a_next))
        x = clean * math.sqrt(a_next) + renoise(eps) * math.sqrt(1 - a_next - spread**2)
        if spread:
            x = x + noise(t, t_next) * spread
        if on_step:
            on_step(Step(i, sigma_of(a), x, clean))
    return x


def sample_plms(predict_noise: NoisePredictor, x: Tensor, timesteps: list[int], alphas_cumprod: Tensor, *, noise: StepNoise,
                on_step: OnStep | None = None) -> Tensor:
    """Pseudo linear multistep: Adams-Bashforth on eps with DDIM steps. Liu et al. 2022 (arXiv:2202.09778), eq. 12.

    x, `timesteps` and the end of the walk are those of DDIM. The first step takes two evaluations.
    """
    alphas = alphas_cumprod.tolist()
    known: list[Tensor] = []
    for i, (t, t_next) in enumerate(pairwise(reversed(timesteps))):
        a, a_next = alphas[t], alphas[t_next]
        eps = predict_noise(x, rows_of(t, x))
        if known:
            weights = _ADAMS_BASHFORTH[len(known)]
            slope = sum(e * w for e, w in zip([eps, *known], weights, strict=True))
        else:
            ahead, _ = _ddim_step(x, eps, a, a_next)
            slope = (eps + predict_noise(ahead, rows_of(t_next, x))) / 2
        x, clean = _ddim_step(x, slope, a, a_next)
        known = [eps, *known][:3]
        if on_step:
            on_step(Step(i, sigma_of(a), x, clean))
    return x


def _ddim_step(x: Tensor, eps: Tensor, a: float, a_next: float) -> tuple[Tensor, Tensor]:
    """(x at the next level, estimate of x0) for noise eps."""
    clean = (x - eps * math.sqrt(1 - a)) / math.sqrt(a)
    return clean * math.sqrt(a_next) + eps * math.sqrt(1 - a_next), clean


def sigma_of(a: float) -> float:
    """The noise level sigma = noise / signal of a cumulative alpha."""
    return math.sqrt((1 - a) / a)
