"""Masks against recorded numbers, and what must hold for any of them."""
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modules.imaging import masks

GOLDENS = Path(__file__).parents[1] / "goldens"
RECORDED = json.loads((GOLDENS / "misc.json").read_text(encoding="utf-8"))["crop_region"]
SIZE = (128, 96)


def rectangles(boxes, size=SIZE) -> Image.Image:
    mask = Image.new("L", size)
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(box, fill=255)
    return mask


@pytest.mark.parametrize("case", [case for case in RECORDED if case["mask_rectangles_inclusive"]], ids=str)
def test_the_box_around_a_mask_grows_as_recorded(case):
    region = masks.crop_region(rectangles(case["mask_rectangles_inclusive"]), case["pad"])
    assert list(region) == case["get_crop_region"]
    for size, expanded in case["expand"]:
        assert list(masks.expanded_region(region, tuple(size), SIZE)) == expanded


def test_an_empty_mask_has_no_box():
    assert masks.crop_region(Image.new("L", SIZE), 8) is None


def test_a_masked_part_is_filled_with_the_recorded_colours():
    folder = GOLDENS / "images" / "in"
    made = masks.filled(Image.open(folder / "init_128x96.png").convert("RGB"), Image.open(folder / "mask_128x96.png").convert("L"))
    assert np.array_equal(np.asarray(made), np.asarray(Image.open(GOLDENS / "misc" / "fill.png").convert("RGB")))


@pytest.mark.parametrize("sigma", [1, 2, 4, 7, 16, 33, 64])
def test_blurring_equals_opencv_byte_for_byte(sigma):
    cv2 = pytest.importorskip("cv2")
    levels = np.random.default_rng(sigma).integers(0, 256, (150, 170), dtype=np.uint8)
    levels[20:90, 30:140] = 255
    levels[100:, :] = 0
    taps = len(masks.gaussian_kernel(sigma))
    for mask in (levels, 255 - levels, np.maximum(levels, 200)):
        wanted = cv2.GaussianBlur(cv2.GaussianBlur(mask, (taps, 1), sigma), (1, taps), sigma)
        assert np.array_equal(np.asarray(masks.blurred(Image.fromarray(mask), sigma, sigma)), wanted)


@pytest.mark.parametrize("sigma", [0.5, 1, 4, 64])
def test_the_weights_of_a_blur_add_up(sigma):
    kernel = masks.gaussian_kernel(sigma)
    assert kernel.sum() == 256 and len(kernel) == 2 * int(2.5 * sigma + 0.5) + 1 and np.array_equal(kernel, kernel[::-1])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 3)])
def test_a_mask_smaller_than_the_blur_keeps_its_size(size):
    assert masks.blurred(Image.new("L", size, 255), 64, 64).size == size
    assert np.asarray(masks.blurred(Image.new("L", size, 255), 4, 4)).min() == 255


def test_alpha_counts_where_it_varies_and_luminance_elsewhere():
    picture = Image.new("RGBA", (4, 1), (0, 0, 0, 255))
    assert masks.mask_of(picture).getextrema() == (0, 0)
    for x, alpha in enumerate((0, 128, 129, 255)):
        picture.putpixel((x, 0), (0, 0, 0, alpha))
    assert list(masks.mask_of(picture).getdata()) == [0, 0, 255, 255]
    assert list(masks.mask_of(picture, rounded=False).getdata()) == [0, 128, 129, 255]
    assert masks.mask_of(Image.new("RGB", (1, 1), (90, 90, 90))).getpixel((0, 0)) == 90


def test_paint_covers_the_picture_and_is_its_mask():
    picture, paint = Image.new("RGB", (8, 8), "white"), Image.new("RGBA", (8, 8))
    paint.paste((255, 0, 0, 255), (2, 2, 5, 5))
    assert masks.painted(picture, paint).getpixel((3, 3)) == (255, 0, 0)
    assert masks.mask_from_paint(paint).getbbox() == (2, 2, 5, 5)
    half = masks.painted_through(picture, paint, transparency=50, blur=0)
    assert half.getpixel((3, 3)) == (255, 128, 128) and half.getpixel((0, 0)) == (255, 255, 255)
