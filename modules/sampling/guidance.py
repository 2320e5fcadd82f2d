"""Classifier-free guidance: prompts in, one estimate out, in as few network calls as the texts allow."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from modules.prompt.conditioning import Conditioning, StepConditions, extended, stacked
from modules.sampling.denoiser import DiffusionModel, EpsPredictor, InnerDenoiser, VPredictor


class Conditions(Protocol):
    """What holds in which step; `BatchConditions` is one."""

    def at(self, step: int) -> StepConditions: ...


@dataclass(frozen=True, kw_only=True)
class GuidanceOptions:
    """How cond and uncond are put together.

    `s_min_uncond`: below this level (in the sampler's own scale) every second call leaves out the negative prompt.
    `skip_early_cond`: fraction of the first steps without negative prompt. `pad_cond_uncond`: lengthen the shorter text with
    `padding` [1, 77, C] (the empty prompt; without it, with its own last vector) instead of calling the network twice.
    `pad_cond_uncond_v0`: bring the negative prompt to the length of the prompt, by its last vector or by cutting it off.
    `image_cfg_scale`: second scale of instruction models. `scale_factor`: CFG++ divides the scale. `needs_uncond`: never left out.
    """

    s_min_uncond: float = 0.0
    skip_early_cond: float = 0.0
    batch_cond_uncond: bool = True
    pad_cond_uncond: bool = False
    pad_cond_uncond_v0: bool = False
    padding: Tensor | None = None
    image_cfg_scale: float | None = None
    scale_factor: float = 1.0
    needs_uncond: bool = False


@dataclass
class DenoiseCall:
    """What the network is about to be given; a hook may replace any of it.

    x [R + B, C, h, w] and level [R + B]: a row for each of the R AND parts, then one per picture for the negative prompt.
    """

    x: Tensor
    level: Tensor
    cond: Conditioning
    uncond: Conditioning
    image_cond: Tensor | None
    step: int
    steps: int
    denoiser: GuidedDenoiser


@dataclass
class NetworkOutput:
    """What the network answered, rows as in DenoiseCall: x0 for sigma samplers, eps for timestep samplers. A hook may replace `out`."""

    out: Tensor
    step: int
    steps: int
    denoiser: GuidedDenoiser


@dataclass
class GuidedOutput:
    """The combined estimate [B, C, h, w]. A hook may replace `x`."""

    x: Tensor
    step: int
    steps: int
    denoiser: GuidedDenoiser


@dataclass
class MaskBlend:
    """One blend of the kept picture into the current latent; a hook may replace `blended`. keep: 1 where the original stays."""

    current: Tensor
    original: Tensor
    keep: Tensor
    blended: Tensor
    level: Tensor | None
    denoiser: GuidedDenoiser | None


@dataclass(frozen=True)
class ModelSwitch:
    """Another network and its conditions, from this call on (refiner)."""

    model: DiffusionModel
    conditions: Conditions


@dataclass(kw_only=True)
class GuidanceHooks:
    """Seams of one network call, in order. `check` raises to cancel; `switch(step, steps)` may hand over to another model;
    `recall(call, ask)` may know what `ask()` would find out; `combine(out, conditions, scale)` replaces the formula of guidance."""

    check: Callable[[], None] | None = None
    switch: Callable[[int, int], ModelSwitch | None] | None = None
    before_denoise: Callable[[DenoiseCall], None] | None = None
    recall: Callable[[DenoiseCall, Callable[[], Tensor]], Tensor] | None = None
    after_denoise: Callable[[NetworkOutput], None] | None = None
    combine: Callable[[Tensor, StepConditions, float], Tensor] | None = None
    on_mask_blend: Callable[[MaskBlend], None] | None = None
    after_combine: Callable[[GuidedOutput], None] | None = None


@dataclass(kw_only=True)
class LatentMask:
    """Keeps `original` [B, C, h, w] where `keep` [B or 1, C or 1, h, w] is 1, wholly or (soft inpainting) in part.

    `on_input`: blend into what the network sees (timestep samplers) instead of into its answer.
    """

    original: Tensor
    keep: Tensor
    on_input: bool = False
    on_blend: Callable[[MaskBlend], None] | None = None

    def blend(self, current: Tensor, level: Tensor | None = None, denoiser: GuidedDenoiser | None = None) -> Tensor:
        """The current latent with the original put back."""
        event = MaskBlend(current, self.original, self.keep, current * (1 - self.keep) + self.original * self.keep, level, denoiser)
        if self.on_blend:
            self.on_blend(event)
        return event.blended


@dataclass(frozen=True, kw_only=True)
class LatestCall:
    """What the network saw and said last: x [B, C, h, w], level [B], answers for the first AND part and for the negative prompt."""

    x: Tensor
    level: Tensor
    cond: Tensor
    uncond: Tensor
    inner: InnerDenoiser

    def clean(self, out: Tensor) -> Tensor:
        """x0 for an answer, which is x0 already except for timestep samplers."""
        if not isinstance(self.inner, EpsPredictor | VPredictor):
            return out
        a = self.inner.levels.alphas_cumprod[self.level[0].long()].item()
        return (self.x - out * math.sqrt(1 - a)) / math.sqrt(a)


@dataclass(kw_only=True, eq=False)
class GuidedDenoiser:
    """D = U + sum of weight * cfg * (C - U) over the AND parts of each picture; called by samplers as a Denoiser or NoisePredictor.

    `calls` counts evaluations by the sampler, `network_calls` those of the network; `step` is calls // calls_per_step, so that both
    halves of a second-order step see the same prompt. `conditions_per_call` gives the prompt by call instead.
    """

    make_inner: Callable[[DiffusionModel], InnerDenoiser]
    model: DiffusionModel
    conditions: Conditions
    cfg_scale: float
    total_calls: int
    calls_per_step: int = 1
    conditions_per_call: bool = False
    options: GuidanceOptions = field(default_factory=GuidanceOptions)
    hooks: GuidanceHooks = field(default_factory=GuidanceHooks)
    image_cond: Tensor | None = None
    mask: LatentMask | None = None

    def __post_init__(self) -> None:
        self.inner = self.make_inner(self.model)
        self.calls = 0
        self.network_calls = 0
        self.padded_cond_uncond = False
        self.last: LatestCall | None = None
        self._prepared: tuple[object, StepConditions] | None = None

    @property
    def step(self) -> int:
        return self.calls // self.calls_per_step

    @property
    def steps(self) -> int:
        return self.total_calls // self.calls_per_step

    def __call__(self, x: Tensor, level: Tensor) -> Tensor:
        """x [B, C, h, w], level [B] on the CPU (sigma or timestep) -> the guided x0 or eps."""
        if self.hooks.check:
            self.hooks.check()
        self._switch_model()
        now = self._conditions_now(x)
        if self.mask and self.mask.on_input:
            x = self.mask.blend(x, level, self)
        call = DenoiseCall(*_rows(x, level, now.owners), now.cond, now.uncond, _image_rows(self.image_cond, now.owners),
                           self.step, self.steps, self)
        if self.hooks.before_denoise:
            self.hooks.before_denoise(call)
        skip = self._skips_uncond(level, now)
        ask = partial(self._evaluated, call, skip, len(x))
        out = self.hooks.recall(call, ask) if self.hooks.recall else ask()
        firsts = torch.cat([out[parts[0][0]:parts[0][0] + 1] for parts in now.owners])
        if skip:
            out = torch.cat([out, firsts])
        answer = NetworkOutput(out, self.step, self.steps, self)
        if self.hooks.after_denoise:
            self.hooks.after_denoise(answer)
        self.last = LatestCall(x=x, level=level, cond=firsts, uncond=answer.out[-len(x):], inner=self.inner)
        scale = 1.0 if skip else self.cfg_scale * self.options.scale_factor
        return self._finished(self._combined(answer.out, now, scale), level)

    def _finished(self, combined: Tensor, level: Tensor) -> Tensor:
        if self.mask and not self.mask.on_input:
            combined = self.mask.blend(combined, level, self)
        if self.hooks.after_combine:
            event = GuidedOutput(combined, self.step, self.steps, self)
            self.hooks.after_combine(event)
            combined = event.x
        self.calls += 1
        return combined

    def _switch_model(self) -> None:
        switch = self.hooks.switch(self.step, self.steps) if self.hooks.switch else None
        if switch:
            self.model, self.conditions = switch.model, switch.conditions
            self.inner = self.make_inner(self.model)
            self._prepared = None

    def _conditions_now(self, x: Tensor) -> StepConditions:
        """The conditions of this step beside x; the same object as long as no text changes, so nothing is copied again."""
        position = self.calls if self.conditions_per_call else self.step
        key = _identity(self.conditions, position)
        if self._prepared and key is not None and self._prepared[0] == key:
            return self._prepared[1]
        now = self.conditions.at(position)
        now = StepConditions(cond=now.cond.to(x.device), uncond=now.uncond.to(x.device), owners=now.owners)
        self._prepared = (key, now)
        return now

    @property
    def is_instruct(self) -> bool:
        """An instruction model with its second scale in use; at 1 the formula is plain guidance."""
        return self.options.image_cfg_scale not in (None, 1.0)

    def _skips_uncond(self, level: Tensor, now: StepConditions) -> bool:
        options = self.options
        if self.is_instruct or options.needs_uncond:
            return False
        if options.skip_early_cond and self.calls / self.total_calls <= options.skip_early_cond:
            return True
        if options.s_min_uncond > 0 and self.calls % 2 and level[0].item() < options.s_min_uncond:
            return True
        # At scale 1 the negative prompt cancels out, unless somebody looks at it.
        watched = self.hooks.after_denoise or self.hooks.combine or self.hooks.before_denoise
        return self.cfg_scale == 1 and not watched and all(sum(w for _, w in parts) == 1 for parts in now.owners)

    def _evaluated(self, call: DenoiseCall, skip: bool, pictures: int) -> Tensor:
        """The network's answers for all rows, in as few calls as the lengths of the texts and the batching option allow."""
        rows = len(call.x) - pictures if skip else len(call.x)
        x, level = call.x[:rows], call.level[:rows]
        image = None if call.image_cond is None else call.image_cond[:rows]
        cond, uncond = call.cond, call.uncond
        self.padded_cond_uncond = False
        if self.is_instruct:
            x, level = torch.cat([x, x[-pictures:]]), torch.cat([level, level[-pictures:]])
            image = None if image is None else torch.cat([image, torch.zeros_like(image[-pictures:])])
            uncond = stacked([uncond, uncond])
        lengths_differ = cond.crossattn.shape[1] != uncond.crossattn.shape[1]
        if lengths_differ and not skip and (self.options.pad_cond_uncond_v0 or self.options.pad_cond_uncond):
            if self.options.pad_cond_uncond_v0:
                uncond = _fitted(uncond, cond.crossattn.shape[1])
            else:
                cond, uncond = _padded(cond, uncond, self.options.padding)
            self.padded_cond_uncond, lengths_differ = True, False
        if skip:
            groups = [cond]
        elif lengths_differ:
            groups = [cond, uncond]
        else:
            groups = [_joined(cond, uncond)]
        size = max(len(group) for group in groups) if self.options.batch_cond_uncond else pictures
        out, start = [], 0
        for group in groups:
            for offset in range(0, len(group), size):
                part = group.rows(slice(offset, offset + size)) if len(group) > size else group
                here = slice(start, start + len(part))
                out.append(self._network(x[here], level[here], part if image is None else part.with_concat(image[here])))
                start += len(part)
        return out[0] if len(out) == 1 else torch.cat(out)

    def _network(self, x: Tensor, level: Tensor, cond: Conditioning) -> Tensor:
        if self.network_calls and self.hooks.check:
            self.hooks.check()
        self.network_calls += 1
        return self.inner(x, level, cond)

    def _combined(self, out: Tensor, now: StepConditions, scale: float) -> Tensor:
        if self.hooks.combine:
            return self.hooks.combine(out, now, scale)
        if self.is_instruct and self.options.image_cfg_scale is not None:
            cond, image_only, uncond = out.chunk(3)
            return uncond + (cond - image_only) * scale + (image_only - uncond) * self.options.image_cfg_scale
        return combined(out, now, scale)


def combined(out: Tensor, now: StepConditions, scale: float) -> Tensor:
    """U + sum of weight * scale * (C - U): out [R + B, ...] with a row for each AND part, then one per picture -> [B, ...]."""
    pictures = len(now.owners)
    uncond = out[-pictures:]
    if all(len(parts) == 1 for parts in now.owners):
        weights = {parts[0][1] for parts in now.owners}
        if len(weights) == 1:
            return uncond + (out[:pictures] - uncond) * (weights.pop() * scale)
    guided = uncond.clone()
    for i, parts in enumerate(now.owners):
        for row, weight in parts:
            guided[i] += (out[row] - uncond[i]) * (weight * scale)
    return guided


def _rows(x: Tensor, level: Tensor, owners: tuple[tuple[tuple[int, float], ...], ...]) -> tuple[Tensor, Tensor]:
    """x and level with one row for each AND part, then one per picture."""
    if all(len(parts) == 1 for parts in owners):
        return torch.cat([x, x]), torch.cat([level, level])
    repeated = [i for i, parts in enumerate(owners) for _ in parts]
    return torch.cat([*(x[i:i + 1] for i in repeated), x]), torch.cat([level[repeated], level])


def _image_rows(image: Tensor | None, owners: tuple[tuple[tuple[int, float], ...], ...]) -> Tensor | None:
    if image is None:
        return None
    image = image.expand(len(owners), -1, -1, -1)
    return torch.cat([*(image[i:i + 1] for i, parts in enumerate(owners) for _ in parts), image])


def _joined(cond: Conditioning, uncond: Conditioning) -> Conditioning:
    return stacked([cond, uncond])


def _padded(cond: Conditioning, uncond: Conditioning, padding: Tensor | None) -> tuple[Conditioning, Conditioning]:
    """Both texts at the length of the longer one."""
    length = max(cond.crossattn.shape[1], uncond.crossattn.shape[1])
    return _lengthened(cond, length, padding), _lengthened(uncond, length, padding)


def _fitted(cond: Conditioning, length: int) -> Conditioning:
    """A text cut off at, or lengthened to, a number of vectors."""
    return Conditioning(crossattn=extended(cond.crossattn[:, :length], length), vector=cond.vector, concat=cond.concat)


def _lengthened(cond: Conditioning, length: int, padding: Tensor | None) -> Conditioning:
    text = cond.crossattn
    if padding is None:
        text = extended(text, length)
    else:
        chunks = (length - text.shape[1]) // padding.shape[1]
        text = torch.cat([text, padding.to(text).repeat(len(text), chunks, 1)], dim=1)
    return Conditioning(crossattn=text, vector=cond.vector, concat=cond.concat)


def _identity(conditions: Conditions, position: int) -> tuple[int, ...] | None:
    """Which texts hold in this step, as something cheap to compare; None where the conditions are of another make."""
    positive, negative = getattr(conditions, "positive", None), getattr(conditions, "negative", None)
    if positive is None or negative is None:
        return None
    parts = [scheduled.at(position) for composed in positive for scheduled, _ in composed.parts]
    return tuple(id(part) for part in [*parts, *(scheduled.at(position) for scheduled in negative)])
