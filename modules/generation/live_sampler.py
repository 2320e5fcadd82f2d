"""The sampler of a run as an object: what extensions reach as `p.sampler`, replace parts of, or make of their own."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from modules import runtime
from modules.generation.guided_by_extensions import CFGDenoiser, CFGDenoiserKDiffusion, CFGDenoiserTimesteps
from modules.generation.passes import pass_hooks, sampling_options
from modules.generation.sampler_seams import callback_state
from modules.generation.script_conditions import conditions_of
from modules.sampling.passes import (
    levels_of,
    sample_from_latent,
    sample_from_noise,
    schedule_sigmas,
    second_pass_steps,
)
from modules.sampling.registry import SAMPLERS, find_sampler, schedule_for
from modules.sampling.registry import Sampler as Row


class SamplerData(NamedTuple):
    """A row of the lists of samplers: name, constructor(model) -> sampler object, other names, options."""

    name: str
    constructor: Callable[[Any], Any]
    aliases: list[str]
    options: dict[str, Any]

    def total_steps(self, steps: int) -> int:
        """Evaluations of the network in so many steps."""
        return steps * 2 if self.options.get("second_order") else steps


class Sampler:
    """A sampler at work for one processing. `row` is what the engine runs; `model_wrap_cfg` what extensions see of guidance."""

    denoiser_class: type[CFGDenoiser] = CFGDenoiser

    def __init__(self, row: Row, sd_model: Any = None):
        self.row, self.sd_model = row, sd_model
        self.funcname = row.name
        self.func = row.function
        self.config: SamplerData | None = None
        self.p: Any = None
        self.last_latent: Tensor | None = None
        self.stop_at: int | None = None
        self.eta: float | None = None
        self.s_min_uncond = 0.0
        self.s_churn, self.s_tmin, self.s_tmax, self.s_noise = 0.0, 0.0, float("inf"), 1.0
        self.conditioning_key = getattr(getattr(sd_model, "model", None), "conditioning_key", "crossattn")
        self.model_wrap_cfg = self.denoiser_class(self)

    @property
    def model_wrap(self) -> Any:
        """The network behind guidance."""
        return self.model_wrap_cfg.inner_model

    @property
    def name(self) -> str:
        return self.row.name

    def get_sigmas(self, p: Any, steps: int) -> Tensor:
        """The noise levels of a pass of this many steps: [n + 1], falling."""
        options = sampling_options(p)
        schedule = schedule_for(self.row, p.scheduler or "Automatic")
        levels = levels_of(p.sd_model, options)
        return schedule_sigmas(schedule.name, steps, levels, options, is_sdxl=p.sd_model.is_sdxl).to(p.sd_model.device)

    callback_state = callback_state  # a seam that extensions replace

    def initialize(self, p: Any) -> dict[str, Any]:
        """Make `p` the run of this sampler; returns further arguments of its function, which are none: the engine reads `p`."""
        self.p, self.model_wrap_cfg.p = p, p
        self.model_wrap_cfg.mask, self.model_wrap_cfg.nmask = getattr(p, "mask", None), getattr(p, "nmask", None)
        return {}

    def launch_sampling(self, steps: int, func: Callable[[], Tensor]) -> Tensor:
        """Run the pass `func` of this many steps; a seam that extensions replace."""
        self.model_wrap_cfg.steps = steps
        return func()

    def add_infotext(self, p: Any) -> None:
        """Note in the infotext that shorter conditions were filled up."""
        if self.model_wrap_cfg.padded_cond_uncond:
            p.extra_generation_params["Pad conds"] = True

    def sample(self, p: Any, x: Tensor, conditioning: Any, unconditional_conditioning: Any, steps: int | None = None,
               image_conditioning: Tensor | None = None) -> Tensor:
        """A latent [B, 4, h, w] from unit noise x."""
        count = steps or p.steps
        both = conditions_of(conditioning, unconditional_conditioning)
        return self.launch_sampling(count, lambda: sample_from_noise(
            p.sd_model, self.row, p.scheduler or "Automatic", count, p.rng, both, p.cfg_scale, sampling_options(p), pass_hooks(p, count),
            start=x, image_cond=_picture(image_conditioning)))

    def sample_img2img(self, p: Any, x: Tensor, noise: Tensor, conditioning: Any, unconditional_conditioning: Any,
                       steps: int | None = None, image_conditioning: Tensor | None = None) -> Tensor:
        """A latent [B, 4, h, w] from a latent x under unit noise."""
        exact = runtime.current().settings.img2img_fix_steps
        plan = second_pass_steps(p.steps, p.denoising_strength, exact_steps=exact, given_steps=steps)
        mask = getattr(p, "nmask", None)
        both, count = conditions_of(conditioning, unconditional_conditioning), plan.encode_steps + 1
        return self.launch_sampling(count, lambda: sample_from_latent(
            p.sd_model, self.row, p.scheduler or "Automatic", p.steps, p.rng, both, p.cfg_scale, sampling_options(p), pass_hooks(p, count),
            init_latent=x, denoising_strength=p.denoising_strength, exact_steps=exact, given_steps=steps,
            mask=None if mask is None else mask[None], image_cond=_picture(image_conditioning), start=noise))


class KDiffusionSampler(Sampler):
    """A sampler that asks for the clean latent at a noise level."""

    denoiser_class = CFGDenoiserKDiffusion


class CompVisSampler(Sampler):
    """A sampler that asks for the noise at a timestep."""

    denoiser_class = CFGDenoiserTimesteps

    def get_timesteps(self, p: Any, steps: int) -> Tensor:
        """The timesteps of a pass, rising."""
        from modules.sampling.schedules import discrete_timesteps

        return torch.tensor(discrete_timesteps(steps), device=p.sd_model.device)


def _picture(image_conditioning: Tensor | None) -> Tensor | None:
    """Extra channels; networks that take none are given a placeholder of one number."""
    return None if image_conditioning is None or image_conditioning.shape[-2:] == (1, 1) else image_conditioning


def new_sampler(row: Row, sd_model: Any) -> Sampler:
    """The object for a row of the engine's table."""
    return (CompVisSampler if row.kind == "timestep" else KDiffusionSampler)(row, sd_model)


