"""Text to image: noise to latent, steered by the prompts."""
from __future__ import annotations

from dataclasses import dataclass

import torch

from modules import runtime
from modules.generation.base import LATENT_CHANNELS, LATENT_PX, StableDiffusionProcessing
from modules.generation.noise import NoiseSource
from modules.generation.passes import pass_hooks, sampling_options
from modules.sampling.passes import sample_from_noise
from modules.sampling.registry import find_sampler


@dataclass
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """A request for pictures from text alone."""

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        self.sampler = find_sampler(self.sampler_name)

    def make_noise(self) -> NoiseSource:
        """The noise of the current batch: its start and what the sampler asks for later."""
        rt = runtime.current()
        opts = rt.settings
        return NoiseSource(
            (LATENT_CHANNELS, self.height // LATENT_PX, self.width // LATENT_PX), self.seeds, subseeds=self.subseeds,
            subseed_strength=self.subseed_strength, seed_resize_from=(self.seed_resize_from_w, self.seed_resize_from_h),
            source=opts.randn_source, eta_noise_seed_delta=opts.eta_noise_seed_delta, device=rt.hardware.device)

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> torch.Tensor:
        return sample_from_noise(
            self.sd_model, self.sampler, self.scheduler or "Automatic", self.steps, self.rng, self.conditions, self.cfg_scale,
            sampling_options(self), pass_hooks(self, self.steps))
