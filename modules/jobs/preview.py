"""Live previews: the latent of a running pass as a small encoded picture."""
import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

PreviewFormat = Literal["jpeg", "png", "webp"]


@dataclass(frozen=True, kw_only=True)
class PreviewOptions:
    """How often previews are made, and how large."""

    every_n_steps: int = 10
    per_second: float = 3.0
    format: PreviewFormat = "jpeg"
    max_side_px: int = 768
    whole_batch: bool = True


@dataclass(frozen=True)
class Preview:
    """One encoded picture; all that threads other than the worker ever see of it."""

    data: bytes
    mime: str

    @cached_property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode("ascii")

    @property
    def data_url(self) -> str:
        return f"data:{self.mime};base64,{self.base64}"


def linear_decoder(factors: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """The cheapest decoder: each preview pixel is a linear combination of one latent pixel's channels.

    factors: [C, 3], bias: [3]. The function returned maps latents [B, C, h, w] to pixels [B, 3, h, w] in -1..1.
    """

    def decode(latent: Tensor) -> Tensor:
        weights = factors.to(latent.device, torch.float32)
        pixels = torch.einsum("bchw,cr->brhw", latent.float(), weights)
        return pixels + bias.to(latent.device, torch.float32)[None, :, None, None]

    return decode


def tiled(pixels: Tensor) -> Tensor:
    """The pictures of a batch [B, 3, H, W] side by side as [3, rows * H, columns * W], columns >= rows, free places black (-1)."""
    count, channels, height_px, width_px = pixels.shape
    columns = next(n for n in range(1, count + 1) if n * n >= count)
    rows = -(-count // columns)
    sheet = pixels.new_full((rows * columns, channels, height_px, width_px), -1.0)
    sheet[:count] = pixels
    sheet = sheet.reshape(rows, columns, channels, height_px, width_px).permute(2, 0, 3, 1, 4)  # [3, rows, H, columns, W]
    return sheet.reshape(channels, rows * height_px, columns * width_px)


def encode_preview(image: Image.Image, options: PreviewOptions) -> Preview:
    """The picture as JPEG, PNG or WebP, scaled down until its longer side is at most `max_side_px`."""
    if max(image.size) > options.max_side_px:
        scale = options.max_side_px / max(image.size)
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    if options.format == "jpeg":
        # Full colour resolution: latents are eight times smaller than the picture, halving colour again would show.
        image.convert("RGB").save(buffer, "JPEG", quality=85, subsampling=0)
    elif options.format == "webp":
        image.save(buffer, "WEBP", quality=85, method=0)
    else:
        image.save(buffer, "PNG", compress_level=1)
    return Preview(buffer.getvalue(), f"image/{options.format}")


class Previewer:
    """Decides when a preview is due and makes it, in the worker's thread.

    `decode` maps latents [B, C, h, w] to pixels [B, 3, H, W] in -1..1: `linear_decoder(...)`, a small decoder network or the full one.
    It may draw random numbers: the streams that sampling uses are put back afterwards.
    """

    def __init__(self, decode: Callable[[Tensor], Tensor], options: PreviewOptions, clock: Callable[[], float] = time.monotonic):
        self.options = options
        self._decode = decode
        self._clock = clock
        self._last: float | None = None

    def is_due(self, step: int) -> bool:
        """Whether a preview is to be made after this step (counted from 1): every n steps, and not too many per second."""
        if self.options.every_n_steps < 1 or step % self.options.every_n_steps:
            return False
        return self._last is None or self._clock() - self._last >= 1 / self.options.per_second

    def picture(self, latent: Tensor) -> Image.Image:
        """The batch [B, C, h, w] as one picture (a grid, or its first member alone)."""
        self._last = self._clock()
        if not self.options.whole_batch:
            latent = latent[:1]
        devices = [latent.device] if latent.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            pixels = tiled(self._decode(latent).float())
            levels = pixels.add(1).mul(127.5).nan_to_num(0).round().clamp(0, 255).to(torch.uint8)
        return Image.fromarray(levels.permute(1, 2, 0).contiguous().cpu().numpy())
