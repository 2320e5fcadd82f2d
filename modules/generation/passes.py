"""What a sampling pass of a processing is given: its options, and the hooks that watch and cancel it."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from modules import runtime
from modules.generation.base import StableDiffusionProcessing
from modules.generation.conditions import empty_prompt
from modules.generation.sampler_seams import attach
from modules.generation.sampling_callbacks import listeners
from modules.sampling.guidance import ModelSwitch
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import SamplingHooks, StepReport

# Parameters that a request may set for itself; None there means the setting of the same name.
OF_THE_REQUEST = ("eta", "s_churn", "s_tmin", "s_tmax", "s_noise", "s_min_uncond")
# Settings whose name differs from that of the sampling option.
NAMES = {"conditions_per_call": "dont_fix_second_order_samplers_schedule"}


def effective(p: StableDiffusionProcessing, name: str) -> Any:
    """The value that holds for this run: the request's own, else the setting's. Raises AttributeError where there is neither."""
    own = getattr(p, name, None) if name in OF_THE_REQUEST else None
    return own if own is not None else getattr(runtime.current().settings, NAMES.get(name, name))


def sampling_options(p: StableDiffusionProcessing) -> SamplingOptions:
    """All user parameters of sampling as they hold for this run."""
    known = runtime.current().settings.data_labels
    named = {field.name: effective(p, field.name) for field in fields(SamplingOptions) if NAMES.get(field.name, field.name) in known}
    if named["pad_cond_uncond"]:
        named["padding"] = empty_prompt(p)
    return SamplingOptions(**named | {name: getattr(p, name) for name in OF_THE_REQUEST if getattr(p, name) is not None})


def pass_hooks(p: StableDiffusionProcessing, steps: int, refiner: Callable[[int, int], ModelSwitch | None] | None = None) -> SamplingHooks:
    """Progress, previews and cancellation of one pass of `steps` steps, extensions' callbacks, and what hands over to a refiner.

    The last step stays in `p.last_step`.
    """
    state = runtime.current().state
    subject = runtime.current().settings.live_preview_content
    state.sampling_steps, state.sampling_step = steps, 0
    p.last_step = None

    recall = p.shared_passes.recall_of(p) if p.shared_passes and not p.is_hr_pass else None

    def on_step(step: StepReport) -> None:
        p.last_step = step
        state.step_done(step.estimate(subject) if state.previewer is not None else None)

    return attach(p, SamplingHooks(on_step=on_step, check=state.check, switch=refiner, recall=recall, **listeners(p)))
