"""Image to image: pictures to latents, partly noised and denoised again; with a mask only where it says so."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules import runtime
from modules.errors import RequestError
from modules.generation import image_conditioning, inpaint, live_sampler
from modules.generation.base import LATENT_CHANNELS, LATENT_PX, StableDiffusionProcessing
from modules.generation.fields import MASK_MODES, MASKED_CONTENTS, RESIZE_MODES
from modules.generation.hires import encoded
from modules.generation.inpaint import InpaintMask, InpaintOptions, PlacedPicture
from modules.generation.inputs import flattened
from modules.generation.noise import NoiseSource
from modules.generation.passes import pass_hooks, sampling_options
from modules.generation.refiner import Refiner
from modules.generation.script_calls import call_scripts
from modules.imaging.color import setup_color_correction
from modules.prompt.conditioning import BatchConditions
from modules.sampling.passes import sample_from_latent, second_pass_steps

FILL, ORIGINAL, LATENT_NOISE, LATENT_NOTHING = range(len(MASKED_CONTENTS))


@dataclass
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    """A request for pictures that begin with pictures.

    init_images: PIL; one for all of a batch, or one each. mask: PIL, white or opaque = repaint; read and kept as `image_mask`.
    `latent_mask` (L, white = repaint) replaces it on the latents alone. The other fields are those of modules.generation.fields.
    After `init`, `nmask` and `mask` [4, h, w] are 1 where the latent is repainted and where it is kept.
    """

    init_images: list | None = None
    resize_mode: int = 0
    denoising_strength: float | None = 0.75
    image_cfg_scale: float | None = None
    mask: Any = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int | None = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    latent_mask: Image.Image | None = None
    force_task_id: str | None = None

    is_img2img = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.init_images = list(self.init_images or [])
        self.image_mask, self.mask = self.mask, None
        self.nmask: Tensor | None = None
        self.mask_for_overlay: Image.Image | None = None
        self.init_latent: Tensor | None = None
        self.image_conditioning: Tensor | None = None
        self.init_img_hash: str | None = None
        self.inputs: dict[str, Any] = {}
        self.proofs: dict[int, str] = {}
        self._placed: list[PlacedPicture] = []
        self._latents: Tensor | None = None
        self._conditioning: Tensor | None = None
        self._targets: list | None = None

    def init(self, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int]) -> None:
        self.sampler = live_sampler.sampler_for(self, self.sampler_name)
        kind = image_conditioning.kind_of(self.sd_model)
        self.is_using_inpainting_conditioning, self.follows_instructions = kind == "inpainting", kind == "instruct"
        if self.initial_noise_multiplier is None:
            self.initial_noise_multiplier = runtime.current().settings.initial_noise_multiplier
        with torch.inference_mode():
            self._prepare()
        self.extra_generation_params |= self._own_parameters()

    def _prepare(self) -> None:
        """Pictures and mask to latents, overlays and colour targets, one for each picture given."""
        opts = runtime.current().settings
        pictures = [flattened(picture, opts.img2img_background_color) for picture in self.init_images]
        self._check_number(pictures)
        options = self._inpaint_options(opts)
        mask = inpaint.prepared_mask(self.image_mask, pictures[0].size, options) if self.image_mask is not None else None
        if mask is not None:
            pictures = self._in_one_size(pictures, mask)
        latent_mask = (self.latent_mask or mask.work) if mask else None
        fill_mask = latent_mask if self.inpainting_fill != ORIGINAL else None
        self._placed = [inpaint.placed_picture(picture, mask, options, fill_mask) for picture in pictures]
        self.mask_for_overlay, self.paste_to = (mask.paste, mask.paste_to) if mask else (None, None)
        # A list that a script has put there is used as it is.
        if opts.img2img_color_correction and (self.color_corrections is None or self._targets is not None):
            self._targets = [setup_color_correction(placed.start) for placed in self._placed]
        self._encode(mask, latent_mask, opts.inpainting_mask_weight)

    def _in_one_size(self, pictures: list[Image.Image], mask: InpaintMask) -> list[Image.Image]:
        """The pictures of a batch as large as the first one where a part is cut out of each; says what was done to them and the mask."""
        if mask.note:
            self.comment(mask.note)
        size = pictures[0].size
        if mask.region is None or all(picture.size == size for picture in pictures):
            return pictures
        self.comment("The pictures have different sizes; all were brought to {}x{} pixels, since one mask is for all.".format(*size))
        return [picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]

    def _check_number(self, pictures: list[Image.Image]) -> None:
        if not pictures:
            raise RequestError("init_images", "There is no picture to begin with.", remedy="Choose or draw one.")
        if len(pictures) > 1:
            if len(pictures) > self.batch_size:
                raise RequestError("init_images", f"{len(pictures)} pictures do not fit into batches of {self.batch_size}.",
                                   remedy="Set the batch size to the number of pictures, or give one picture.")
            self.batch_size = len(pictures)

    def _inpaint_options(self, opts: Any) -> InpaintOptions:
        return InpaintOptions(
            size=(self.width, self.height), resize_mode=self.resize_mode, rounded=self.mask_round,
            is_inverted=bool(self.inpainting_mask_invert), blur_x=self.mask_blur_x, blur_y=self.mask_blur_y,
            only_masked=self.inpaint_full_res, padding=self.inpaint_full_res_padding,
            upscale=inpaint.upscaler_of(opts.upscaler_for_img2img))

    def _encode(self, mask: InpaintMask | None, latent_mask: Image.Image | None, weight: float) -> None:
        check = runtime.current().state.check
        size = (self.height // LATENT_PX, self.width // LATENT_PX)
        latents, conditionings = [], []
        for placed in self._placed:
            check()
            latents.append(image_conditioning.fitted(encoded(self.sd_model, placed.start), size))
            if image_conditioning.kind_of(self.sd_model):
                check()
                hole = self._hole(mask, placed.start.size)
                conditionings.append(image_conditioning.of_picture(
                    self.sd_model, _pixels(placed.start), size, hole, weight, self.depth_map))
        self._latents = torch.cat(latents)
        self._conditioning = torch.cat(conditionings) if conditionings else None
        if latent_mask is not None:
            levels = np.asarray(latent_mask.convert("L").resize(size[::-1], Image.Resampling.BICUBIC), dtype=np.float32) / 255
            repaint = torch.from_numpy(np.around(levels) if self.mask_round else levels).to(self._latents.device)
            self.nmask = repaint.expand(LATENT_CHANNELS, -1, -1)
            self.mask = 1 - self.nmask
        else:
            self.nmask = self.mask = None
        self._take_rows([i % len(self._placed) for i in range(self.batch_size)])

    def _hole(self, mask: InpaintMask | None, size: tuple[int, int]) -> Tensor | None:
        """[1, 1, H, W], 1 where an inpainting model's picture has its hole; None for everywhere."""
        if mask is None:
            return None
        work = mask.work if mask.work.size == size else mask.work.resize(size, Image.Resampling.BILINEAR)
        hole = torch.from_numpy(np.asarray(work, dtype=np.float32) / 255)[None, None]
        return hole.round() if self.mask_round else hole

    def _take_rows(self, rows: list[int]) -> None:
        """Make the pictures given at `rows` those of the batch."""
        self.init_latent = self._latents[rows]
        self.image_conditioning = None if self._conditioning is None else self._conditioning[rows]
        if self.mask_for_overlay is not None:
            self.overlay_images = [self._placed[row].overlay for row in rows]
        if self._targets is not None:
            self.color_corrections = [self._targets[row] for row in rows]

    def take_batch(self, iteration: int) -> list[int]:
        indices = super().take_batch(iteration)
        if self._placed:
            self._take_rows([self.row_of(index) for index in indices])
        return indices

    def row_of(self, index: int) -> int:
        """Which of the pictures given belongs to picture `index` of the run."""
        return index % self.batch_size % len(self._placed)

    def placed(self, index: int) -> PlacedPicture | None:
        """The picture that number `index` begins with, as it was made ready; None before `init`."""
        return self._placed[self.row_of(index)] if self._placed else None

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> Tensor:
        if self.nmask is not None and self.inpainting_fill in (LATENT_NOISE, LATENT_NOTHING):
            hidden = self._seed_noise() if self.inpainting_fill == LATENT_NOISE else 0.0
            self.init_latent = self.init_latent * self.mask + hidden * self.nmask
        noise = self.rng.first()
        if self.initial_noise_multiplier != 1:
            noise = noise * self.initial_noise_multiplier
        self.sampler = live_sampler.sampler_for(self, self.sampler_name)
        call_scripts(self, "process_before_every_sampling", x=self.init_latent, noise=noise, c=conditioning, uc=unconditional_conditioning)
        return self.sample_from(noise, conditioning, unconditional_conditioning)

    def sample_from(self, noise: Tensor, conditioning: Any, unconditional_conditioning: Any) -> Tensor:
        """The latents [B, 4, h, w] of one batch that begins with `init_latent` under unit noise [B, 4, h, w]."""
        opts = runtime.current().settings
        plan = second_pass_steps(self.steps, self.denoising_strength, exact_steps=opts.img2img_fix_steps)
        return sample_from_latent(
            self.sd_model, live_sampler.row_of(self.sampler), self.scheduler or "Automatic", self.steps, self.rng,
            BatchConditions(positive=conditioning, negative=unconditional_conditioning), self.cfg_scale,
            replace(sampling_options(self), image_cfg_scale=self.image_cfg_scale),
            pass_hooks(self, plan.encode_steps + 1, Refiner.of(self)),
            init_latent=self.init_latent, denoising_strength=self.denoising_strength, exact_steps=opts.img2img_fix_steps,
            mask=None if self.nmask is None else self.nmask[None], image_cond=self.image_conditioning, start=noise)

    def _seed_noise(self) -> Tensor:
        """Unit noise of the seeds alone, without variation."""
        rt = runtime.current()
        return NoiseSource(self.init_latent.shape[1:], self.seeds, source=rt.settings.randn_source, device=rt.hardware.device).first()

    def _own_parameters(self) -> dict[str, Any]:
        """Infotext keys of what the request says beside the common fields; None for what is as usual."""
        is_masked, only_masked = self.image_mask is not None, self.paste_to is not None
        return {
            "Mask mode": MASK_MODES[1] if is_masked and self.inpainting_mask_invert else None,
            "Mask blur": max(self.mask_blur_x, self.mask_blur_y) or None if is_masked else None,
            "Inpaint area": "Only masked" if only_masked else None,
            "Masked area padding": self.inpaint_full_res_padding if only_masked else None,
            "Masked content": MASKED_CONTENTS[self.inpainting_fill] if is_masked and self.inpainting_fill != ORIGINAL else None,
            "Resize mode": RESIZE_MODES[self.resize_mode] if self.resize_mode and not only_masked else None,
        }

    def beginnings(self) -> dict[str, Any]:
        """Names of kept pictures under init_images, mask and latent_mask, and under `fields` values that infotexts do not tell."""
        if not self.inputs:
            return {}
        names = [self.inputs["init_images"][self.row_of(index)] for index in self.indices]
        facts = {**self.inputs, "init_images": names if len(set(names)) > 1 else names[:1]}
        if self.image_mask is not None:
            facts["fields"] = {name: getattr(self, name) for name in ("mask_blur_x", "mask_blur_y", "mask_round", "inpaint_full_res")}
        return facts

    def close(self) -> None:
        super().close()
        self.init_latent = self.image_conditioning = self._latents = self._conditioning = None


def _pixels(picture: Image.Image) -> Tensor:
    """[1, 3, H, W] in 0..1 of an RGB picture."""
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255.0).movedim(2, 0)[None]


def _mask_blur(self: StableDiffusionProcessingImg2Img) -> int | None:
    """The blur of both axes, None where they differ."""
    return self.mask_blur_x if self.mask_blur_x == self.mask_blur_y else None


def _set_mask_blur(self: StableDiffusionProcessingImg2Img, blur: int | None) -> None:
    if blur is not None:
        self.mask_blur_x = self.mask_blur_y = int(blur)


# A field of the request and a view of two others at once, which a dataclass cannot declare.
StableDiffusionProcessingImg2Img.mask_blur = property(_mask_blur, _set_mask_blur)  # type: ignore[assignment]
