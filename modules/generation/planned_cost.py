"""What a request will ask of the network, without running it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from modules.generation.request import checked_passes, chosen_sampler
from modules.generation.text_to_image import SAME_SAMPLER, SAME_SCHEDULE
from modules.nn.latent_diffusion import noise_schedule
from modules.prompt.compose import split_and
from modules.runtime import Runtime
from modules.sampling.plan import planned_evaluations
from modules.sampling.registry import find_sampler

# Stable Diffusion's levels, where no model is loaded yet.
LINEAR_START, LINEAR_END, TIMESTEPS = 0.00085, 0.012, 1000


@dataclass(frozen=True, kw_only=True)
class PlannedPass:
    """One pass of one picture: how often the sampler asks (None: it decides by error), and network rows for each time."""

    name: str
    sampler: str
    calls: int | None
    rows: int


@dataclass(frozen=True, kw_only=True)
class PlannedCost:
    """Of a whole job. is_upper_bound: settings may leave out some evaluations of the negative prompt."""

    passes: list[PlannedPass]
    pictures: int
    is_upper_bound: bool

    @property
    def evaluations(self) -> int | None:
        """Network rows of all pictures together; None where a sampler decides by error."""
        if any(each.calls is None for each in self.passes):
            return None
        return self.pictures * sum((each.calls or 0) * each.rows for each in self.passes)


def planned_cost(rt: Runtime, request: Mapping[str, Any]) -> PlannedCost:
    """For the validated fields of a request of either tab. Raises RequestError as the job would."""
    request = {**request, **checked_passes(rt, request)}
    levels, preferred = levels_of(rt), rt.settings.k_sched_type
    steps = request["steps"]
    sampler, schedule = chosen_sampler(request["sampler_name"], request["scheduler"], preferred)
    strengths_differ = rt.settings.s_min_uncond > 0 or rt.settings.skip_early_cond > 0
    begins_with_picture = "resize_mode" in request
    strength: dict[str, Any] = {"denoising_strength": request["denoising_strength"], "exact_steps": rt.settings.img2img_fix_steps}
    passes = [PlannedPass(name="The pass" if begins_with_picture else "First pass", sampler=sampler,
                          rows=rows(sampler, request["prompt"], request["cfg_scale"]),
                          calls=planned_evaluations(find_sampler(sampler), schedule, steps, levels,
                                                    **(strength if begins_with_picture else {})))]
    if request.get("enable_hr") and request["denoising_strength"]:
        second = sampler if request["hr_sampler_name"] in ("", SAME_SAMPLER) else request["hr_sampler_name"]
        again = schedule if request["hr_scheduler"] in ("", SAME_SCHEDULE) else request["hr_scheduler"]
        passes.append(PlannedPass(
            name="Hires. fix", sampler=second,
            rows=rows(second, request["hr_prompt"] or request["prompt"], request["hr_cfg"] or request["cfg_scale"]),
            calls=planned_evaluations(find_sampler(second), again, steps, levels, denoising_strength=request["denoising_strength"],
                                      given_steps=request["hr_second_pass_steps"] or steps)))
    return PlannedCost(passes=passes, pictures=request["n_iter"] * request["batch_size"], is_upper_bound=strengths_differ)


def rows(sampler: str, prompt: str, cfg_scale: float) -> int:
    """Rows per picture at each evaluation: one per part between ANDs, and the negative prompt unless it cancels out."""
    parts = split_and(prompt)
    cancels = cfg_scale == 1 and sum(weight for _, weight in parts) == 1 and not find_sampler(sampler).needs_unguided
    return len(parts) + (not cancels)


def levels_of(rt: Runtime) -> Tensor:
    """alphas_cumprod [T] of the loaded model, or the usual ones."""
    model = rt.models.current
    return noise_schedule(LINEAR_START, LINEAR_END, TIMESTEPS)["alphas_cumprod"] if model is None else model.alphas_cumprod.cpu()
