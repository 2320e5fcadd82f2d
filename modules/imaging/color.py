"""Colour correction: the colours of a result brought to those of the picture it was made from, its lightness kept."""
from __future__ import annotations

import numpy as np
from PIL import Image

# CIE 1976 L*a*b* of sRGB with D65 white, in 8 bits: L * 255 / 100, a + 128, b + 128.
TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]], dtype=np.float32)
WHITE = np.array([0.950456, 1.0, 1.088754], dtype=np.float32)
LINEAR_BELOW = 0.008856
LUMA = np.array([0.3, 0.59, 0.11], dtype=np.float32)

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
    xyz = _linear_table()[rgb] @ (TO_XYZ / WHITE[:, None]).T
    f = np.where(xyz > LINEAR_BELOW, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    light = np.where(xyz[..., 1] > LINEAR_BELOW, 116 * f[..., 1] - 16, 903.3 * xyz[..., 1])
    lab = np.stack([light * 2.55, 500 * (f[..., 0] - f[..., 1]) + 128, 200 * (f[..., 1] - f[..., 2]) + 128], axis=-1)
    return np.clip(np.rint(lab), 0, 255).astype(np.uint8)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """8-bit L*a*b* [H, W, 3] to sRGB uint8; colours outside sRGB are cut off."""
    light, a, b = lab[..., 0] / np.float32(2.55), lab[..., 1] - np.float32(128), lab[..., 2] - np.float32(128)
    is_dark = light <= 903.3 * LINEAR_BELOW
    y = np.where(is_dark, light / 903.3, ((light + 16) / 116) ** 3)
    fy = np.where(is_dark, 7.787 * y + 16 / 116, (light + 16) / 116)
    f = np.stack([fy + a / 500, fy, fy - b / 200], axis=-1)
    xyz = np.where(f > 0.206893, f**3, (f - 16 / 116) / 7.787)
    xyz[..., 1] = y
    linear = np.clip((xyz * WHITE) @ np.linalg.inv(TO_XYZ).T, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(np.rint(srgb * 255), 0, 255).astype(np.uint8)


def _linear_table() -> np.ndarray:
    """Linear light, float32 [256], of every sRGB level."""
    level = np.arange(256, dtype=np.float32) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


def with_luminosity_of(colours: np.ndarray, light: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3]: hue and saturation of `colours`, luminosity of `light`. W3C Compositing and Blending, "luminosity"."""
    base, other = colours.astype(np.float32) / 255, light.astype(np.float32) / 255
    wanted = other @ LUMA
    moved = base + (wanted - base @ LUMA)[..., None]
    lowest, highest, middle = moved.min(axis=-1), moved.max(axis=-1), wanted[..., None]
    low = np.where(lowest < 0, wanted / np.maximum(wanted - lowest, 1e-6), 1)[..., None]
    moved = middle + (moved - middle) * low
    high = np.where(highest > 1, (1 - wanted) / np.maximum(highest - wanted, 1e-6), 1)[..., None]
    moved = middle + (moved - middle) * high
    return np.clip(np.rint(moved * 255), 0, 255).astype(np.uint8)
