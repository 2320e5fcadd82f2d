"""The noise from which a picture would have come: the sampler's path walked backwards."""
from dataclasses import dataclass

import torch

from modules import shared
from modules.generation.conditions import setup_conditions
from modules.sampling.denoiser import inner_denoiser
from modules.sampling.schedules import uniform_sigmas
from scripts.parts.results import own_copy


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """How a picture is walked back: prompts, steps, scale of guidance, and the way noise levels are counted."""

    prompt: str
    negative_prompt: str
    steps: int
    cfg_scale: float
    sigma_adjustment: bool = False


def reversed_noise(p, latent, wish, levels):
    """Noise [B, 4, h, w] of about unit size that leads back to `latent` under the prompts of `wish`, by as many Euler steps upwards."""
    sigmas = rising_sigmas(levels, wish.steps)
    denoise = guided(p, latent, wish, levels)
    x = latent
    shared.state.sampling_steps = wish.steps
    for step in range(1, len(sigmas)):
        shared.state.check()
        before, here = sigmas[step - 1], sigmas[step]
        level = before if wish.sigma_adjustment else here
        if level > 0:  # without any noise the estimate is x itself, so that the first step leads nowhere
            x = x + (x - denoise(x, level)) / level * (here - before)
        shared.state.step_done(x)
    return x / sigmas[-1] if wish.sigma_adjustment else x / x.std()


def rising_sigmas(levels, steps):
    """0 and then `steps` of the model's own levels, evenly spaced in time, rising to the highest."""
    return uniform_sigmas(steps, levels).flip(0).tolist()


def guided(p, latent, wish, levels):
    """(x, sigma) -> x0 under the prompts of `wish`, prompt and negative prompt in one call."""
    asked = own_copy(p)
    asked.prompts, asked.negative_prompts = [wish.prompt] * len(latent), [wish.negative_prompt] * len(latent)
    setup_conditions(asked, wish.steps)
    conditions = asked.conditions.at(0)
    inner = inner_denoiser(p.sd_model, levels, "sigma")

    def denoise(x, sigma):
        level = torch.full((len(x),), sigma)
        uncond = inner(x, level, conditions.uncond.with_concat(p.image_conditioning))
        if wish.cfg_scale == 0:
            return uncond
        cond = inner(x, level, conditions.cond.with_concat(p.image_conditioning))
        return uncond + (cond - uncond) * wish.cfg_scale
    return denoise
