"""Sequences of noise levels from the highest to 0: one function per schedule, and the table of them."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.errors import RequestError
from modules.sampling.beta_quantile import beta_quantile
from modules.sampling.denoiser import NoiseLevels
from modules.sampling.names import nearest_first

# Name of a schedule that is a list of levels given as text.
LISTED = "list"
MOST_LEVELS = 1001


@dataclass(frozen=True, kw_only=True)
class ScheduleRequest:
    """What a schedule may depend on: number of steps, range, bend, the training schedule, family, shape of Beta."""

    steps: int
    sigma_min: float
    sigma_max: float
    levels: NoiseLevels
    rho: float | None = None
    is_sdxl: bool = False
    beta_alpha: float = 0.6
    beta_beta: float = 0.6


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A row of the table. `name` is the internal name of files and API, `label` the one on the screen."""

    name: str
    label: str
    function: Callable[[ScheduleRequest], Tensor] | None
    checks: tuple[str, ...] = ()
    default_rho: float = -1.0
    needs_model: bool = False
    aliases: tuple[str, ...] = ()


def karras_sigmas(steps: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """Noise levels spaced evenly in sigma**(1/rho), highest first, with a final 0.

    Returns float32 [steps + 1]. Karras et al. 2022 (arXiv:2206.00364), eq. 5.
    Raises ValueError unless 0 < sigma_min < sigma_max and steps >= 1.
    """
    _check_range(steps, sigma_min, sigma_max)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    # In float32: Brownian noise is read at these very numbers, and their last digit shows in pictures at high noise.
    return with_zero((high + torch.linspace(0, 1, steps) * (low - high)) ** rho)


def exponential_sigmas(steps: int, sigma_min: float, sigma_max: float) -> Tensor:
    """Noise levels spaced evenly in log sigma, with a final 0: float32 [steps + 1]. Errors as karras_sigmas."""
    _check_range(steps, sigma_min, sigma_max)
    return with_zero(torch.linspace(math.log(sigma_max), math.log(sigma_min), steps).exp())


def polyexponential_sigmas(steps: int, sigma_min: float, sigma_max: float, rho: float = 1.0) -> Tensor:
    """Noise levels whose log falls along (1 - i/(n-1))**rho, with a final 0: float32 [steps + 1]. Errors as karras_sigmas."""
    _check_range(steps, sigma_min, sigma_max)
    ramp = torch.linspace(1, 0, steps) ** rho
    return with_zero((ramp * (math.log(sigma_max) - math.log(sigma_min)) + math.log(sigma_min)).exp())


def uniform_sigmas(steps: int, levels: NoiseLevels) -> Tensor:
    """Levels at evenly spaced timesteps over the whole training schedule, with a final 0: float32 [steps + 1]."""
    return with_zero(levels.sigma_of_t(torch.linspace(len(levels) - 1, 0, steps)))


def normal_sigmas(steps: int, sigma_min: float, sigma_max: float, levels: NoiseLevels) -> Tensor:
    """Levels at evenly spaced timesteps from that of sigma_max to that of sigma_min, with a final 0: float32 [steps + 1]."""
    start, end = _timesteps_of(sigma_max, sigma_min, levels)
    return with_zero(levels.sigma_of_t(torch.linspace(start, end, steps)))


def sgm_uniform_sigmas(steps: int, sigma_min: float, sigma_max: float, levels: NoiseLevels) -> Tensor:
    """As `normal_sigmas` for one step more, whose lowest level is left out: float32 [steps + 1]. Stability AI's generative-models."""
    start, end = _timesteps_of(sigma_max, sigma_min, levels)
    return with_zero(levels.sigma_of_t(torch.linspace(start, end, steps + 1)[:-1]))


def simple_sigmas(steps: int, levels: NoiseLevels) -> Tensor:
    """Every (N / steps)th training level from the highest down, with a final 0: float32 [steps + 1]."""
    stride = len(levels) / steps
    return with_zero(levels.sigmas[[-(1 + int(i * stride)) for i in range(steps)]])


def ddim_sigmas(steps: int, levels: NoiseLevels) -> Tensor:
    """Training levels 1, 1 + N // steps, ... highest first, with a final 0. Has more than `steps` levels where N / steps is no integer."""
    stride = max(len(levels) // steps, 1)
    return with_zero(levels.sigmas[1::stride].flip(0))


def kl_optimal_sigmas(steps: int, sigma_min: float, sigma_max: float) -> Tensor:
    """Levels evenly spaced in arctan(sigma): float32 [steps + 1]; ends at sigma_min, not at 0. Sabour et al. 2024 (2404.14507), eq. 11."""
    return torch.linspace(math.atan(sigma_max), math.atan(sigma_min), steps + 1, dtype=torch.float64).tan().float()


# Eleven levels optimised for each family. Sabour et al. 2024 (arXiv:2404.14507), published with the paper.
ALIGN_YOUR_STEPS_SD1 = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
ALIGN_YOUR_STEPS_SDXL = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)


def align_your_steps_sigmas(steps: int, *, is_sdxl: bool = False) -> Tensor:
    """The optimised levels, interpolated in log sigma to the number of steps, with a final 0: float32 [steps + 1]."""
    known = torch.tensor(ALIGN_YOUR_STEPS_SDXL if is_sdxl else ALIGN_YOUR_STEPS_SD1, dtype=torch.float64).log()
    place = torch.linspace(0, len(known) - 1, steps, dtype=torch.float64) if steps > 1 else torch.tensor([len(known) - 1.0])
    low = place.floor().long().clamp(max=len(known) - 2)
    return with_zero((known[low] + (place - low) * (known[low + 1] - known[low])).exp())


def beta_sigmas(steps: int, sigma_min: float, sigma_max: float, alpha: float = 0.6, beta: float = 0.6) -> Tensor:
    """Levels at even quantiles of a beta distribution over sigma_min..sigma_max, with a final 0. Lee et al. 2024 (arXiv:2407.12173)."""
    quantiles = [1 - i / (steps - 1) if steps > 1 else 1.0 for i in range(steps)]
    places = torch.tensor([beta_quantile(q, alpha, beta) for q in quantiles], dtype=torch.float64)
    return with_zero(sigma_min + places * (sigma_max - sigma_min))


def discrete_timesteps(steps: int) -> list[int]:
    """Rising timesteps of DDIM, PLMS and UniPC: every (1000 // steps)th plus 1, at most 999. May hold more than `steps` entries.

    Raises RequestError for more than 1000 steps.
    """
    if not 1 <= steps <= 1000:
        raise RequestError("steps", f"This sampler knows 1 to 1000 steps, not {steps}.",
                           remedy="Take fewer steps, or a higher denoising strength where steps are exact.")
    return [min(t + 1, 999) for t in range(0, 1000, 1000 // steps)]


def without_next_to_last(sigmas: Tensor) -> Tensor:
    """The sequence with the level before the last one left out."""
    return torch.cat([sigmas[:-2], sigmas[-1:]])


def parse_sigmas(text: str) -> Tensor:
    """A list of levels as text, separated by commas or blanks, falling, at least two; a final 0 is added where it is missing.

    Returns float32 [steps + 1]. Raises RequestError with the first place that is wrong.
    """
    values = []
    for word in text.replace(",", " ").split():
        try:
            values.append(float(word))
        except ValueError:
            raise RequestError("sigmas", f"The sigma list holds {word[:40]!r}, which is not a number.",
                               remedy="Write falling numbers separated by commas, for example 14.6, 6.5, 2.7, 0.9, 0.") from None
    if values and values[-1] != 0:
        values.append(0.0)
    return checked_falling(torch.tensor(values))


def _listed(sigmas: Tensor) -> Schedule:
    """A free list of levels as a schedule; its label is the list, so that it can be written down and read again."""
    label = ", ".join(format(level, ".7g") for level in sigmas.tolist())
    return Schedule(name=LISTED, label=label, function=lambda r: sigmas)


def checked_falling(sigmas: Tensor) -> Tensor:
    """The same sequence. Raises RequestError unless it has two levels, is finite, and falls at every step to a level of at least 0."""
    values = sigmas.tolist()
    if len(values) > MOST_LEVELS:
        raise RequestError("sigmas", f"The sigma list holds {len(values)} levels; {MOST_LEVELS} are the most.")
    if len(values) < 2:
        raise RequestError("sigmas", "The sigma list needs at least one level above 0.")
    for i, value in enumerate(values):
        if not math.isfinite(value) or value < 0:
            raise RequestError("sigmas", f"Entry {i + 1} of the sigma list is {value:g}; levels are finite and not below 0.")
        if i and value >= values[i - 1]:
            raise RequestError("sigmas", f"The sigma list does not fall: entry {i + 1} is {value:g} after {values[i - 1]:g}.",
                               remedy="Sort it from the highest level to the lowest, without repeats.")
    return sigmas


def with_zero(sigmas: Tensor) -> Tensor:
    """float32, with a final 0."""
    return torch.cat([sigmas.float(), torch.zeros(1)])


def _timesteps_of(sigma_max: float, sigma_min: float, levels: NoiseLevels) -> list[float]:
    return levels.t_of_sigma(torch.tensor([sigma_max, sigma_min])).tolist()


def _check_range(steps: int, sigma_min: float, sigma_max: float) -> None:
    if steps < 1 or not 0 < sigma_min < sigma_max:
        raise ValueError(f"needs steps >= 1 and 0 < sigma_min < sigma_max, not {steps}, {sigma_min}, {sigma_max}")


def _rho(r: ScheduleRequest, default: float) -> float:
    return default if r.rho is None else r.rho


def uniform_sigmas_of(r: ScheduleRequest) -> Tensor:
    """The plain schedule, also what "Automatic" means where no sampler says otherwise."""
    return uniform_sigmas(r.steps, r.levels)


SCHEDULES: tuple[Schedule, ...] = (
    Schedule(name="automatic", label="Automatic", function=None, checks=("golden", "formula")),
    Schedule(name="uniform", label="Uniform", function=uniform_sigmas_of, needs_model=True,
             checks=("golden", "peer", "formula")),
    Schedule(name="karras", label="Karras", function=lambda r: karras_sigmas(r.steps, r.sigma_min, r.sigma_max, _rho(r, 7.0)),
             default_rho=7.0, checks=("golden", "peer", "formula")),
    Schedule(name="exponential", label="Exponential", function=lambda r: exponential_sigmas(r.steps, r.sigma_min, r.sigma_max),
             checks=("golden", "peer", "formula")),
    Schedule(name="polyexponential", label="Polyexponential", default_rho=1.0, checks=("golden", "peer", "formula"),
             function=lambda r: polyexponential_sigmas(r.steps, r.sigma_min, r.sigma_max, _rho(r, 1.0))),
    Schedule(name="sgm_uniform", label="SGM Uniform", needs_model=True, aliases=("SGMUniform",), checks=("formula", "published"),
             function=lambda r: sgm_uniform_sigmas(r.steps, r.sigma_min, r.sigma_max, r.levels)),
    Schedule(name="kl_optimal", label="KL Optimal", function=lambda r: kl_optimal_sigmas(r.steps, r.sigma_min, r.sigma_max),
             checks=("formula", "published")),
    Schedule(name="align_your_steps", label="Align Your Steps", aliases=("AYS",), checks=("formula", "published"),
             function=lambda r: align_your_steps_sigmas(r.steps, is_sdxl=r.is_sdxl)),
    Schedule(name="simple", label="Simple", function=lambda r: simple_sigmas(r.steps, r.levels), needs_model=True,
             checks=("formula", "published")),
    Schedule(name="normal", label="Normal", needs_model=True, checks=("formula", "peer"),
             function=lambda r: normal_sigmas(r.steps, r.sigma_min, r.sigma_max, r.levels)),
    Schedule(name="ddim", label="DDIM", function=lambda r: ddim_sigmas(r.steps, r.levels), needs_model=True,
             checks=("formula", "published")),
    Schedule(name="beta", label="Beta", needs_model=True, checks=("formula", "peer"),
             function=lambda r: beta_sigmas(r.steps, r.sigma_min, r.sigma_max, r.beta_alpha, r.beta_beta)),
)

_BY_NAME = {key.lower(): row for row in SCHEDULES for key in (row.name, row.label, *row.aliases)}


def find_schedule(name: str) -> Schedule:
    """The schedule of this name, label or alias, in any case, or of a list of levels such as "14.6, 6.5, 2.7, 0".

    Raises RequestError naming the valid ones, nearest first, or saying what is wrong with the list.
    """
    if name.strip()[:1] in tuple("0123456789.+-"):
        return _listed(parse_sigmas(name))
    found = _BY_NAME.get(name.strip().lower())
    if found is None:
        labels = nearest_first(name, [row.label for row in SCHEDULES])
        raise RequestError("scheduler", f"There is no schedule type {name[:60]!r}.", remedy=f"Choose one of: {', '.join(labels)}.")
    return found
