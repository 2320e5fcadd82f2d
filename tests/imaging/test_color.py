"""Colour correction: conversions against OpenCV, histograms against scikit-image, and what it keeps."""
import numpy as np
import pytest
from PIL import Image

from modules.imaging import color

COLOURS = np.random.default_rng(1).integers(0, 256, (200, 100, 3), dtype=np.uint8)


def test_conversions_equal_opencv_but_for_single_levels():
    cv2 = pytest.importorskip("cv2")
    lab = cv2.cvtColor(COLOURS, cv2.COLOR_RGB2LAB)
    for ours, wanted in ((color.rgb_to_lab(COLOURS), lab), (color.lab_to_rgb(lab), cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))):
        difference = np.abs(ours.astype(int) - wanted)
        assert difference.max() <= 1 and (difference > 0).mean() < 0.001


def test_histograms_are_matched_as_scikit_image_does():
    exposure = pytest.importorskip("skimage.exposure")
    levels, target = COLOURS[..., 0], (COLOURS[:50, :70, 1] // 2 + 30)
    assert np.array_equal(color.with_histogram_of(levels, target), exposure.match_histograms(levels, target).astype(np.uint8))


def test_black_white_and_grey_stay_themselves():
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    back = color.lab_to_rgb(color.rgb_to_lab(grey)).astype(int)
    assert np.abs(back - grey).max() <= 2


def test_a_picture_corrected_to_itself_stays_nearly_itself():
    picture = Image.fromarray(COLOURS)
    corrected = np.asarray(color.apply_color_correction(color.setup_color_correction(picture), picture)).astype(int)
    assert np.abs(corrected - COLOURS).mean() < 2


def test_luminosity_is_that_of_the_result():
    light = COLOURS[::-1]
    made = color.with_luminosity_of(COLOURS, light)
    assert np.abs(made @ color.LUMA - light @ color.LUMA).max() < 2
