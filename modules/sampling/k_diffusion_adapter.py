"""Sampler functions written for k-diffusion, as samplers of ours: the way in for extensions that bring their own."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from modules.sampling.step import Denoiser, OnStep, Step, StepNoise, beside

KDiffusionFunction = Callable[..., Tensor]


def from_k_diffusion(function: KDiffusionFunction) -> Callable[..., Tensor]:
    """A sampler function of ours that runs `function(model, x, sigmas, extra_args=, callback=, disable=, ...)`.

    Functions with sigma_min, sigma_max and n instead of sigmas get the ends of the schedule and the number of steps. A `noise_sampler`
    argument gets our noise; options that the function does not know are left out. What the function reads from the levels it is given
    waits for the device: that is its own affair.
    """
    known = inspect.signature(function).parameters

    def sample(denoise: Denoiser, x: Tensor, sigmas: Tensor, *, noise: StepNoise, on_step: OnStep | None = None, **options: Any) -> Tensor:
        model = lambda x, sigma, **extra: denoise(x, sigma.detach().to("cpu", torch.float32))
        positive = sigmas[sigmas > 0]
        given = {"sigmas": beside(sigmas, x), "sigma_min": positive.min().item(), "sigma_max": positive.max().item(), "n": len(sigmas) - 1,
                 "noise_sampler": lambda level, next_level: noise(float(level), float(next_level)),
                 "extra_args": {}, "callback": _told(on_step), "disable": True, **options}
        return function(model, x, **{name: value for name, value in given.items() if name in known})

    return sample


def _told(on_step: OnStep | None) -> Callable[[dict[str, Any]], None] | None:
    """The callback of a k-diffusion function, which reports a dictionary."""
    if on_step is None:
        return None
    return lambda d: on_step(Step(int(d["i"]), float(d["sigma"]), d["x"], d["denoised"], float(d.get("sigma_hat", d["sigma"]))))
