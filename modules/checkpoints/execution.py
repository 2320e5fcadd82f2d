"""How the networks of a model are run with care: weights are brought first, broken numbers and a lack of memory are answered."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from modules.checkpoints.placement import POLICIES, Placement, Policy
from modules.hardware import Hardware, is_out_of_memory
from modules.nn.latent_diffusion import Execution, LatentDiffusion
from modules.nn.vae import AutoencoderKL, Posterior
from modules.nn.vae_tiles import OnTile, decode_in_tiles, encode_in_tiles
from modules.prompt.conditioning import Conditioning

T = TypeVar("T")
VaeTiling = Literal["Off", "Automatic", "Always"]

SMALLEST_TILE_PX = 128
# So many maps of the first level's width are in memory at once where a VAE works at full size.
_MAPS_AT_ONCE = 9
_WIDENED = {torch.float16, torch.bfloat16}


@dataclass(kw_only=True)
class Care:
    """What one run wants, and what it came to. `note` tells the user; `on_tile` is called before each tile of the VAE.

    rows: how many rows of a batch the U-Net takes at once, None for all. tile_px: the side of a tile of the VAE.
    """

    note: Callable[[str], None] = lambda _: None
    on_tile: OnTile = lambda done, count: None
    vae_tiling: VaeTiling = "Automatic"
    tile_px: int = 512
    widens_vae: bool = True
    rows: int | None = None
    policy: Policy | None = None
    tiled_px: int | None = None
    is_freed: bool = False
    widened: list[tuple[nn.Module, torch.dtype]] = field(default_factory=list)

    @property
    def savings(self) -> str:
        """What saved memory and may have changed the last digits of the picture; "" for nothing."""
        tiles = f"VAE tiles of {self.tiled_px} px" if self.tiled_px else ""
        rows = f"{self.rows} at once" if self.rows else ""
        return ", ".join(filter(None, (tiles, rows)))


class CarefulExecution(Execution):
    """For all models of one owner. `free_others`: lets go of what the model at work does not need."""

    def __init__(self, hardware: Hardware, *, looks_for_nan: bool = True, free_others: Callable[[], object] = lambda: None):
        self.hardware, self.looks_for_nan, self.free_others = hardware, looks_for_nan, free_others
        self.care = Care()
        self.placements: dict[int, Placement] = {}  # by the id of the model

    @contextmanager
    def under(self, care: Care) -> Iterator[None]:
        """Work with this care; afterwards weights have the numbers and the place of before."""
        before, self.care = self.care, care
        try:
            yield
        finally:
            self.care = before
            for module, dtype in reversed(care.widened):
                _convert(module, dtype)

    # The networks

    def predict(self, model: LatentDiffusion, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        def answer() -> Tensor:
            rows = self.care.rows or len(x)
            parts = [slice(first, first + rows) for first in range(0, len(x), rows)]
            if len(parts) == 1:
                return model.model(x, t, cond)
            return torch.cat([model.model(x[part], t[part], rows_of(cond, part, len(x))) for part in parts])

        predicted = self._carried_out(model, "unet", answer, extent=len(x))
        if self._is_broken(predicted, model.dtype):
            self.care.note("The U-Net overflowed in half precision; it went on in float32.")
            predicted = self._carried_out(model, "unet", lambda: self._widened(model.model, answer), extent=len(x))
        return predicted

    def decode(self, model: LatentDiffusion, latent: Tensor) -> Tensor:
        vae = model.first_stage_model
        latent = latent.to(self.hardware.device_of("vae"))

        def answer() -> Tensor:
            if not self._is_tiling(vae, latent.shape[-2:], vae.config.downscale):
                return vae.decode(latent)
            self._bring(model, "vae")
            return torch.cat([decode_in_tiles(vae, each[None], self.care.tiled_px or self.care.tile_px, self.care.on_tile)
                              for each in latent])

        extent = max(latent.shape[-2:]) * vae.config.downscale
        pixels = self._carried_out(model, "vae", answer, extent)
        if self.care.widens_vae and self._is_broken(pixels, vae.dtype):
            self.care.note("The VAE overflowed in half precision; this picture was decoded again in float32.")
            pixels = self._carried_out(model, "vae", lambda: self._widened(vae, answer), extent)
        return pixels

    def encode(self, model: LatentDiffusion, pixels: Tensor) -> Posterior:
        vae = model.first_stage_model
        pixels = pixels.to(self.hardware.device_of("vae"))

        def answer() -> Posterior:
            if not self._is_tiling(vae, pixels.shape[-2:], 1):
                return vae.encode(pixels)
            self._bring(model, "vae")
            found = [encode_in_tiles(vae, each[None], self.care.tiled_px or self.care.tile_px, self.care.on_tile) for each in pixels]
            return Posterior(mean=torch.cat([each.mean for each in found]), logvar=torch.cat([each.logvar for each in found]))

        posterior = self._carried_out(model, "vae", answer, max(pixels.shape[-2:]))
        if self.care.widens_vae and self._is_broken(posterior.mean, vae.dtype):
            self.care.note("The VAE overflowed in half precision; the picture was encoded again in float32.")
            posterior = self._carried_out(model, "vae", lambda: self._widened(vae, answer), max(pixels.shape[-2:]))
        return posterior

    def read(self, model: LatentDiffusion, encode: Callable[[], T]) -> T:
        return self._carried_out(model, "text", encode)

    # Broken numbers

    def _is_broken(self, numbers: Tensor, dtype: torch.dtype) -> bool:
        return self.looks_for_nan and dtype in _WIDENED and not bool(torch.isfinite(numbers).all())

    def _widened(self, module: nn.Module, answer: Callable[[], T]) -> T:
        """The answer of a network whose weights are float32 from now on, until this care ends."""
        dtype = next(module.parameters()).dtype
        if dtype in _WIDENED:
            self.care.widened.append((module, dtype))
            _convert(module, torch.float32)
        return answer()

    # Lack of memory

    def _is_tiling(self, vae: AutoencoderKL, size: torch.Size, scale: int) -> bool:
        """Whether the VAE goes over this map of `size`, 1/scale of the picture, in tiles; tells where that was not asked for."""
        care = self.care
        if care.tiled_px is None and care.vae_tiling == "Always":
            care.tiled_px = care.tile_px
        elif care.tiled_px is None and care.vae_tiling == "Automatic":
            needed = _MAPS_AT_ONCE * vae.config.ch * size[0] * size[1] * scale**2 * vae.dtype.itemsize
            if needed > self.hardware.free_memory():
                self._tile(care.tile_px)
        return care.tiled_px is not None and max(size) * scale > care.tiled_px

    def _tile(self, tile_px: int) -> None:
        self.care.tiled_px = tile_px
        self.care.note(f"Memory was short: the VAE worked in tiles of {tile_px} x {tile_px} pixels.")

    def _carried_out(self, model: LatentDiffusion, part: str, answer: Callable[[], T], extent: int = 1) -> T:
        """The answer, asked for again after each thing that saves memory. Raises the lack of memory when there is no other.

        extent: how many rows the U-Net is given, or the longer side of the VAE's picture in pixels.
        """
        while True:
            try:
                return answer()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                lack = error.with_traceback(None)  # its frames hold tensors
            if not self._save_memory(model, part, extent):
                raise lack

    def _save_memory(self, model: LatentDiffusion, part: str, extent: int) -> bool:
        """Do the next thing that saves memory and tell the user; whether there was one."""
        care = self.care
        self.hardware.gc()
        if not care.is_freed:
            care.is_freed = True
            self.free_others()
            care.note("Memory ran out: what was not in use was freed.")
            return True
        if part == "vae" and care.vae_tiling != "Off":
            smaller = care.tile_px if care.tiled_px is None else care.tiled_px // 2
            while smaller >= extent:
                smaller //= 2
            if smaller >= SMALLEST_TILE_PX:
                self._tile(smaller)
                return True
        if part == "unet" and min(care.rows or extent, extent) > 1:
            care.rows = min(care.rows or extent, extent) // 2
            care.note(f"Memory was short: the U-Net worked on {care.rows} of {extent} rows of a batch at once.")
            return True
        return self._offload(model)

    def _offload(self, model: LatentDiffusion) -> bool:
        placement = self.placements.get(id(model))
        if placement is None or placement.policy in (None, POLICIES[-1]):
            return False
        self.care.policy = POLICIES[POLICIES.index(placement.policy) + 1]
        placement.follow(self.care.policy)
        what = {"parts": "parts of the model", "modules": "all but one block of the U-Net"}[self.care.policy]
        self.care.note(f"Memory was short: {what} that were not at work waited in main memory.")
        return True

    def _bring(self, model: LatentDiffusion, part: str) -> None:
        if placement := self.placements.get(id(model)):
            placement.use(part)


def rows_of(cond: Conditioning, part: slice, count: int) -> Conditioning:
    """Some rows of conditions for `count` pictures; extra channels may be the same for all of them."""
    if cond.concat is None or len(cond.concat) == count:
        return cond.rows(part)
    return cond.with_concat(None).rows(part).with_concat(cond.concat)


def _convert(module: nn.Module, dtype: torch.dtype) -> None:
    with torch.inference_mode(False):  # weights made in inference mode could not be changed outside of it
        module.to(dtype)
