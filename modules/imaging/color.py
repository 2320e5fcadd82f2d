"""Colour correction: the colours of a result brought to those of the picture it was made from, its lightness kept."""
from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

# CIE 1976 L*a*b* of sRGB with D65 white, in 8 bits (L * 255 / 100, a + 128, b + 128), computed in whole numbers as OpenCV does:
# matching histograms makes steps of whole levels, so that a rounding of its own would be seen.
TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
FROM_XYZ = np.array([[3.240479, -1.53715, -0.498535], [-0.969256, 1.875991, 0.041556], [0.055648, -0.204043, 1.057311]])
WHITE = np.array([0.950456, 1.0, 1.088754])
MATRIX_BITS, LIGHT_BITS, ROOT_BITS, XYZ_BITS, LINEAR_BITS = 12, 3, 15, 14, 12
DARK_L, DARK_FACTOR = 8, 903.3  # up to this L* the scale is linear
LUMA = np.array([0.299, 0.587, 0.114])

ColorTarget = np.ndarray


def setup_color_correction(picture: Image.Image) -> ColorTarget:
    """The colours to be met: uint8 [H, W, 3] in L*a*b*."""
    return rgb_to_lab(np.asarray(picture.convert("RGB")))


def apply_color_correction(target: ColorTarget, picture: Image.Image) -> Image.Image:
    """RGB `picture` with the distribution of each L*a*b* channel that of `target`, then with its own luminosity again."""
    original = np.asarray(picture.convert("RGB"))
    lab = rgb_to_lab(original)
    matched = np.stack([with_histogram_of(lab[..., i], target[..., i]) for i in range(3)], axis=-1)
    return Image.fromarray(with_luminosity_of(lab_to_rgb(matched), original))


def with_histogram_of(levels: np.ndarray, target: np.ndarray) -> np.ndarray:
    """uint8 levels [H, W] mapped, keeping their order, to the distribution of the levels in `target`."""
    counts = np.bincount(levels.ravel(), minlength=256)
    target_counts = np.bincount(target.ravel(), minlength=256)
    occurring = np.flatnonzero(target_counts)
    reached = np.cumsum(target_counts[occurring]) / target.size
    table = np.interp(np.cumsum(counts) / levels.size, reached, occurring)
    return table.astype(np.uint8)[levels]


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB uint8 [H, W, 3] to 8-bit L*a*b*."""
    matrix = np.rint(2**MATRIX_BITS * TO_XYZ / WHITE[:, None]).astype(np.int64)
    root = _cube_roots()[_descaled(_linear_light()[rgb] @ matrix.T, MATRIX_BITS)]
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    black = (16 * 255 * 2**ROOT_BITS + 50) // 100
    light = (116 * 255 + 50) // 100 * y - black
    middle = 128 << ROOT_BITS
    lab = np.stack([light, 500 * (x - y) + middle, 200 * (y - z) + middle], axis=-1)
    return np.clip(_descaled(lab, ROOT_BITS), 0, 255).astype(np.uint8)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """8-bit L*a*b* [H, W, 3] to sRGB uint8; colours outside sRGB are cut off."""
    light, a, b = (lab[..., i].astype(np.int64) for i in range(3))
    luminance, root = _luminances()
    one = 2**XYZ_BITS
    x = _cubed(root[light] + ((5 * a * 53687 + 2**7) >> 13) - 128 * one // 500)
    z = _cubed(root[light] - (((b * 41943 + 2**4) >> 9) - 128 * one // 200 + 1))
    matrix = np.rint(2**MATRIX_BITS * FROM_XYZ * WHITE).astype(np.int64)
    linear = _descaled(np.stack([x, luminance[light], z], axis=-1) @ matrix.T, MATRIX_BITS + XYZ_BITS - LINEAR_BITS)
    return _srgb_levels()[np.clip(linear, 0, 2**LINEAR_BITS - 1)]


def _descaled(value: np.ndarray, bits: int) -> np.ndarray:
    return (value + (1 << (bits - 1))) >> bits


@cache
def _linear_light() -> np.ndarray:
    """Of every sRGB level, in 8ths of a level."""
    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.rint(linear * (255 << LIGHT_BITS)).astype(np.int64)


@cache
def _cube_roots() -> np.ndarray:
    """f(t) of the definition of L*a*b* for linear light up to 1.5."""
    light = np.arange(256 * 3 // 2 << LIGHT_BITS) / (255 << LIGHT_BITS)
    root = np.where(light < 216 / 24389, light * 841 / 108 + 16 / 116, np.cbrt(light))
    return np.rint(root * 2**ROOT_BITS).astype(np.int64)


@cache
def _luminances() -> tuple[np.ndarray, np.ndarray]:
    """Y and f(Y) of every 8-bit L*."""
    light = np.arange(256) * 100 / 255
    is_dark = light <= DARK_L
    root = np.where(is_dark, 7.787 * light / DARK_FACTOR + 16 / 116, (light + 16) / 116)
    luminance = np.where(is_dark, light / DARK_FACTOR, ((light + 16) / 116) ** 3)
    return np.rint(luminance * 2**XYZ_BITS).astype(np.int64), np.rint(root * 2**XYZ_BITS).astype(np.int64)


def _cubed(root: np.ndarray) -> np.ndarray:
    """The inverse of f(t), both in 2**14ths."""
    one = 2**XYZ_BITS
    straight = root * 108 // 841 - one * 16 // 116 * 108 // 841
    return np.where(root <= 6 * one // 29, straight, root * root // one * root // one)


@cache
def _srgb_levels() -> np.ndarray:
    """The level of every 4096th of linear light."""
    linear = np.arange(2**LINEAR_BITS) / 2**LINEAR_BITS
    return np.rint(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)).astype(np.uint8)


def with_luminosity_of(colours: np.ndarray, light: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3]: hue and saturation of `colours`, luminosity of `light`. W3C Compositing and Blending, "luminosity"."""
    base, other = colours / 255, light / 255
    wanted = other @ LUMA
    moved = base + (wanted - base @ LUMA)[..., None]
    lowest, highest, middle = moved.min(axis=-1), moved.max(axis=-1), wanted[..., None]
    away = moved - middle
    low = (wanted / np.maximum(wanted - lowest, 1e-9))[..., None]
    high = ((1 - wanted) / np.maximum(highest - wanted, 1e-9))[..., None]
    within = np.where((lowest < 0)[..., None], middle + away * low, moved)
    within = np.where((highest > 1)[..., None], middle + away * high, within)
    return (np.clip(within, 0, 1) * 255).astype(np.uint8)  # cut off, not rounded, as in pictures that exist
