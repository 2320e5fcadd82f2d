"""Latents to pixels, one picture at a time, with a second try in float32 where half precision overflows."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules.errors import UserError


def decoded(model: Any, latents: Tensor, *, check: Callable[[], None] = lambda: None,
            note: Callable[[str], None] = lambda _: None) -> Tensor:
    """Pixels [B, 3, H, W] in 0..1, float32 on the CPU, of latents [B, 4, h, w].

    `check` is called before each picture and may raise to cancel. Raises UserError when the numbers are not finite even in float32.
    """
    pictures = []
    for latent in latents:
        check()
        pictures.append(_decoded_one(model, latent[None], note))
    return torch.cat(pictures)


def _decoded_one(model: Any, latent: Tensor, note: Callable[[str], None]) -> Tensor:
    if not torch.isfinite(latent).all():
        raise UserError("The network gave numbers that are not finite.",
                        "The checkpoint may be damaged, or half precision is too small for it.",
                        "Start with --no-half, or choose another checkpoint.")
    pixels = model.decode_first_stage(latent).float()
    if not torch.isfinite(pixels).all():
        note("The VAE overflowed in half precision; this picture was decoded again in float32.")
        pixels = _decoded_in_float32(model, latent)
    return ((pixels + 1) / 2).clamp(0, 1).cpu()


def _decoded_in_float32(model: Any, latent: Tensor) -> Tensor:
    vae = model.first_stage_model
    dtype = next(vae.parameters()).dtype
    vae.float()
    try:
        pixels = model.decode_first_stage(latent.float())
    finally:
        vae.to(dtype)
    if not torch.isfinite(pixels).all():
        raise UserError("The VAE gave numbers that are not finite, also in float32.", "Its weights are damaged.",
                        "Choose another VAE or checkpoint.")
    return pixels


def as_picture(pixels: Tensor) -> Image.Image:
    """An RGB picture of pixels [3, H, W] in 0..1; levels are cut off, not rounded, as the pictures of the reference are."""
    levels = (pixels.movedim(0, -1).numpy() * 255.0).astype(np.uint8)
    return Image.fromarray(levels)
