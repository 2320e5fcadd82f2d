"""Inpainting around the network: which part of a picture it is given, how its result is put back, and the proof about the rest."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

from modules import runtime
from modules.imaging.masks import OPAQUE, Box, blurred, crop_region, doubled, expanded_region, filled, inverted, kept_part, mask_of
from modules.imaging.resize import ResizeMode, Upscale, resize_image

LATENT_UPSCALE = 3  # the resize mode that resizes the latent instead of the picture
EMPTY_MASK = "The mask is empty, so nothing is repainted."


@dataclass(frozen=True, kw_only=True)
class InpaintOptions:
    """What a request says of its mask. size: width and height in px that the network works at."""

    size: tuple[int, int]
    resize_mode: int = 0
    rounded: bool = True
    is_inverted: bool = False
    blur_x: float = 0
    blur_y: float = 0
    only_masked: bool = False
    padding: int = 0
    upscale: Upscale | None = None


@dataclass(frozen=True, kw_only=True)
class InpaintMask:
    """A mask made ready, both L with 255 = repaint: `work` at the network's size, `paste` where the result is put back.

    region: the part of the picture that the network is given, None for all of it. note: what a person should know.
    """

    work: Image.Image
    paste: Image.Image
    region: Box | None
    note: str = ""

    @property
    def paste_to(self) -> tuple[int, int, int, int] | None:
        """x, y, width, height of the region."""
        if self.region is None:
            return None
        left, top, right, bottom = self.region
        return left, top, right - left, bottom - top


@dataclass(frozen=True, kw_only=True)
class PlacedPicture:
    """A picture of a request: `start` as the network is given it, `placed` as it is put back into, both RGB.

    overlay: RGBA, what of `placed` covers the result; None without a mask.
    """

    start: Image.Image
    placed: Image.Image
    overlay: Image.Image | None = None


def upscaler_of(name: str | None) -> Upscale | None:
    """What enlarges pictures in img2img, None for Lanczos alone. Raises NotFound."""
    return runtime.current().upscalers.find(name) if name else None


def prepared_mask(mask: Image.Image, picture_size: tuple[int, int], options: InpaintOptions) -> InpaintMask:
    """Inverted, blurred at the picture's size, then cropped and resized; one of another size than the picture is brought to it first."""
    levels, note = mask_of(mask, rounded=options.rounded), ""
    if levels.size != picture_size:
        note = "The mask has {}x{} pixels and the picture {}x{}; it was resized.".format(*levels.size, *picture_size)
        levels = levels.resize(picture_size, Image.Resampling.NEAREST)
    if options.is_inverted:
        levels = inverted(levels)
    levels = blurred(levels, options.blur_x, options.blur_y)
    box = crop_region(levels, options.padding)
    if box is None:
        note = f"{note} {EMPTY_MASK}".strip()
    if options.only_masked and box is not None:
        region = expanded_region(box, options.size, picture_size)
        return InpaintMask(work=resize_image(ResizeMode.FILL, levels.crop(region), *options.size), paste=levels, region=region, note=note)
    work = resize_image(_picture_mode(options), levels, *options.size)
    return InpaintMask(work=work, paste=doubled(work), region=None, note=note)


def _picture_mode(options: InpaintOptions) -> int:
    return ResizeMode.STRETCH if options.resize_mode == LATENT_UPSCALE else options.resize_mode


def placed_picture(picture: Image.Image, mask: InpaintMask | None, options: InpaintOptions, fill_mask: Image.Image | None) -> PlacedPicture:
    """An RGB picture made ready. `fill_mask`: where it is painted over with its surroundings, None for nowhere."""
    region = mask.region if mask else None
    if region is not None:
        start = resize_image(ResizeMode.FILL, picture.crop(region), *options.size, options.upscale)
        placed = picture
    elif options.resize_mode == LATENT_UPSCALE:
        start = _in_whole_latents(picture)
        placed = resize_image(ResizeMode.STRETCH, picture, *options.size, options.upscale) if mask else start
    else:
        start = placed = resize_image(options.resize_mode, picture, *options.size, options.upscale)
    overlay = kept_part(placed, mask.paste).convert("RGBA") if mask else None
    if fill_mask is not None:
        fits = fill_mask if fill_mask.size == start.size else fill_mask.resize(start.size, Image.Resampling.BILINEAR)
        start = filled(start, fits)
    return PlacedPicture(start=start, placed=placed, overlay=overlay)


def _in_whole_latents(picture: Image.Image) -> Image.Image:
    """The picture at multiples of 8 px, at least 8."""
    width, height = (max(side // 8 * 8, 8) for side in picture.size)
    return picture if picture.size == (width, height) else picture.resize((width, height), Image.Resampling.LANCZOS)


def put_back(image: Image.Image, overlay: Image.Image | None, paste_to: tuple[int, int, int, int] | None,
             upscale: Upscale | None = None) -> Image.Image:
    """RGB: the network's picture, resized into its region, under the kept part of the original."""
    if overlay is None:
        return image
    if paste_to is None and image.size != overlay.size:  # a script made the result larger
        overlay = overlay.resize(image.size, Image.Resampling.LANCZOS)
    x, y, width, height = paste_to or (0, 0, *overlay.size)
    part = (resize_image(ResizeMode.CROP, image, width, height, upscale) if paste_to else image).convert("RGBA")
    part.alpha_composite(overlay.crop((x, y, x + width, y + height)))
    whole = overlay.convert("RGB")
    whole.paste(part.convert("RGB"), (x, y))
    return whole


def uncovered(image: Image.Image, size: tuple[int, int], paste_to: tuple[int, int, int, int] | None, mask: Image.Image) -> Image.Image:
    """RGBA of this size: the network's picture where the mask lets it through, transparent elsewhere."""
    whole = Image.new("RGBA", size)
    x, y, width, height = paste_to or (0, 0, *size)
    whole.paste(resize_image(ResizeMode.CROP, image, width, height).convert("RGBA"), (x, y))
    shown = Image.new("RGBa", size)
    shown.paste(whole.convert("RGBa"), mask=resize_image(ResizeMode.FILL, mask, *size).convert("L"))
    return shown.convert("RGBA")


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Whether pixels outside the paste-back mask are those of the input. `changed`: how many are not; `why` it does not apply."""

    applies: bool
    changed: int = 0
    why: str = ""


def changed_outside(placed: Image.Image, overlay: Image.Image, result: Image.Image) -> int:
    """How many pixels of `result` differ from those of `placed` where the overlay covers wholly, so where the mask is 0."""
    difference = ImageChops.difference(placed.convert("RGB"), result.convert("RGB"))
    box = difference.getbbox()
    if box is None:
        return 0
    changed = np.asarray(difference.crop(box)).any(axis=2)
    return int((changed & (np.asarray(overlay.getchannel("A").crop(box)) == OPAQUE)).sum())
