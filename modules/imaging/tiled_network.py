"""A network that enlarges pictures, led over a picture in overlapping tiles that fit together without a seam."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pixels = NDArray[np.uint8]
Strip = NDArray[np.float32]
Network = Callable[[Tensor], Tensor]
OnTile = Callable[[int, int], None]
# Networks that look at blocks of pixels see the same blocks in every tile when tiles begin at multiples of this.
UNIT_PX = 8
# Part of the shared width that is left out on either side: next to a cut a network sees the border of its tile.
DROPPED = 0.25


@dataclass(frozen=True, kw_only=True)
class TileOptions:
    """How a picture is cut: sides of tiles (0: not at all) and how much neighbours share, both in px of the small picture."""

    tile_px: int = 192
    overlap_px: int = 8


class Span(NamedTuple):
    """A tile along one side of the picture, in px of the small picture."""

    start: int
    end: int


def spans(length: int, options: TileOptions) -> list[Span]:
    """Tiles along a side of `length` px: as few as possible of at most `tile_px`, of nearly the same length.

    Neighbours share at least `overlap_px`, or half a tile where the overlap is larger than that.
    """
    tile = options.tile_px
    if tile <= 0 or length <= tile:
        return [Span(0, length)]
    overlap = min(max(0, options.overlap_px), tile // 2)
    unit = UNIT_PX if tile >= 4 * UNIT_PX else 1
    whole, most, shared = math.ceil(length / unit), tile // unit, math.ceil(overlap / unit)
    count = math.ceil((whole - shared) / (most - shared))
    size = math.ceil((whole + (count - 1) * shared) / count)
    starts = [number * (whole - size) // (count - 1) for number in range(count)] if count > 1 else [0]
    return [Span(start * unit, min((start + size) * unit, length)) for start in starts]


def enlarged(network: Network, pixels: Pixels, scale: int, options: TileOptions, on_tile: OnTile = lambda done, of: None) -> Pixels:
    """`pixels` [H, W, C] made `scale` times as large by `network`, which maps [1, C, h, w] in 0..1 to [1, C, h scale, w scale].

    Memory beside the two pictures is that of a tile in the network and of two rows of tiles. `on_tile(done, of)` is called
    before each tile and may raise.
    """
    height, width, channels = pixels.shape
    rows, columns = spans(height, options), spans(width, options)
    whole: Pixels = np.empty((height * scale, width * scale, channels), np.uint8)
    above: Strip | None = None
    previous: Span | None = None
    for number, row in enumerate(rows):
        strip: Strip = np.empty(((row.end - row.start) * scale, width * scale, channels), np.float32)
        for place, column in enumerate(columns):
            on_tile(number * len(columns) + place, len(rows) * len(columns))
            tile = _through(network, pixels[row.start:row.end, column.start:column.end])
            left = columns[place - 1].end if place else column.start
            _laid(strip, tile, column.start * scale, (left - column.start) * scale)
        shared = (previous.end - row.start) * scale if previous else 0
        if above is not None and shared:
            strip[:shared] = _faded(above[len(above) - shared:], strip[:shared], axis=0)
        end = len(strip) - (row.end - rows[number + 1].start) * scale if number + 1 < len(rows) else len(strip)
        whole[row.start * scale:row.start * scale + end] = _bytes(strip[:end])
        above, previous = strip, row
    on_tile(len(rows) * len(columns), len(rows) * len(columns))
    return whole


def _through(network: Network, pixels: Pixels) -> Strip:
    """One tile through the network; float32 in 0..255."""
    given = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float().div(255)
    made: Strip = network(given).float().mul(255).squeeze(0).permute(1, 2, 0).cpu().numpy()
    return made


def _laid(strip: Strip, tile: Strip, x: int, shared: int) -> None:
    """Put a tile into its row at `x`, its first `shared` columns faded into what lies there."""
    if shared:
        strip[:, x:x + shared] = _faded(strip[:, x:x + shared], tile[:, :shared], axis=1)
    strip[:, x + shared:x + tile.shape[1]] = tile[:, shared:]


def _faded(before: Strip, after: Strip, *, axis: int) -> Strip:
    """From `before` to `after` along an axis; the outer quarters are those of one alone."""
    count = before.shape[axis]
    dropped = count * DROPPED
    places = (np.arange(count, dtype=np.float32) + 0.5 - dropped) / max(count - 2 * dropped, 1e-6)
    share = places.clip(0, 1).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    # Where both are equal this is both, to the last bit.
    faded: Strip = np.where(share >= 1, after, before + (after - before) * share)
    return faded


def _bytes(strip: Strip) -> Pixels:
    return strip.clip(0, 255).round().astype(np.uint8)
