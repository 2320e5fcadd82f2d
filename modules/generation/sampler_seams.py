"""How a sampling pass reaches the sampler object of its run where an extension has replaced a part of that object."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from modules.generation import guided_by_extensions as guidance
from modules.generation.guided_by_extensions import CFGDenoiser
from modules.sampling.passes import PassStart, SamplingHooks, StepReport


def callback_state(self: Any, d: dict[str, Any]) -> None:
    """Called after each step with x, i, sigma, sigma_hat, denoised; every sampler has it, until an extension puts its own there."""


def attach(p: Any, hooks: SamplingHooks) -> SamplingHooks:
    """Let the hooks of a pass of `p` reach its sampler object, as far as an extension has replaced anything of it."""
    sampler = p.sampler
    denoiser = getattr(sampler, "model_wrap_cfg", None)
    if denoiser is None:
        return hooks
    if guidance.replaced(denoiser, "combine_denoised", (CFGDenoiser,)):
        hooks.combine = guidance.combine_by(denoiser)
    hooks.on_start = partial(_started, denoiser, hooks.on_start)
    method = sampler.callback_state
    if getattr(method, "__func__", method) is not callback_state:
        hooks.on_step = partial(_stepped, sampler, hooks.on_step)
    return hooks


def _started(denoiser: CFGDenoiser, others: Callable[[PassStart], None] | None, start: PassStart) -> None:
    guidance.watch(start.guided, denoiser)
    if others:
        others(start)


def _stepped(sampler: Any, others: Callable[[StepReport], None] | None, step: StepReport) -> None:
    sampler.last_latent = step.denoised
    sampler.callback_state({"x": step.x, "i": step.i, "sigma": torch.tensor(step.sigma), "sigma_hat": torch.tensor(step.sigma_hat),
                            "denoised": step.denoised})
    if others:
        others(step)
