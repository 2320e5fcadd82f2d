"""UniPC: a unified predictor-corrector of any order on the training schedule."""
from __future__ import annotations

import math
from typing import Literal

import numpy as np
from torch import Tensor

from modules.errors import RequestError
from modules.sampling.step import NoisePredictor, OnStep, Step, StepNoise, rows_of

Variant = Literal["bh1", "bh2", "vary_coeff"]
Spacing = Literal["time_uniform", "time_quadratic", "logSNR"]


def sample_unipc(predict_noise: NoisePredictor, x: Tensor, timesteps: list[int], alphas_cumprod: Tensor, *, noise: StepNoise,
                 on_step: OnStep | None = None, is_img2img: bool = False, variant: Variant = "bh1", skip_type: Spacing = "time_uniform",
                 order: int = 3, lower_order_final: bool = True) -> Tensor:
    """UniPC with data prediction. Zhao et al. 2023 (arXiv:2302.04867), algorithms 5 and 6.

    x: [B, C, h, w], variance preserving. Of `timesteps` only the number counts, and the last one where a picture is the start;
    the grid in between is `skip_type`'s. Raises RequestError if there are fewer steps than `order`.
    """
    steps = len(timesteps)
    if order > steps:
        raise RequestError("steps", f"UniPC of order {order} needs at least {order} steps, not {steps}.",
                           remedy="Take more steps or a higher denoising strength, or lower UniPC order in the settings.")
    schedule = _LogSchedule(alphas_cumprod)
    start = (timesteps[-1] + 1) / schedule.count if is_img2img else 1.0
    grid = schedule.grid(skip_type, start, steps)

    def estimate(x: Tensor, t: float) -> Tensor:
        alpha, sigma = schedule.alpha_sigma(t)
        eps = predict_noise(x, rows_of((t - 1 / schedule.count) * 1000, x))
        return (x - eps * sigma) / alpha

    known = [(schedule.half_log_snr(grid[0]), estimate(x, grid[0]))]
    for i, t in enumerate(grid[1:], start=1):
        # The first steps have no history for a higher order; the last ones are lowered, since the data end there is stiff.
        step_order = i if i < order else min(order, steps + 1 - i) if lower_order_final else order
        move = _Move(schedule, grid[i - 1], t, known[:step_order], variant)
        predicted = move.predicted(x)
        # The last estimate is only ever used by the corrector, which the last step leaves out.
        fresh = estimate(predicted, t) if i < steps else None
        x = predicted if fresh is None else move.corrected(x, fresh)
        if on_step:
            alpha, sigma = schedule.alpha_sigma(t)
            on_step(Step(i - 1, sigma / alpha, x, known[0][1] if fresh is None else fresh))
        if fresh is not None:
            known = [(schedule.half_log_snr(t), fresh), *known][:order]
    return x


class _LogSchedule:
    """The noise schedule in continuous time 1/N..1: log alpha, linear between the N training steps."""

    def __init__(self, alphas_cumprod: Tensor):
        self._log_alphas = 0.5 * np.log(alphas_cumprod.double().numpy())
        self.count = len(self._log_alphas)
        self._times = np.arange(1, self.count + 1) / self.count

    def log_alpha(self, t: float) -> float:
        return float(np.interp(t, self._times, self._log_alphas))

    def alpha_sigma(self, t: float) -> tuple[float, float]:
        log_alpha = self.log_alpha(t)
        return math.exp(log_alpha), math.sqrt(-math.expm1(2 * log_alpha))

    def half_log_snr(self, t: float) -> float:
        alpha, sigma = self.alpha_sigma(t)
        return math.log(alpha / sigma)

    def time_of(self, half_log_snr: float) -> float:
        """Inverse of half_log_snr."""
        log_alpha = -0.5 * math.log1p(math.exp(-2 * half_log_snr))
        return float(np.interp(log_alpha, self._log_alphas[::-1], self._times[::-1]))

    def grid(self, spacing: Spacing, start: float, steps: int) -> list[float]:
        """steps + 1 falling times from `start` to 1/N."""
        end = 1 / self.count
        if spacing == "logSNR":
            return [self.time_of(lam) for lam in np.linspace(self.half_log_snr(start), self.half_log_snr(end), steps + 1).tolist()]
        power = 2 if spacing == "time_quadratic" else 1
        return (np.linspace(start ** (1 / power), end ** (1 / power), steps + 1) ** power).tolist()


class _Move:
    """One step of the solver from time t0 to t1 with the estimates known so far, newest first."""

    def __init__(self, schedule: _LogSchedule, t0: float, t1: float, known: list[tuple[float, Tensor]], variant: Variant):
        self._alpha, sigma = schedule.alpha_sigma(t1)
        self._ratio = sigma / schedule.alpha_sigma(t0)[1]
        now, self._newest = known[0]
        self._h = schedule.half_log_snr(t1) - now
        self._rs = [(lam - now) / self._h for lam, _ in known[1:]]
        self._slopes = [(estimate - self._newest) / r for (_, estimate), r in zip(known[1:], self._rs, strict=True)]
        self._variant = variant

    def predicted(self, x: Tensor) -> Tensor:
        """UniP: x at t1 from the known estimates alone."""
        return self._extended(x, self._rs, self._slopes)

    def corrected(self, x: Tensor, fresh: Tensor) -> Tensor:
        """UniC: x at t1 with the estimate made there."""
        return self._extended(x, [*self._rs, 1.0], [*self._slopes, fresh - self._newest])

    def _extended(self, x: Tensor, rs: list[float], slopes: list[Tensor]) -> Tensor:
        out = x * self._ratio - self._newest * (self._alpha * math.expm1(-self._h))
        for weight, slope in zip(self._weights(rs), slopes, strict=True):
            out = out - slope * (self._alpha * weight)
        return out

    def _weights(self, rs: list[float]) -> list[float]:
        if not rs:
            return []
        if self._variant == "vary_coeff":
            return _vary_coeff_weights(rs, self._h)
        scale = math.expm1(-self._h) if self._variant == "bh2" else -self._h  # B(h) of section 3.1
        # With one difference every weight is first order; the paper takes 1/2 for both parts.
        weights = [0.5] if len(rs) == 1 else _bh_weights(rs, self._h, scale)
        return [scale * weight for weight in weights]


def _phis(h: float, count: int) -> list[float]:
    """phi_1..phi_count of -h, phi_{k+1}(z) = (phi_k(z) - 1/k!) / z, phi_1 = expm1(z)/z."""
    z = -h
    phis = [math.expm1(z) / z]
    for k in range(1, count):
        phis.append((phis[-1] - 1 / math.factorial(k)) / z)
    return phis


def _bh_weights(rs: list[float], h: float, scale: float) -> list[float]:
    """The weights that match the expansion of the integral up to the number of differences. Paper, eq. 8 and 11."""
    z = -h
    phis = _phis(h, len(rs) + 1)
    rows = np.array([[r**k for r in rs] for k in range(len(rs))])
    wanted = np.array([z * phis[k + 1] * math.factorial(k + 1) / scale for k in range(len(rs))])
    return np.linalg.solve(rows, wanted).tolist()


def _vary_coeff_weights(rs: list[float], h: float) -> list[float]:
    """The weights that depend on the step width alone. Paper, appendix on varying coefficients."""
    count = len(rs)
    z = -h
    phis = _phis(h, count + 1)
    columns = np.array([[r**k / math.factorial(k + 1) for r in rs] for k in range(count)])
    wanted = np.array([z * phis[k + 1] for k in range(count)])
    return np.linalg.solve(columns, wanted).tolist()
