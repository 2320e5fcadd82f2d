"""Pieces of a larger picture, each made anew by img2img."""
from dataclasses import dataclass
from typing import Any

from modules import processing
from scripts.parts.results import grid_infotext, part_of, pictures_of, stopped


@dataclass(frozen=True)
class Pieces:
    """What became of pieces: `pictures` of the sizes they had; the result and the infotext of the first run, None where there was none."""

    pictures: list
    first: Any
    infotext: str


def made_anew(p, pictures, masks=None):
    """The pieces as img2img makes them, as many at a time as the batch size of `p`; piece k has the seed of `p` + k.

    `masks` has (mask, latent mask) for each piece, then one piece is made at a time. Pieces that are not made, since somebody
    stopped the job, stay as they are.
    """
    one, done, first, infotext = part_of(p), list(pictures), None, ""
    at_a_time = 1 if masks else p.batch_size
    for start in range(0, len(pictures), at_a_time):
        if stopped():
            break
        one.init_images = pictures[start:start + at_a_time]
        one.batch_size, one.seed = len(one.init_images), p.seed + start
        if masks:
            one.image_mask, one.latent_mask = masks[start]
        processed = processing.process_images(one)
        if first is None and processed.images:
            first, infotext = processed, grid_infotext(one)
        for number, picture in pictures_of(processed).items():
            done[start + number] = fitted(picture, pictures[start + number].size)
    return Pieces(done, first, infotext)


def fitted(picture, size):
    """A result at the size of the piece it was made from, which at the edge of a small picture is not that of the form."""
    return picture if picture.size == size else picture.resize(size)


def replaced(grid, pictures):
    """The grid with its tiles, row by row, replaced by `pictures`."""
    rest = iter(pictures)
    return grid._replace(tiles=[[y, height, [[x, width, next(rest)] for x, width, _ in row]] for y, height, row in grid.tiles])


def tiles_of(grid):
    """All tiles of a grid, row by row."""
    return [picture for _, _, row in grid.tiles for _, _, picture in row]
