"""Latents to pixels, one picture at a time, with a sentence where numbers are broken."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules.errors import UserError
from modules.nn.latent_diffusion import LatentDiffusion


def decoded(model: LatentDiffusion, latents: Tensor, *, check: Callable[[], None] = lambda: None) -> Tensor:
    """Pixels [B, 3, H, W] in 0..1, float32 on the CPU, of latents [B, 4, h, w].

    `check` is called before each picture and may raise to cancel. Raises UserError when the numbers are not finite.
    """
    pictures = []
    for latent in latents:
        check()
        pictures.append(_decoded_one(model, latent[None]))
    return torch.cat(pictures)


def _decoded_one(model: LatentDiffusion, latent: Tensor) -> Tensor:
    looks = model.execution.looks_for_nan
    if looks and not torch.isfinite(latent).all():
        raise UserError("The network gave numbers that are not finite.",
                        "The checkpoint may be damaged, or half precision is too small for it.",
                        "Start with --no-half, or choose another checkpoint.")
    pixels = model.decode_first_stage(latent).float()
    if looks and not torch.isfinite(pixels).all():
        raise UserError("The VAE gave numbers that are not finite.", "Its weights are damaged, or half precision is too small for it.",
                        "Choose another VAE or checkpoint, or start with --no-half-vae.")
    return ((pixels + 1) / 2).clamp(0, 1).cpu()


def as_picture(pixels: Tensor) -> Image.Image:
    """An RGB picture of pixels [3, H, W] in 0..1; levels are cut off, not rounded, as the pictures of the reference are."""
    levels = (pixels.movedim(0, -1).numpy() * 255.0).astype(np.uint8)
    return Image.fromarray(levels)
