"""DPM-Solver in the time -log sigma: orders 1 to 3 mixed to a number of evaluations ("DPM fast"), and adaptive step sizes."""
from __future__ import annotations

import math

from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, ancestral_split, rows_of


class _Stages:
    """The stages of one DPM-Solver step from sigma to sigma_next, sharing evaluations. Lu et al. 2022 (2206.00927), app. B."""

    def __init__(self, denoise: Denoiser, x: Tensor, sigma: float):
        self._denoise, self.x, self.sigma = denoise, x, sigma
        self.denoised = denoise(x, rows_of(sigma, x))
        self.eps = (x - self.denoised) / sigma
        self._known: dict[float, Tensor] = {}

    def first(self, sigma_next: float) -> Tensor:
        return self.x - self.eps * (sigma_next * math.expm1(math.log(self.sigma / sigma_next)))

    def second(self, sigma_next: float, r1: float = 0.5) -> Tensor:
        """DPM-Solver-2 with the middle stage at r1 of the step."""
        grown = sigma_next * math.expm1(math.log(self.sigma / sigma_next))
        return self.x - self.eps * grown - (self._eps_at(sigma_next, r1) - self.eps) * (grown / (2 * r1))

    def third(self, sigma_next: float, r1: float = 1 / 3, r2: float = 2 / 3) -> Tensor:
        """DPM-Solver-3 with stages at r1 and r2 of the step."""
        h = math.log(self.sigma / sigma_next)
        first = self._eps_at(sigma_next, r1) - self.eps
        middle = self._level(sigma_next, r2)
        halfway = (self.x - self.eps * (middle * math.expm1(r2 * h))
                   - first * (middle * (r2 / r1) * (math.expm1(r2 * h) / (r2 * h) - 1)))
        second = (halfway - self._denoise(halfway, rows_of(middle, halfway))) / middle - self.eps
        return self.x - self.eps * (sigma_next * math.expm1(h)) - second * (sigma_next / r2 * (math.expm1(h) / h - 1))

    def _level(self, sigma_next: float, r: float) -> float:
        return self.sigma ** (1 - r) * sigma_next**r

    def _eps_at(self, sigma_next: float, r: float) -> Tensor:
        """The noise at r of the step, reached by a first-order move; asked once, since two orders share it."""
        if r not in self._known:
            middle = self._level(sigma_next, r)
            halfway = self.first(middle)
            self._known[r] = (halfway - self._denoise(halfway, rows_of(middle, halfway))) / middle
        return self._known[r]


def _split(sigma: float, sigma_next: float, sigma_min: float, eta: float) -> tuple[float, float]:
    """(level to step down to, fresh noise) for the way to sigma_next, never below sigma_min."""
    down, _ = ancestral_split(sigma, sigma_next, eta)
    down = max(down, sigma_min)
    return down, math.sqrt(max(sigma_next**2 - down**2, 0.0))


def sample_dpm_fast(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                    eta: float = 0.0, s_noise: float = 1.0, sigma_min: float | None = None) -> Tensor:
    """DPM-Solver-fast: `len(sigmas) - 1` evaluations in steps of order 3, the rest lower. Lu et al. 2022 (arXiv:2206.00927), sec. 3.4.

    Only the ends of `sigmas` count: from the first to sigma_min (its last above 0 where not given), evenly in log sigma.
    """
    sigma_max, sigma_min, evaluations = sigmas[0].item(), sigma_min or sigmas[-2].item(), len(sigmas) - 1
    count = evaluations // 3 + 1
    orders = [3] * (count - 2) + [2, 1] if evaluations % 3 == 0 else [3] * (count - 1) + [evaluations % 3]
    grid = [sigma_max * (sigma_min / sigma_max) ** (i / count) for i in range(count + 1)]
    for i, order in enumerate(orders):
        sigma, sigma_next = grid[i], grid[i + 1]
        down, up = _split(sigma, sigma_next, sigma_min, eta) if eta else (sigma_next, 0.0)
        stages = _Stages(denoise, x, sigma)
        if on_step:
            on_step(Step(i, sigma, x, stages.denoised))
        x = (stages.first, stages.second, stages.third)[order - 1](down)
        if up:
            x = x + noise(sigma, sigma_next) * (s_noise * up)
        elif eta:
            noise(sigma, sigma_next)  # drawn all the same, so that later draws stay in place
    return x


def sample_dpm_adaptive(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None,
                        eta: float = 0.0, s_noise: float = 1.0, sigma_min: float | None = None, rtol: float = 0.05,
                        atol: float = 0.0078) -> Tensor:
    """DPM-Solver-12/23 with step sizes from the difference of orders 2 and 3. Lu et al. 2022 (arXiv:2206.00927), app. C.

    Only the ends of `sigmas` count, as for DPM fast. Reads the error from the device once a step: there is no other way to choose.
    The step size is that of the whole batch.
    """
    t, t_end = -math.log(sigmas[0].item()), -math.log(sigma_min or sigmas[-2].item())
    # The stochastic part lowers the order that errors really fall with.
    h, order = 0.05, 1.5 if eta else 3.0
    x_before, i = x, 0
    while t < t_end - 1e-5:
        t_next = min(t_end, t + h)
        sigma, sigma_next = math.exp(-t), math.exp(-t_next)
        down, up = _split(sigma, sigma_next, math.exp(-t_end), eta) if eta else (sigma_next, 0.0)
        stages = _Stages(denoise, x, sigma)
        low, high = stages.second(down, r1=1 / 3), stages.third(down)
        tolerated = (rtol * low.abs().maximum(x_before.abs())).clamp(min=atol)
        error = ((low - high) / tolerated).square().mean().sqrt().item()
        if not math.isfinite(error):
            return high  # the network has failed; no step size would ever be accepted
        factor = 1 + math.atan((1 / (error + 1e-8)) ** (1 / order) - 1)
        if factor >= 0.81:
            x_before, x, t = low, high, t_next
            if eta:
                x = x + noise(sigma, sigma_next) * (s_noise * up)
        h *= factor
        if on_step:
            on_step(Step(i, math.exp(-t), x, stages.denoised))
        i += 1
    return x
