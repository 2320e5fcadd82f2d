"""A picture in overlapping tiles, and tiles put together again."""
from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image


class Grid(NamedTuple):
    """Tiles of a picture of image_w x image_h px.

    `tiles` has an entry [y, height, [[x, width, picture], ...]] for each row; extensions take it apart by position.
    """

    tiles: list[list]
    tile_w: int
    tile_h: int
    image_w: int
    image_h: int
    overlap: int


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along a side of `length` px: as few as overlap by at least `overlap`, evenly spread."""
    if overlap >= tile:
        raise ValueError(f"an overlap of {overlap} px leaves nothing of tiles of {tile} px")
    if length <= tile:
        return [0]
    count = math.ceil((length - overlap) / (tile - overlap))
    return [min(int(number * (length - tile) / (count - 1)), length - tile) for number in range(count)]


def split_grid(image: Image.Image, tile_w: int = 512, tile_h: int = 512, overlap: int = 64) -> Grid:
    """`image` in tiles of at most tile_w x tile_h px. Raises ValueError when the overlap leaves nothing of a tile."""
    rows = []
    for y in starts(image.height, tile_h, overlap):
        height = min(tile_h, image.height)
        row = []
        for x in starts(image.width, tile_w, overlap):
            width = min(tile_w, image.width)
            row.append([x, width, image.crop((x, y, x + width, y + height))])
        rows.append([y, height, row])
    return Grid(rows, tile_w, tile_h, image.width, image.height, overlap)


def combine_grid(grid: Grid) -> Image.Image:
    """The tiles as one RGB picture; each fades in over the first `overlap` px that it shares with the one before."""
    whole = Image.new("RGB", (grid.image_w, grid.image_h))
    for number, (y, height, row) in enumerate(grid.tiles):
        strip = Image.new("RGB", (grid.image_w, height))
        for position, (x, width, tile) in enumerate(row):
            fade = min(grid.overlap, width) if position else 0
            _paste(strip, tile, (x, 0), _ramp(fade, height))
        fade = min(grid.overlap, height) if number else 0
        _paste(whole, strip, (0, y), _ramp(fade, grid.image_w).transpose(Image.Transpose.TRANSPOSE), across=False)
    return whole


def _ramp(length: int, breadth: int) -> Image.Image:
    """An L mask of length x breadth px that rises from left to right."""
    values = (np.arange(length) * 255 / max(1, length)).astype(np.uint8)
    return Image.fromarray(np.tile(values, (breadth, 1))) if length else Image.new("L", (0, breadth))


def _paste(target: Image.Image, picture: Image.Image, place: tuple[int, int], ramp: Image.Image, *, across: bool = True) -> None:
    """Paste `picture`, faded in over the size of `ramp` at its left edge or at its upper one."""
    width, height = picture.size
    (x, y), fade = place, ramp.width if across else ramp.height
    if fade:
        target.paste(picture.crop((0, 0, ramp.width, ramp.height)), place, ramp)
    rest = (fade, 0, width, height) if across else (0, fade, width, height)
    target.paste(picture.crop(rest), (x + rest[0], y + rest[1]))
