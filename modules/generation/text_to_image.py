"""Text to image: noise to latent, steered by the prompts, and the second pass of hires fix."""
from __future__ import annotations

import copy
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from modules import extra_networks, runtime
from modules.checkpoints.files import CheckpointInfo
from modules.errors import UserError
from modules.generation import hires, image_conditioning, live_sampler
from modules.generation.base import LATENT_PX, StableDiffusionProcessing
from modules.generation.conditions import setup_conditions
from modules.generation.decode import as_picture, decoded
from modules.generation.describe import create_infotext, named_with_hash
from modules.generation.effects import apply_effects
from modules.generation.hires import HiresSize
from modules.generation.networks import activated_too
from modules.generation.outputs import Destination, samples_folder, save
from modules.generation.passes import pass_hooks, sampling_options
from modules.generation.refiner import Refiner
from modules.generation.script_calls import call_scripts
from modules.imaging.open_picture import open_picture
from modules.imaging.resize import ResizeMode, resize_image
from modules.prompt.conditioning import BatchConditions
from modules.sampling.passes import sample_from_latent, sample_from_noise

FIRST_PICTURE = "First pass picture"
SAME_SAMPLER, SAME_SCHEDULE, SAME_CHECKPOINT = "Use same sampler", "Use same scheduler", "Use same checkpoint"


def hires_prompt(*, p: StableDiffusionProcessingTxt2Img, index: int, prompt_text: str, **_: Any) -> str | None:
    """What the infotext of a picture says of its second pass's prompt; None where it is the first's."""
    text = p.all_hr_prompts[index] if index < len(p.all_hr_prompts) else prompt_text
    return text if text not in (prompt_text, p.all_prompts[index]) else None


def hires_negative_prompt(*, p: StableDiffusionProcessingTxt2Img, index: int, negative_prompt_text: str, **_: Any) -> str | None:
    """The same for the negative prompt."""
    text = p.all_hr_negative_prompts[index] if index < len(p.all_hr_negative_prompts) else negative_prompt_text
    return text if text != negative_prompt_text else None


