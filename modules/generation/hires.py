"""Hires fix: the size of the second pass, and how the first pass's result is brought to it."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from modules.errors import RequestError
from modules.generation.base import LATENT_PX
from modules.generation.decode import as_picture, decoded

Resize = Callable[[Image.Image, int, int], Image.Image]

# Upscalers that work on the latent itself: mode and antialiasing of the interpolation.
LATENT_UPSCALERS: dict[str, tuple[str, bool]] = {
    "Latent": ("bilinear", False),
    "Latent (antialiased)": ("bilinear", True),
    "Latent (bicubic)": ("bicubic", False),
    "Latent (bicubic antialiased)": ("bicubic", True),
    "Latent (nearest)": ("nearest", False),
    "Latent (nearest-exact)": ("nearest-exact", False),
}
DEFAULT_UPSCALER = "Latent"
OLD_PIXELS = 512 * 512


@dataclass(frozen=True, kw_only=True)
class HiresSize:
    """Sizes of a second pass in pixels: what is upscaled to, and what is kept of it, centred (less when both sides were given)."""

    upscale_width: int
    upscale_height: int
    width: int
    height: int


def hires_size(width: int, height: int, *, scale: float, resize_x: int, resize_y: int) -> HiresSize:
    """The second pass of a picture of width x height px: a factor, one side (the other by ratio), or both (covered, then cropped).

    Raises RequestError when nothing of at least 8 x 8 px would be left.
    """
    if not resize_x and not resize_y:
        wide, high = int(width * scale), int(height * scale)
        size = HiresSize(upscale_width=wide, upscale_height=high, width=wide, height=high)
    elif not resize_y or not resize_x:
        wide = resize_x or resize_y * width // height
        high = resize_y or resize_x * height // width
        size = HiresSize(upscale_width=wide, upscale_height=high, width=wide, height=high)
    else:
        by_width = width / height < resize_x / resize_y
        wide = resize_x if by_width else resize_y * width // height
        high = resize_x * height // width if by_width else resize_y
        size = HiresSize(upscale_width=wide, upscale_height=high, width=resize_x, height=resize_y)
    if min(size.width, size.height) < LATENT_PX:
        raise RequestError("hr_scale", f"The second pass would be {size.width}x{size.height} pixels.",
                           remedy="Choose a larger scale or size.")
    return size


def old_first_pass(width: int, height: int) -> tuple[int, int]:
    """The first pass in px of the first form of hires fix, where a picture's size was that of the second: about 512 x 512 pixels."""
    scale = math.sqrt(OLD_PIXELS / (width * height))
    return math.ceil(scale * width / 64) * 64, math.ceil(scale * height / 64) * 64


def upscaled_latent(samples: Tensor, size: HiresSize, upscaler: str) -> Tensor:
    """Latents [B, 4, h, w] interpolated to the size of the second pass."""
    mode, antialias = LATENT_UPSCALERS[upscaler]
    target = (size.upscale_height // LATENT_PX, size.upscale_width // LATENT_PX)
    arguments: dict[str, Any] = {"mode": mode, "antialias": antialias} if mode in ("bilinear", "bicubic") else {"mode": mode}
    return F.interpolate(samples, size=target, **arguments)


def upscaled_pictures(model: Any, samples: Tensor, size: HiresSize, resize: Resize, check: Callable[[], None]) -> Tensor:
    """Latents [B, 4, h', w'] of the first pass's pictures after `resize`, through 8-bit pixels as an upscaler sees them."""
    latents = []
    for latent in samples:
        picture = as_picture(decoded(model, latent[None], check=check)[0])
        larger = resize(picture, *whole_latents(size))
        check()
        latents.append(encoded(model, larger))
    return torch.cat(latents)


def whole_latents(size: HiresSize) -> tuple[int, int]:
    """Width and height in px that are upscaled to, in whole places of the latent."""
    return size.upscale_width // LATENT_PX * LATENT_PX, size.upscale_height // LATENT_PX * LATENT_PX


def encoded(model: Any, picture: Image.Image) -> Tensor:
    """The scaled latent [1, 4, h, w] of an RGB picture."""
    pixels = torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255.0).movedim(2, 0)[None]
    vae = next(model.first_stage_model.parameters())
    return model.encode_first_stage((pixels * 2 - 1).to(vae.device, vae.dtype)).mean.float()


def cropped(samples: Tensor, size: HiresSize) -> Tensor:
    """The centred part of latents [B, 4, h', w'] that is kept."""
    surplus_x = (size.upscale_width - size.width) // LATENT_PX
    surplus_y = (size.upscale_height - size.height) // LATENT_PX
    high, wide = samples.shape[-2:]
    return samples[..., surplus_y // 2:high - (surplus_y + 1) // 2, surplus_x // 2:wide - (surplus_x + 1) // 2]
