"""The picture that some networks see beside the noisy latent: inpainting models (9 input channels), instruction models (8), depth (5)."""
from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from modules.nn.families import Extra

NO_DEPTH = "This model follows a depth map, and none was given: it was told that everything is equally far away."


def kind_of(model: Any) -> Extra | None:
    """Which picture a model is given, None for one that sees only its latent."""
    extra = model.architecture.extra
    return None if extra == "none" else extra


def without_picture(model: Any, width: int, height: int, depth: Image.Image | None = None) -> Tensor | None:
    """[1, 5, 4 or 1, h, w] for a picture of width x height px from text alone: all masked over grey, nothing, or a depth map.

    None for a model that asks for none.
    """
    kind = kind_of(model)
    if kind is None:
        return None
    if kind == "depth":
        return depth_map(depth, (height // model.architecture.vae.downscale, width // model.architecture.vae.downscale))
    place = next(model.first_stage_model.parameters())
    grey = torch.zeros(1, 3, height, width, device=place.device, dtype=place.dtype)
    latent = model.encode_first_stage(grey).mean.float()
    return F.pad(latent, (0, 0, 0, 0, 1, 0), value=1.0) if kind == "inpainting" else torch.zeros_like(latent)


def of_picture(
    model: Any, pixels: Tensor, latent_size: tuple[int, int], mask: Tensor | None, weight: float, depth: Image.Image | None = None,
) -> Tensor | None:
    """[B, 5, h, w] (mask, picture with hole), [B, 4, h, w] (picture, not scaled) or [B, 1, h, w] (depth) for pixels [B, 3, H, W] in 0..1.

    mask: [1, 1, H, W], 1 = repaint, None for all of it. weight 0..1: how much of the picture is taken out of the hole.
    """
    kind = kind_of(model)
    if kind is None:
        return None
    if kind == "depth":
        return depth_map(depth, latent_size).expand(len(pixels), -1, -1, -1)
    place = next(model.first_stage_model.parameters())
    source = pixels.to(place.device, place.dtype) * 2 - 1
    if kind == "instruct":
        return fitted(_encoded(model, source) / model.scale_factor, latent_size)
    hole = torch.ones_like(source[:1, :1]) if mask is None else mask.to(source)
    latent = fitted(_encoded(model, torch.lerp(source, source * (1 - hole), weight)), latent_size)
    small = F.interpolate(hole.float(), size=latent_size).expand(len(latent), -1, -1, -1).to(latent.device)
    return torch.cat([small, latent], dim=1)


def depth_map(picture: Image.Image | None, latent_size: tuple[int, int]) -> Tensor:
    """[1, 1, h, w] from -1 (farthest) to 1 (nearest) for a grey picture in which near is bright; flat where there is none."""
    if picture is None:
        return torch.zeros(1, 1, *latent_size)
    levels = torch.from_numpy(np.asarray(picture.convert("F"), dtype=np.float32).copy())[None, None]
    small = F.interpolate(levels, size=latent_size, mode="bicubic", align_corners=False)
    low, high = small.amin(), small.amax()
    return (small - low) / (high - low).clamp(min=1e-6) * 2 - 1 if high > low else torch.zeros_like(small)


def _encoded(model: Any, source: Tensor) -> Tensor:
    """Latents of pictures in -1..1, one after the other: memory grows with the largest, not with their number."""
    return torch.cat([model.encode_first_stage(picture[None]).mean.float() for picture in source])


def fitted(latent: Tensor, size: tuple[int, int]) -> Tensor:
    """Latents [B, C, h', w'] at h x w, bilinear where that is another size."""
    return latent if latent.shape[-2:] == size else F.interpolate(latent, size=size, mode="bilinear")
