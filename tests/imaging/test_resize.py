import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules.errors import NotFound
from modules.imaging.resize import ResizeMode, resize_image
from modules.imaging.upscale import UPSCALERS, find_upscaler

GOLDENS = Path(__file__).parents[1] / "goldens"
RECORDED = json.loads((GOLDENS / "misc.json").read_text(encoding="utf-8"))["resize_image"]
PICTURE = Image.open(GOLDENS / "images" / "in" / "init_128x96.png").convert("RGB")


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: f"{case['upscaler']}-{case['resize_mode']}-{case['target']}")
def test_pictures_are_resized_as_recorded(case):
    upscale = find_upscaler(case["upscaler"]) if case["upscaler"] else None
    result = resize_image(case["resize_mode"], PICTURE, *case["target"], upscale)
    assert np.array_equal(np.asarray(result), np.asarray(Image.open(GOLDENS / case["file"]).convert("RGB")))


@pytest.mark.parametrize("mode", ResizeMode)
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (127, 95), (64, 333)])
def test_the_result_has_the_size_asked_for(mode, size):
    assert resize_image(mode, PICTURE, *size).size == size
    assert resize_image(mode, PICTURE.convert("L"), *size).mode == "L"


def test_odd_borders_are_filled_to_the_edge():
    white = Image.new("RGB", (10, 10), "white")
    assert np.asarray(resize_image(ResizeMode.FILL, white, 31, 10)).min() == 255
    assert np.asarray(resize_image(ResizeMode.FILL, white, 10, 33)).min() == 255


@pytest.mark.parametrize("upscaler", UPSCALERS, ids=lambda upscaler: upscaler.name)
def test_an_upscaler_makes_multiples_of_eight(upscaler):
    size = upscaler(PICTURE, 1.6).size
    assert size == ((128, 96) if upscaler.name == "None" else (200, 152))


def test_an_unknown_upscaler_is_answered_with_the_choices():
    assert find_upscaler("lanczos").name == "Lanczos"
    with pytest.raises(NotFound, match="None, Lanczos, Nearest"):
        find_upscaler("ESRGAN_9x")
