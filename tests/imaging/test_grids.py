import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules.imaging.grids import grid_size, image_grid

RECORDED = json.loads((Path(__file__).parents[1] / "goldens" / "misc.json").read_text(encoding="utf-8"))["image_grid"]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['n']}-{case['batch_size']}-{case['grid_prevent_empty_spots']}")
def test_sheets_have_the_recorded_size(case):
    rows = case["rows"] if case["rows"] is not None else case["n_rows"]
    columns_rows = grid_size(case["n"], rows=rows, batch_size=case["batch_size"], prevent_empty_spots=case["grid_prevent_empty_spots"])
    assert list(columns_rows) == case["cols_rows"]


@pytest.mark.parametrize("count, rows, size", [(6, 3, (2, 3)), (6, 0, (3, 2)), (2, 16, (1, 2)), (7, 2, (4, 2))])
def test_rows_can_be_given_or_be_the_batch_size(count, rows, size):
    assert grid_size(count, rows=rows, batch_size=2) == size


def test_pictures_lie_row_by_row_centred_on_the_background():
    images = [Image.new("RGB", (4, 4), color) for color in ("red", "lime")] + [Image.new("RGB", (2, 2), "blue")]
    sheet = image_grid(images)
    assert sheet.size == (8, 8)
    assert [sheet.getpixel(place) for place in ((0, 0), (4, 0), (1, 5), (0, 4), (7, 7))] == [
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (255, 255, 255)]


def test_a_sheet_beyond_the_limit_is_shrunk_as_a_whole():
    sheet = image_grid([Image.new("RGB", (100, 50), "red")] * 4, max_megapixels=0.005)
    assert sheet.size == (100, 50) and np.asarray(sheet)[..., 0].min() == 255
