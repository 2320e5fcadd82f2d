"""Pictures in tiles: places as recorded, and whole again afterwards."""
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules.imaging.tiles import combine_grid, split_grid, starts

RECORDED = json.loads((Path(__file__).parents[1] / "goldens" / "misc.json").read_text(encoding="utf-8"))["split_grid"]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: "x".join(map(str, case["image"])))
def test_tiles_lie_where_the_reference_puts_them(case):
    grid = split_grid(Image.new("RGB", tuple(case["image"])), *case["tile"], case["overlap"])
    assert [[y, height, [[x, width] for x, width, _ in row]] for y, height, row in grid.tiles] == case["tiles"]


@pytest.mark.parametrize("size", [(200, 100), (64, 64), (30, 50), (65, 130)])
def test_tiles_that_nobody_changed_make_the_same_picture(size):
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (*size[::-1], 3), dtype=np.uint8))
    again = combine_grid(split_grid(picture, 64, 64, 16))
    assert np.abs(np.asarray(again).astype(int) - np.asarray(picture)).max() == 0


def test_a_tile_fades_in_over_the_overlap():
    grid = split_grid(Image.new("RGB", (112, 64), "black"), 64, 64, 16)
    grid.tiles[0][2][1][2] = Image.new("RGB", (64, 64), "white")
    row = np.asarray(combine_grid(grid))[0, :, 0].astype(int)
    assert row[47] == 0 and row[64] == 255 and (np.diff(row[48:64]) > 0).all()


def test_an_overlap_as_large_as_the_tile_is_refused():
    with pytest.raises(ValueError, match="leaves nothing"):
        starts(100, 64, 64)
