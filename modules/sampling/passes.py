"""One sampling pass from noise or from a latent: schedule, start, guided denoiser and sampler put together."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from modules.errors import RequestError
from modules.sampling.brownian import BrownianNoise, Normal
from modules.sampling.denoiser import (
    ConsistencyDenoiser,
    DiffusionModel,
    NoiseLevels,
    effective_alphas,
    inner_denoiser,
)
from modules.sampling.guidance import Conditions, GuidanceHooks, GuidanceOptions, GuidedDenoiser, LatentMask, LatestCall
from modules.sampling.options import SamplingOptions
from modules.sampling.registry import Sampler, schedule_for
from modules.sampling.schedules import (
    LISTED,
    ScheduleRequest,
    checked_falling,
    discrete_timesteps,
    find_schedule,
    parse_sigmas,
    uniform_sigmas_of,
    without_next_to_last,
)
from modules.sampling.step import Step, StepNoise

LATENT_CHANNELS = 4

Subject = Literal["Combined", "Prompt", "Negative prompt"]


class PassNoise(Protocol):
    """Where a pass gets its random numbers; `NoiseSource` is one. `normal` is None or a replacement for torch's numbers (NV)."""

    @property
    def seeds(self) -> Sequence[int]: ...

    @property
    def normal(self) -> Normal | None: ...

    @property
    def generator_device(self) -> torch.device: ...

    def first(self) -> Tensor: ...

    def next(self) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What is known after a step: index i of `steps` planned ones, level, latent, and the estimates of the clean latent."""

    i: int
    steps: int
    sigma: float
    sigma_hat: float
    x: Tensor
    denoised: Tensor
    call: LatestCall | None

    def estimate(self, subject: Subject = "Combined") -> Tensor:
        """x0 [B, C, h, w] as the previews show it: with guidance, or of the prompt or negative prompt alone."""
        if self.call is None or subject == "Combined":
            return self.denoised
        return self.call.clean(self.call.cond if subject == "Prompt" else self.call.uncond)


@dataclass
class ExtraNoise:
    """Before extra noise is added to the start of a second pass; a hook may replace `noise`."""

    noise: Tensor
    latent: Tensor
    start: Tensor


@dataclass
class PassStart:
    """A pass about to begin; a hook may replace `x` (already scaled to the first level) and `sigmas`, and keep the denoiser."""

    x: Tensor
    sigmas: Tensor | None
    timesteps: list[int] | None
    guided: GuidedDenoiser
    steps: int


@dataclass(kw_only=True)
class SamplingHooks(GuidanceHooks):
    """The seams of a pass: those of each network call, and start, step and extra noise."""

    on_start: Callable[[PassStart], None] | None = None
    on_step: Callable[[StepReport], None] | None = None
    on_extra_noise: Callable[[ExtraNoise], None] | None = None


@dataclass(frozen=True, kw_only=True)
class SecondPassSteps:
    """img2img: the schedule is made for `schedule_steps`; the run takes `encode_steps` + 1 steps at its end."""

    schedule_steps: int
    encode_steps: int


def second_pass_steps(steps: int, denoising_strength: float, *, exact_steps: bool = False,
                      given_steps: int | None = None) -> SecondPassSteps:
    """How many steps an img2img pass takes. `exact_steps` or `given_steps` (hires steps) make that number whatever the strength."""
    strength = min(denoising_strength, 0.999)
    if not exact_steps and given_steps is None:
        return SecondPassSteps(schedule_steps=steps, encode_steps=int(strength * steps))
    wanted = given_steps or steps
    return SecondPassSteps(schedule_steps=int(wanted / strength) if denoising_strength > 0 else 0, encode_steps=wanted - 1)


@torch.no_grad()
def sample_from_noise(model: DiffusionModel, sampler: Sampler, schedule: str | None, steps: int, noise: PassNoise, conditions: Conditions,
                      cfg_scale: float, options: SamplingOptions | None = None, hooks: SamplingHooks | None = None, *,
                      image_cond: Tensor | None = None, start: Tensor | None = None) -> Tensor:
    """A latent [B, C, h, w] from pure noise.

    `schedule`: name or label, None or "Automatic" for the sampler's own. `start`: unit noise in place of noise.first().
    `image_cond` [B or 1, K, h, w]: extra channels of inpainting models. Raises RequestError for steps or levels that cannot be used.
    """
    run = _Pass(model, sampler, schedule, conditions, cfg_scale, options or SamplingOptions(), hooks or SamplingHooks(), noise)
    _check_steps(sampler, steps)
    unit = noise.first() if start is None else start
    if sampler.kind == "timestep":
        return run.walk_timesteps(unit, run.timesteps(steps), steps, image_cond, None)
    sigmas = run.sigmas(steps)
    top = sigmas[0].item()
    x = unit * (math.sqrt(1 + top**2) if run.options.sgm_noise_multiplier else top)
    # Samplers that choose their own steps go down to the model's lowest level, whatever the schedule's is.
    return run.walk_sigmas(x, sigmas, sigmas, len(sigmas) - 1, image_cond, None, run.levels.sigma_min)


@torch.no_grad()
def sample_from_latent(model: DiffusionModel, sampler: Sampler, schedule: str | None, steps: int, noise: PassNoise, conditions: Conditions,
                       cfg_scale: float, options: SamplingOptions | None = None, hooks: SamplingHooks | None = None, *,
                       init_latent: Tensor, denoising_strength: float, exact_steps: bool = False, given_steps: int | None = None,
                       mask: Tensor | None = None, image_cond: Tensor | None = None, start: Tensor | None = None) -> Tensor:
    """A latent [B, C, h, w] from a latent: img2img, hires.

    `steps` are those of the request; `second_pass_steps` says how many are run. `mask` [B or 1, 1 or C, h, w]: 1 = repaint,
    0 = keep (values between mix). `start`: unit noise in place of noise.first(), already with the noise multiplier.
    """
    run = _Pass(model, sampler, schedule, conditions, cfg_scale, options or SamplingOptions(), hooks or SamplingHooks(), noise)
    plan = second_pass_steps(steps, denoising_strength, exact_steps=exact_steps, given_steps=given_steps)
    if plan.schedule_steps == 0:
        return init_latent
    _check_steps(sampler, steps)
    unit = noise.first() if start is None else start
    keep = None if mask is None else LatentMask(original=init_latent, keep=1 - mask, on_input=sampler.kind == "timestep",
                                                on_blend=run.hooks.on_mask_blend)
    if sampler.kind == "timestep":
        x = _walked_from_timestep(run, plan, init_latent, unit, image_cond, keep)
    else:
        sigmas = run.sigmas(plan.schedule_steps)
        walked = sigmas[max(len(sigmas) - 2 - plan.encode_steps, 0):]
        x = run.with_extra_noise(init_latent + unit * walked[0].item(), unit, init_latent, 1.0)
        x = run.walk_sigmas(x, walked, sigmas, plan.encode_steps + 1, image_cond, keep, None)
    return x if keep is None else keep.blend(x)


def _walked_from_timestep(run: _Pass, plan: SecondPassSteps, init_latent: Tensor, unit: Tensor, image_cond: Tensor | None,
                          keep: LatentMask | None) -> Tensor:
    timesteps = run.timesteps(plan.schedule_steps)
    top = min(plan.encode_steps, len(timesteps) - 1)
    a = run.levels.alphas_cumprod[timesteps[top]].item()
    x = init_latent * math.sqrt(a) + unit * math.sqrt(1 - a)
    x = run.with_extra_noise(x, unit, init_latent, math.sqrt(a))
    return run.walk_timesteps(x, timesteps[:top], plan.encode_steps + 1, image_cond, keep, is_img2img=True)


def levels_of(model: DiffusionModel, options: SamplingOptions) -> NoiseLevels:
    """The noise levels of a model as the options change them: half precision, no signal at the end, whole timesteps."""
    is_zero_snr = options.sd_noise_schedule == "Zero Terminal SNR" or getattr(model, "is_zero_snr", False)
    alphas = effective_alphas(model.alphas_cumprod, downcast=options.use_downcasted_alpha_bar, zero_terminal_snr=is_zero_snr)
    return NoiseLevels(alphas, quantize=options.enable_quantization)


class _Pass:
    """What both kinds of pass share: the effective schedule, the arguments of the sampler, the walk itself."""

    def __init__(self, model: DiffusionModel, sampler: Sampler, schedule: str | None, conditions: Conditions, cfg_scale: float,
                 options: SamplingOptions, hooks: SamplingHooks, noise: PassNoise):
        self.model, self.sampler, self.conditions = model, sampler, conditions
        # Networks that are told the scale have learnt what guidance makes of it.
        self.cfg_scale = 1.0 if getattr(model, "embeds_guidance", False) else cfg_scale
        self.options, self.hooks, self.noise = options, hooks, noise
        self.schedule = schedule_for(sampler, schedule)
        self.levels = levels_of(model, self.options)
        if sampler.kind == "consistency":
            self.levels = ConsistencyDenoiser(model, self.levels).levels

    def sigmas(self, steps: int) -> Tensor:
        """The levels of a whole pass of this many steps: float32 [n + 1] on the CPU, falling."""
        options = self.options
        if options.schedule_override:
            return checked_falling(options.schedule_override(steps).to("cpu", torch.float32))
        if options.sigmas is not None:
            return checked_falling(torch.tensor(options.sigmas))
        if self.schedule.name == LISTED:
            return parse_sigmas(self.schedule.label)
        discard = self.sampler.discards_next_to_last or options.always_discard_next_to_last_sigma
        is_sdxl = bool(getattr(self.model, "is_sdxl", False))
        sigmas = schedule_sigmas(self.schedule.name, steps + discard, self.levels, options, is_sdxl=is_sdxl)
        return without_next_to_last(sigmas) if discard else sigmas

    def timesteps(self, steps: int) -> list[int]:
        """The rising timesteps of a whole pass. The setting that discards a level only makes the grid finer here, as it always did."""
        if self.options.sigmas is not None or self.schedule.name == LISTED:
            raise RequestError("sigmas", f"{self.sampler.name} works on timesteps and takes no sigma list.",
                               remedy="Choose another sampler.")
        return discrete_timesteps(steps + self.options.always_discard_next_to_last_sigma)

    def with_extra_noise(self, x: Tensor, unit: Tensor, latent: Tensor, scale: float) -> Tensor:
        """The start of a second pass with the setting "extra noise" applied."""
        if self.options.img2img_extra_noise <= 0:
            return x
        event = ExtraNoise(unit, latent, x)
        if self.hooks.on_extra_noise:
            self.hooks.on_extra_noise(event)
        return x + event.noise * (self.options.img2img_extra_noise * scale)

    def walk_sigmas(self, x: Tensor, sigmas: Tensor, whole: Tensor, steps: int, image_cond: Tensor | None, mask: LatentMask | None,
                    sigma_min: float | None) -> Tensor:
        guided = self._guided(steps, image_cond, mask)
        begin = PassStart(x, sigmas, None, guided, steps)
        if self.hooks.on_start:
            self.hooks.on_start(begin)
        arguments: dict[str, Any] = {**self._arguments(), "noise": self._step_noise(begin.x, whole)}
        if self.sampler.chooses_steps and sigma_min is not None:
            arguments["sigma_min"] = sigma_min
        return self.sampler.function(guided, begin.x, begin.sigmas, on_step=self._reporter(guided, steps), **arguments)

    def walk_timesteps(self, x: Tensor, timesteps: list[int], steps: int, image_cond: Tensor | None, mask: LatentMask | None, *,
                       is_img2img: bool = False) -> Tensor:
        guided = self._guided(steps, image_cond, mask)
        begin = PassStart(x, None, timesteps, guided, steps)
        if self.hooks.on_start:
            self.hooks.on_start(begin)
        arguments = self._arguments()
        if self.sampler.needs_unguided:
            arguments["last_unguided"] = partial(_last_unguided, guided)
        if self.sampler.knows_img2img:
            arguments["is_img2img"] = is_img2img
        return self.sampler.function(guided, begin.x, timesteps, self.levels.alphas_cumprod, noise=self._step_noise(begin.x, None),
                                     on_step=self._reporter(guided, steps), **arguments)

    def _guided(self, steps: int, image_cond: Tensor | None, mask: LatentMask | None) -> GuidedDenoiser:
        options = self.options
        # Only instruction models take a latent as extra channels, and only they know a second scale.
        follows_instructions = image_cond is not None and image_cond.shape[1] == LATENT_CHANNELS
        guidance = GuidanceOptions(s_min_uncond=options.s_min_uncond, skip_early_cond=options.skip_early_cond,
                                   batch_cond_uncond=options.batch_cond_uncond, pad_cond_uncond=options.pad_cond_uncond,
                                   pad_cond_uncond_v0=options.pad_cond_uncond_v0, padding=options.padding,
                                   image_cfg_scale=options.image_cfg_scale if follows_instructions else None,
                                   scale_factor=self.sampler.cfg_factor, needs_uncond=self.sampler.needs_unguided)
        return GuidedDenoiser(make_inner=lambda model: inner_denoiser(model, levels_of(model, options), self.sampler.kind),
                              model=self.model, conditions=self.conditions, cfg_scale=self.cfg_scale,
                              total_calls=steps * self.sampler.calls_per_step, calls_per_step=self.sampler.calls_per_step,
                              conditions_per_call=options.conditions_per_call, options=guidance, hooks=self.hooks,
                              image_cond=image_cond, mask=mask)

    def _arguments(self) -> dict[str, Any]:
        """The user parameters that this sampler reads, by the names of its function."""
        options = self.options
        own = options.eta_ddim if self.sampler.kind == "timestep" else options.eta_ancestral
        values = {"eta": own if options.eta is None else options.eta, "s_churn": options.s_churn, "s_tmin": options.s_tmin,
                  "s_tmax": options.s_tmax or math.inf, "s_noise": options.s_noise, "uni_pc_variant": options.uni_pc_variant,
                  "uni_pc_skip_type": options.uni_pc_skip_type, "uni_pc_order": options.uni_pc_order,
                  "uni_pc_lower_order_final": options.uni_pc_lower_order_final}
        return {name.removeprefix("uni_pc_"): values[name] for name in self.sampler.options} | self.sampler.fixed

    def _step_noise(self, x: Tensor, whole: Tensor | None) -> StepNoise:
        if not self.sampler.brownian or whole is None:
            return lambda level, next_level: self.noise.next()
        positive = whole[whole > 0]
        ends = positive.min().item(), whole.max().item()
        place = self.noise.generator_device
        if not self.options.no_dpmpp_sde_batch_determinism:
            return BrownianNoise(x, *ends, self.noise.seeds, normal=self.noise.normal, device=place)
        # One path for the whole batch, as old pictures had it; its seed follows from that of the last picture.
        seed = torch.randint(0, 2**63 - 1, [], generator=torch.Generator().manual_seed(self.noise.seeds[-1])).item()
        whole_batch = BrownianNoise(x[None], *ends, [int(seed)], normal=self.noise.normal, device=place)
        return lambda level, next_level: whole_batch(level, next_level)[0]

    def _reporter(self, guided: GuidedDenoiser, steps: int) -> Callable[[Step], None] | None:
        on_step = self.hooks.on_step
        if on_step is None:
            return None
        return lambda step: on_step(StepReport(
            i=step.i, steps=steps, sigma=step.sigma, sigma_hat=step.sigma if step.sigma_hat is None else step.sigma_hat, x=step.x,
            denoised=step.denoised, call=guided.last))


def schedule_sigmas(schedule: str, steps: int, levels: NoiseLevels, options: SamplingOptions | None = None, *,
                    is_sdxl: bool = False) -> Tensor:
    """The levels of a schedule (name, label or alias) for a model: float32 [n + 1] on the CPU. Raises RequestError for an empty range."""
    options = options or SamplingOptions()
    row = find_schedule(schedule)
    low, high = (0.1, 10.0) if options.use_old_karras_scheduler_sigmas else (levels.sigma_min, levels.sigma_max)
    low, high = options.sigma_min or low, options.sigma_max or high
    if not 0 < low < high:
        raise RequestError("sigma_min", f"Sigma min {low:g} is not below sigma max {high:g}.",
                           remedy="Set both to 0 for the model's own range.")
    rho = options.rho or None if row.default_rho > 0 else None
    request = ScheduleRequest(steps=steps, sigma_min=low, sigma_max=high, levels=levels, rho=rho, is_sdxl=is_sdxl,
                              beta_alpha=options.beta_dist_alpha, beta_beta=options.beta_dist_beta)
    make = row.function or uniform_sigmas_of
    return make(request)


def _check_steps(sampler: Sampler, steps: int) -> None:
    if steps < sampler.least_steps:
        raise RequestError("steps", f"{sampler.name} needs at least {counted(sampler.least_steps)}, not {steps}.")


def counted(steps: int) -> str:
    """A number of steps in words."""
    return "1 step" if steps == 1 else f"{steps} steps"


def _last_unguided(guided: GuidedDenoiser) -> Tensor:
    assert guided.last is not None
    return guided.last.uncond