@dataclass
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    """A request for pictures from text alone; the `hr_` fields describe the second pass, made when `enable_hr` is set."""

    enable_hr: bool = False
    denoising_strength: float | None = 0.75
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str = ""
    hr_negative_prompt: str = ""
    hr_cfg: float | None = None
    firstpass_image: str = ""  # path of a picture that takes the place of the first pass's result

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hires_size: HiresSize | None = None
        self._old_sizes_taken_over: tuple[int, int] | None = None
        self.hr_upscale_to_x = self.hr_upscale_to_y = 0
        self.all_hr_prompts: list[str] = []
        self.all_hr_negative_prompts: list[str] = []
        self.hr_prompts: list[str] = []
        self.hr_c: tuple = ()
        self.hr_uc: tuple = ()
        self.hr_negative_prompts: list[str] = []
        if not self.enable_hr:
            self.denoising_strength = None

    def fill_lists(self) -> None:
        super().fill_lists()
        count = len(self.all_prompts)
        self.all_hr_prompts = self.styled([self.hr_prompt] * count) if self.hr_prompt else list(self.all_prompts)
        self.all_hr_negative_prompts = (self.styled([self.hr_negative_prompt] * count, is_negative=True) if self.hr_negative_prompt
                                        else list(self.all_negative_prompts))
        self._filled = (tuple(self.all_hr_prompts), tuple(self.all_hr_negative_prompts))

    def settle_lists(self) -> None:
        super().settle_lists()
        prompts, negatives = self._filled
        # A second pass without a prompt of its own follows what scripts have made of the first one's.
        if not self.hr_prompt and tuple(self.all_hr_prompts) == prompts:
            self.all_hr_prompts = list(self.all_prompts)
        if not self.hr_negative_prompt and tuple(self.all_hr_negative_prompts) == negatives:
            self.all_hr_negative_prompts = list(self.all_negative_prompts)
        for texts in (self.all_hr_prompts, self.all_hr_negative_prompts):
            texts += texts[-1:] * (len(self.all_prompts) - len(texts))

    def take_batch(self, iteration: int) -> list[int]:
        indices = super().take_batch(iteration)
        self.hr_prompts = [self.all_hr_prompts[i] for i in indices]
        self.hr_negative_prompts = [self.all_hr_negative_prompts[i] for i in indices]
        return indices

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        self.sampler = live_sampler.sampler_for(self, self.sampler_name)
        self.is_using_inpainting_conditioning = image_conditioning.kind_of(self.sd_model) == "inpainting"
        if self.enable_hr:
            self._take_over_old_sizes()
            self._plan_second_pass()

    def _take_over_old_sizes(self) -> None:
        """Requests in the first form of hires fix: `width` and `height` are those of the second pass. Done once."""
        sizes = (self.width, self.height)
        if self.firstphase_width or self.firstphase_height:
            first = (self.firstphase_width or self.width, self.firstphase_height or self.height)
            self.firstphase_width = self.firstphase_height = 0
        elif runtime.current().settings.use_old_hires_fix_width_height and self._old_sizes_taken_over != sizes:
            first = hires.old_first_pass(*sizes)
        else:
            return
        self.hr_resize_x, self.hr_resize_y = sizes
        self.width, self.height = self._old_sizes_taken_over = first

    def _plan_second_pass(self) -> None:
        state = runtime.current().state
        self.hr_upscaler = self.hr_upscaler or hires.DEFAULT_UPSCALER
        self.hires_size = hires.hires_size(self.width, self.height, scale=self.hr_scale,
                                             resize_x=self.hr_resize_x, resize_y=self.hr_resize_y)
        self.hr_upscale_to_x, self.hr_upscale_to_y = self.hires_size.width, self.hires_size.height
        self.extra_generation_params |= self._hires_parameters()
        if not state.processing_has_refined_job_count:
            state.job_count = (self.n_iter if state.job_count == -1 else state.job_count) * 2
            state.processing_has_refined_job_count = True

    def _hires_parameters(self) -> dict[str, Any]:
        resized = self.hr_resize_x or self.hr_resize_y
        other = lambda value, same: value if value and value != same else None
        checkpoint = self._hires_checkpoint()
        return {
            "Hires checkpoint": named_with_hash(checkpoint) if checkpoint else None,
            "Hires sampler": other(self.hr_sampler_name, SAME_SAMPLER),
            "Hires schedule type": other(self.hr_scheduler, SAME_SCHEDULE),
            "Hires prompt": hires_prompt,
            "Hires negative prompt": hires_negative_prompt,
            "Hires CFG Scale": other(self.hr_cfg, self.cfg_scale),
            "Hires upscale": None if resized else self.hr_scale,
            "Hires resize": f"{self.hr_resize_x}x{self.hr_resize_y}" if resized else None,
            "Hires steps": self.hr_second_pass_steps or None,
            "Hires upscaler": self.hr_upscaler,
            FIRST_PICTURE: Path(self.firstpass_image).name if self.firstpass_image else None,
        }

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> Tensor:
        if self.firstpass_image and self.enable_hr:
            runtime.current().state.nextjob()
            return self.sample_hr_pass(None)
        make = partial(self._first_samples, conditioning, unconditional_conditioning)
        samples = self.shared_passes.latents(self, make) if self.shared_passes else make()
        if not self.enable_hr:
            return samples
        runtime.current().state.nextjob()
        return self.sample_hr_pass(samples)

    def _first_samples(self, conditioning, unconditional_conditioning) -> Tensor:
        """The latents [B, 4, h, w] of the first pass."""
        conditions = BatchConditions(positive=conditioning, negative=unconditional_conditioning)
        noise = self.rng.first()
        self.sampler = live_sampler.sampler_for(self, self.sampler_name)
        call_scripts(self, "process_before_every_sampling", x=noise, noise=noise, c=conditioning, uc=unconditional_conditioning)
        return sample_from_noise(
            self.sd_model, live_sampler.row_of(self.sampler), self.scheduler or "Automatic", self.steps, self.rng, conditions,
            self.cfg_scale, sampling_options(self), pass_hooks(self, self.steps, Refiner.of(self)), start=noise,
            image_cond=image_conditioning.without_picture(self.sd_model, self.width, self.height, self.depth_map))

    def sample_hr_pass(self, samples: Tensor | None) -> Tensor:
        """The second pass over the first pass's latents [B, 4, h, w], or where None over `firstpass_image`.

        Strength 0 only brings them to its size.
        """
        size = self.hires_size
        if samples is not None:
            self._save_first_pass(samples)
        self.is_hr_pass = True
        try:
            larger = hires.cropped(self._brought_to(size, samples), size)
            return self._sampled_again(larger) if self.denoising_strength else larger
        finally:
            self.is_hr_pass = False

    def _save_first_pass(self, samples: Tensor) -> None:
        """A copy of each picture as the first pass made it, where the settings ask for it; the job does not count them."""
        if not runtime.current().settings.save_images_before_highres_fix or self.do_not_save_samples:
            return
        for index, latent in zip(self.indices, samples, strict=True):
            picture = as_picture(decoded(self.sd_model, latent[None])[0])
            text = create_infotext(self, self.all_prompts, self.all_seeds, self.all_subseeds, index=index, is_result=False)
            save(self, picture, index, text, Destination(folder=samples_folder(self), keep=True, suffix="-before-highres-fix"))

    def _hires_checkpoint(self) -> CheckpointInfo | None:
        """The checkpoint of the second pass where it has one of its own. Raises NotFound."""
        name = self.hr_checkpoint_name
        return runtime.current().chosen_checkpoint(name) if name and name != SAME_CHECKPOINT else None

    def _brought_to(self, size: HiresSize, samples: Tensor | None) -> Tensor:
        """The latents [B, 4, h', w'] that the second pass begins with, or with `samples` None those of the given picture."""
        if self.hr_upscaler in hires.LATENT_UPSCALERS:
            return hires.upscaled_latent(self._encoded(self._first_picture()) if samples is None else samples, size, self.hr_upscaler)
        upscaler = runtime.current().upscalers.find(self.hr_upscaler)
        resize = lambda picture, width, height: resize_image(ResizeMode.STRETCH, picture, width, height, upscaler)
        if samples is None:
            return self._encoded(resize(self._first_picture(), *hires.whole_latents(size)))
        return hires.upscaled_pictures(self.sd_model, samples, size, resize, runtime.current().state.check)

    def _encoded(self, picture: Image.Image) -> Tensor:
        """The latents [B, 4, h, w] of a batch in which every picture begins with this one."""
        return hires.encoded(self.sd_model, picture).repeat(len(self.prompts), 1, 1, 1)

    def _first_picture(self) -> Image.Image:
        """The given picture as RGB at the size of the first pass. Raises UserError when its file cannot be read."""
        path = Path(self.firstpass_image)
        try:
            picture = open_picture(path.read_bytes()).image.convert("RGB")
        except OSError as error:
            raise UserError(f"The picture {path.name} cannot be read.", f"{error.strerror or error}.") from error
        size = (self.width, self.height)
        return picture if picture.size == size else resize_image(ResizeMode.STRETCH, picture, *size)

    def _sampled_again(self, latents: Tensor) -> Tensor:
        steps = self.hr_second_pass_steps or self.steps
        second = copy.copy(self)  # prompts and conditions of its own; what the first pass was stays as it is
        second.prompts = self._texts_of_second_pass(self.hr_prompts, self.all_prompts, self.prompts)
        second.negative_prompts = self._texts_of_second_pass(self.hr_negative_prompts, self.all_negative_prompts, self.negative_prompts)
        with ExitStack() as scope:
            if runtime.current().settings.hires_fix_use_firstpass_conds:
                setup_conditions(second, self.steps, hires_steps=steps)
                self._change_networks(second, scope)
            else:
                self._change_networks(second, scope)
                setup_conditions(second, self.steps, hires_steps=steps)
            self.hr_c, self.hr_uc = second.c, second.uc
            samples = self._second_samples(second, latents, steps)
        self.sd_model, self.last_step = second.sd_model, second.last_step
        return samples

    def _change_networks(self, second: StableDiffusionProcessingTxt2Img, scope: ExitStack) -> None:
        """Checkpoint, extra networks and effects of the second pass."""
        checkpoint = self._hires_checkpoint()
        if checkpoint is not None:
            second.sd_model = self.sd_model = runtime.current().models.ensure(checkpoint)
            self.extra_generation_params["Hires checkpoint"] = named_with_hash(second.sd_model.checkpoint)  # the hash is known by now
        if self.hr_prompt and not self.disable_extra_networks:
            second.extra_network_data = extra_networks.parse_prompts(self.hr_prompts)[1]
        if checkpoint is not None or second.extra_network_data != self.extra_network_data:
            scope.enter_context(activated_too(second, second.extra_network_data))
        apply_effects(second)

    def _second_samples(self, second: StableDiffusionProcessingTxt2Img, latents: Tensor, steps: int) -> Tensor:
        name = self.hr_sampler_name if self.hr_sampler_name and self.hr_sampler_name != SAME_SAMPLER else self.sampler_name
        schedule = self.hr_scheduler if self.hr_scheduler and self.hr_scheduler != SAME_SCHEDULE else self.scheduler
        high, wide = latents.shape[-2:]
        source = self.make_noise(wide * LATENT_PX, high * LATENT_PX)
        noise = source.first()
        first = self.sampler
        self.sampler = second.sampler = live_sampler.sampler_for(self, name)
        call_scripts(self, "before_hr")
        call_scripts(self, "process_before_every_sampling", x=latents, noise=noise, c=self.hr_c, uc=self.hr_uc)
        second.c, second.uc, second.sampler = self.hr_c, self.hr_uc, self.sampler
        self.sampler = first  # the one that infotexts name
        return sample_from_latent(
            self.sd_model, live_sampler.row_of(second.sampler), schedule or "Automatic", self.steps, source, second.conditions,
            self.hr_cfg or self.cfg_scale, sampling_options(self), pass_hooks(second, steps, Refiner.of(second)),
            init_latent=latents, denoising_strength=self.denoising_strength, given_steps=steps, start=noise,
            image_cond=image_conditioning.without_picture(
                self.sd_model, wide * LATENT_PX, high * LATENT_PX, self.depth_map))

    def _texts_of_second_pass(self, own: list[str], whole: list[str], first: list[str]) -> list[str]:
        """The texts of the batch without network tags: those of the first pass, as scripts left them, where there are no others."""
        stripped, _ = extra_networks.parse_prompts(own)
        return [text if other != whole[i] else same
                for text, other, i, same in zip(stripped, own, self.indices, first, strict=True)]
