"""All upscalers by name: those that need no file, and the networks in the folders for them."""
from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules.checkpoints.files import files_below
from modules.checkpoints.hashing import FileState
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.state_dict import PICKLE_SUFFIXES
from modules.errors import UserError
from modules.hardware import Hardware
from modules.imaging.known_upscalers import BY_FILE, known_upscaler
from modules.imaging.tiled_network import OnTile, Pixels, TileOptions, enlarged
from modules.imaging.upscale import UPSCALERS, Upscaler, find_upscaler
from modules.imaging.upscaler_files import UpscalerNetwork, load_upscaler, scale_in_name

SUFFIXES = (*PICKLE_SUFFIXES, ".safetensors")
# Settings of tiles by the architecture that they are for; all others have those of ESRGAN.
TILE_SETTINGS = {"DAT": "DAT", "SwinIR": "SWIN", "Swin2SR": "SWIN", "SCUNet": "SCUNET"}
# A picture of 30,000 px squared takes 2.7 GB and nobody can open it; what an upscaler makes on the way is limited too.
MAX_PIXELS = 400_000_000
MOST_LOADED = 2  # as many as the step Upscale blends
# Where memory runs out, tiles are halved down to this.
LEAST_TILE_PX, MOST_TILE_PX = 32, 1024

log = logging.getLogger("easel")


class UpscalerTable:
    """The upscalers of a program. Files are looked up anew each time; those used last stay in memory, for the thread of the jobs.

    folders: searched with their sub-folders. tiles: how pictures are cut, by the name of the setting ("ESRGAN", "DAT", ...).
    on_tile: told of each tile before it is made; may raise to stop. further: functions that give upscalers of extensions.
    """

    def __init__(self, folders: Callable[[], Sequence[Path]], hardware: Hardware, tiles: Callable[[str], TileOptions],
                 on_tile: OnTile = lambda done, of: None, bundled: Mapping[str, Path] | None = None):
        self.folders, self.hardware, self.tiles, self.on_tile = folders, hardware, tiles, on_tile
        self.bundled = bundled or {}
        self.further: list[Callable[[], Iterable[Upscaler]]] = []
        self._loaded: dict[tuple[Path, FileState], UpscalerNetwork] = {}
        self._guard = threading.Lock()

    def rows(self) -> list[Upscaler]:
        """All of them: None, Lanczos, Nearest, the demo network, then files by name."""
        rows: dict[str, Upscaler] = {row.name: row for row in UPSCALERS}
        for name, path in self.bundled.items():
            if path.is_file():
                rows[name] = self._row(name, path)
        found = {path.resolve(): path for folder in self.folders() if folder.is_dir() for path in files_below(folder, SUFFIXES)}
        files = []
        for path in found.values():
            known = BY_FILE.get(path.name.lower())
            files.append((known.name if known else path.stem, path))
        for name, path in sorted(files, key=lambda item: (item[0].lower(), str(item[1]))):
            free = name if name not in rows else f"{name} ({path.parent.name})"
            rows.setdefault(free, self._row(free, path))
        for kind in self.further:
            rows |= {row.name: row for row in kind() if row.name not in rows}
        return list(rows.values())

    def names(self) -> list[str]:
        """What lists offer."""
        return [row.name for row in self.rows()]

    def find(self, name: str) -> Upscaler:
        """The upscaler called `name`, whatever its case. Raises NotFound: for a known one with the file that it needs."""
        known = known_upscaler(name)
        return find_upscaler(name, self.rows(), missing=known.needs if known else "")

    def _row(self, name: str, path: Path) -> Upscaler:
        known = BY_FILE.get(path.name.lower())
        return Upscaler(name=name, enlarge=partial(self._enlarge, path), path=path,
                        scale=float(known.scale) if known else scale_in_name(path.stem))

    @contextmanager
    def watched(self, on_tile: OnTile) -> Iterator[None]:
        """A scope in which `on_tile` is told of the tiles, instead of the usual one."""
        before, self.on_tile = self.on_tile, on_tile
        try:
            yield
        finally:
            self.on_tile = before

    def unload(self) -> None:
        """Let go of the network in memory."""
        with self._guard:
            self._loaded.clear()

    def network(self, path: Path) -> UpscalerNetwork:
        """The network of a file, on its device. Raises WeightsError."""
        with self._guard:
            try:
                state = path, FileState.of(path)
            except OSError as error:
                raise WeightsError(path, "The file is not there.", "Refresh the list and choose another one.") from error
            network = self._loaded.pop(state, None)
            if network is None:
                while len(self._loaded) >= MOST_LOADED:
                    del self._loaded[next(iter(self._loaded))]
                network = load_upscaler(path)
                half = network.supports_half and self._dtype() == torch.float16
                network.module.to(device=self.hardware.device, dtype=torch.float16 if half else torch.float32)
            self._loaded[state] = network  # the one used last stands last
            return network

    def _dtype(self) -> torch.dtype:
        return self.hardware.unet_dtype if self.hardware.device.type == "cuda" else torch.float32

    def _enlarge(self, path: Path, image: Image.Image, factor: float) -> Image.Image:
        """`image` through the network of a file, in tiles; alpha is scaled beside it. Raises WeightsError, UserError."""
        network = self.network(path)
        size = image.width * network.scale, image.height * network.scale
        if size[0] * size[1] > MAX_PIXELS:
            raise too_large(size)
        options = self.tiles(TILE_SETTINGS.get(network.kind, "ESRGAN"))
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        mode = "L" if image.mode == "L" else "RGB"
        pixels = np.atleast_3d(np.asarray(image.convert("L" if network.channels == 1 else "RGB")))
        made = self._in_tiles_that_fit(partial(self._call, path, network), pixels, network.scale, options)
        result = Image.fromarray(made[..., 0] if network.channels == 1 else made).convert(mode)
        if alpha is not None:
            result.putalpha(alpha.resize(size, Image.Resampling.LANCZOS))
        return result

    def _in_tiles_that_fit(self, call: Callable[[Tensor], Tensor], pixels: Pixels, scale: int, options: TileOptions) -> Pixels:
        """As `enlarged`, with tiles halved until the memory suffices. Raises UserError where not even small ones do."""
        while True:
            try:
                return enlarged(call, pixels, scale, options, self.on_tile)
            except (torch.OutOfMemoryError, MemoryError) as error:
                tile = min(options.tile_px or MOST_TILE_PX, *pixels.shape[:2]) // 2
                if tile < LEAST_TILE_PX:
                    raise UserError("There was not enough memory to enlarge the picture, even in small tiles.",
                                    remedy="Close other programs that use the graphics card, or choose a smaller network.") from error
            log.warning("Not enough memory for tiles of %s px; tiles of %s px are tried.", options.tile_px or "any number of", tile)
            self.hardware.gc()
            options = TileOptions(tile_px=tile, overlap_px=min(options.overlap_px, tile // 4))

    def _call(self, path: Path, network: UpscalerNetwork, pixels: Tensor) -> Tensor:
        """One tile. What is too large for half precision is computed again in single precision."""
        first = next(network.module.parameters())
        made = network(pixels.to(first.device, first.dtype))
        if torch.isfinite(made).all():
            return made
        if first.dtype == torch.float16:
            network.module.float()
            return self._call(path, network, pixels)
        raise WeightsError(path, "The network made NaN (not a number) instead of a picture.")


def too_large(size: tuple[int, int]) -> UserError:
    """What is said of a picture that would get too many pixels."""
    return UserError(f"The picture would get {size[0]:,} x {size[1]:,} pixels on the way; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.",
                     remedy="Choose a smaller scale or size, or an upscaler that enlarges less.")