def data_of(row: Row) -> SamplerData:
    """The row as lists show it to extensions."""
    options = {**row.api_options, **({"second_order": True} if row.second_order else {})}
    return SamplerData(row.name, partial(new_sampler, row), list(row.aliases), options)


all_samplers: list[SamplerData] = [data_of(row) for row in SAMPLERS]
# By name; extensions enter samplers of their own here for a while.
all_samplers_map: dict[str, SamplerData] = {data.name: data for data in all_samplers}


def create_sampler(name: str | None, model: Any) -> Any:
    """The sampler object for a name of `all_samplers_map`, or any form that the engine accepts. Raises RequestError."""
    data = all_samplers_map.get(name or "Euler") or all_samplers_map[find_sampler(name or "Euler").name]
    sampler = data.constructor(model)
    sampler.config = data
    return sampler


def sampler_for(p: Any, name: str | None) -> Any:
    """The sampler of `p`: made by whatever stands in the place of `create_sampler` now, with everything that reads `p` set."""
    sampler = create_sampler(name, p.sd_model)
    sampler.p, sampler.sd_model = p, p.sd_model
    denoiser = sampler.model_wrap_cfg
    denoiser.p, denoiser.steps = p, p.steps
    denoiser.image_cfg_scale = getattr(p, "image_cfg_scale", None)
    for attribute in ("mask", "nmask", "init_latent"):
        setattr(denoiser, attribute, getattr(p, attribute, None))
    return sampler


def row_of(sampler: Any) -> Row:
    """What the engine runs for a sampler object, or a row itself."""
    return getattr(sampler, "row", sampler)
