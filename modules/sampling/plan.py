"""What a pass will cost, found by walking it with a network of nothing."""
from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from modules.prompt.conditioning import Conditioning, StepConditions
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import PassStart, SamplingHooks, sample_from_latent, sample_from_noise
from modules.sampling.registry import Sampler


def planned_evaluations(sampler: Sampler, schedule: str | None, steps: int, alphas_cumprod: Tensor,
                        options: SamplingOptions | None = None, *, denoising_strength: float | None = None, exact_steps: bool = False,
                        given_steps: int | None = None) -> int | None:
    """How often a pass asks for an estimate: from noise, or from a latent where a strength is given. A few milliseconds.

    Each one costs a network row per AND part and one for the negative prompt. None for the sampler that chooses its steps by error.
    Raises RequestError as the pass itself would.
    """
    if sampler.name == "DPM adaptive":
        return None
    starts: list[PassStart] = []
    model = _Nothing(alphas_cumprod)
    hooks = SamplingHooks(on_start=starts.append)
    # Without noise, so that no Brownian path is made for it; eta changes no count.
    quiet, plain = replace(sampler, brownian=False), replace(options or SamplingOptions(), eta=0.0, pad_cond_uncond=False)
    if denoising_strength is None:
        sample_from_noise(model, quiet, schedule, steps, _Silence(), _NoText(), 1.0, plain, hooks)
    else:
        sample_from_latent(model, quiet, schedule, steps, _Silence(), _NoText(), 1.0, plain, hooks, init_latent=_Silence().next(),
                           denoising_strength=denoising_strength, exact_steps=exact_steps, given_steps=given_steps)
    return starts[0].guided.calls if starts else 0


class _Nothing:
    """A network that predicts no noise."""

    parameterization = "eps"

    def __init__(self, alphas_cumprod: Tensor):
        self.alphas_cumprod = alphas_cumprod

    def apply_model(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        return torch.zeros_like(x)


class _NoText:
    """Conditions of one picture without content."""

    def at(self, step: int) -> StepConditions:
        empty = Conditioning(crossattn=torch.zeros(1, 1, 1))
        return StepConditions(cond=empty, uncond=empty, owners=(((0, 1.0),),))


class _Silence:
    """A noise source of one number per picture, always 1."""

    seeds = (0,)
    normal = None
    generator_device = torch.device("cpu")

    def first(self) -> Tensor:
        return torch.ones(1, 1, 1, 1)

    def next(self) -> Tensor:
        return torch.ones(1, 1, 1, 1)
