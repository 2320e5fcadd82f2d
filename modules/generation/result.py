"""What a run gives back: pictures, their infotexts, and the numbers that made them."""
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modules.version import version_text

if TYPE_CHECKING:
    from PIL.Image import Image

    from modules.generation.base import StableDiffusionProcessing


class Processed:
    """The result of process_images; scripts and extensions build and change it too."""

    def __init__(self, p: StableDiffusionProcessing, images_list: list[Image], seed: int = -1, info: str = "",
                 subseed: int | None = None, all_prompts: list[str] | None = None, all_negative_prompts: list[str] | None = None,
                 all_seeds: list[int] | None = None, all_subseeds: list[int] | None = None, index_of_first_image: int = 0,
                 infotexts: list[str] | None = None, comments: str = ""):
        self.images = images_list
        self.prompt = p.prompt if isinstance(p.prompt, str) else p.prompt[0]
        self.negative_prompt = p.negative_prompt if isinstance(p.negative_prompt, str) else p.negative_prompt[0]
        self.seed = seed if seed != -1 else p.seed
        self.subseed = p.subseed if subseed is None else subseed
        self.subseed_strength = p.subseed_strength
        self.info = info
        self.comments = comments
        self.width, self.height = p.width, p.height
        self.sampler_name = p.sampler_name
        self.scheduler = p.scheduler
        self.cfg_scale = p.cfg_scale
        self.steps = p.steps
        self.batch_size = p.batch_size
        self.restore_faces = bool(p.restore_faces)
        self.face_restoration_model = getattr(p, "face_restorer", None)
        self.seed_resize_from_w, self.seed_resize_from_h = p.seed_resize_from_w, p.seed_resize_from_h
        self.denoising_strength = p.denoising_strength
        self.extra_generation_params = p.extra_generation_params or {}
        self.index_of_first_image = index_of_first_image
        self.styles = p.styles
        self.job_timestamp = getattr(p, "job_timestamp", "")
        self.clip_skip = getattr(p, "clip_skip", 1)
        checkpoint = getattr(p, "checkpoint", None)
        self.sd_model_name = getattr(checkpoint, "model_name", None)
        self.sd_model_hash = getattr(checkpoint, "short_hash", None)
        self.all_prompts = all_prompts or p.all_prompts or [self.prompt]
        self.all_negative_prompts = all_negative_prompts or p.all_negative_prompts or [self.negative_prompt]
        self.all_seeds = all_seeds or p.all_seeds or [self.seed]
        self.all_subseeds = all_subseeds or p.all_subseeds or [self.subseed]
        self.is_using_inpainting_conditioning = getattr(p, "is_using_inpainting_conditioning", False)
        self.infotexts = infotexts or [info] * len(images_list)
        self.extra_images: list[Image] = []
        self.interrupted = False

    def infotext(self, p: StableDiffusionProcessing, index: int) -> str:
        """The infotext of picture `index`."""
        if index < len(self.infotexts):
            return self.infotexts[index]
        from modules.generation.describe import create_infotext

        return create_infotext(p, self.all_prompts, self.all_seeds, self.all_subseeds, index=min(index, len(self.all_prompts) - 1))

    def fields(self) -> dict[str, Any]:
        """The numbers of the run under the names that API clients know."""
        return {
            "prompt": self.all_prompts[0], "all_prompts": self.all_prompts,
            "negative_prompt": self.all_negative_prompts[0], "all_negative_prompts": self.all_negative_prompts,
            "seed": self.seed, "all_seeds": self.all_seeds, "subseed": self.subseed, "all_subseeds": self.all_subseeds,
            "subseed_strength": self.subseed_strength, "width": self.width, "height": self.height,
            "sampler_name": self.sampler_name, "scheduler": self.scheduler, "cfg_scale": self.cfg_scale, "steps": self.steps,
            "batch_size": self.batch_size, "restore_faces": self.restore_faces, "face_restoration_model": self.face_restoration_model,
            "sd_model_name": self.sd_model_name, "sd_model_hash": self.sd_model_hash, "sd_vae_name": None, "sd_vae_hash": None,
            "seed_resize_from_w": self.seed_resize_from_w, "seed_resize_from_h": self.seed_resize_from_h,
            "denoising_strength": self.denoising_strength,
            "extra_generation_params": {key: value for key, value in self.extra_generation_params.items() if not callable(value)},
            "index_of_first_image": self.index_of_first_image, "infotexts": self.infotexts, "styles": self.styles,
            "job_timestamp": self.job_timestamp, "clip_skip": self.clip_skip,
            "is_using_inpainting_conditioning": self.is_using_inpainting_conditioning,
            "version": version_text(),
        }

    def js(self) -> str:
        """`fields()` as JSON."""
        return json.dumps(self.fields(), default=str)
