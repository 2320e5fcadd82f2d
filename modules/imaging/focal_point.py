"""Where a person looks in a picture: faces, sharp corners, places with much variety; and a crop around that."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORKING_PX = 256
CORNERS = 60
STEP_PX = 4
Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class FocalWeights:
    """How much each kind of interest counts, 0 to 1."""

    face: float = 0.9
    entropy: float = 0.15
    edges: float = 0.5


@dataclass(frozen=True, kw_only=True)
class FocalPoint:
    """A place in px of the picture; `weight` is its share of its kind's weight."""

    x: float
    y: float
    weight: float
    kind: Literal["face", "entropy", "edges"]


def focal_points(image: Image.Image, size: tuple[int, int], weights: FocalWeights, faces: Sequence[Box] = ()) -> list[FocalPoint]:
    """The interesting points of `image` for a crop of the form of `size`. faces: boxes (left, top, right, bottom) in px."""
    shrink = min(1.0, WORKING_PX / max(image.size))
    small_size = max(1, round(image.width * shrink)), max(1, round(image.height * shrink))
    small = image.convert("L").resize(small_size, Image.Resampling.BILINEAR)
    grey = np.asarray(small, np.float32)
    points: list[FocalPoint] = []
    if weights.face > 0 and faces:
        areas = [(right - left) * (bottom - top) for left, top, right, bottom in faces]
        points += [FocalPoint(x=(left + right) / 2, y=(top + bottom) / 2, weight=weights.face * area / sum(areas), kind="face")
                   for (left, top, right, bottom), area in zip(faces, areas, strict=True)]
    if weights.edges > 0:
        corners = strongest_corners(grey, CORNERS)
        points += [FocalPoint(x=x / shrink, y=y / shrink, weight=weights.edges / len(corners), kind="edges") for x, y in corners]
    if weights.entropy > 0:
        x, y = centre_of_variety(grey, size)
        points.append(FocalPoint(x=x / shrink, y=y / shrink, weight=weights.entropy, kind="entropy"))
    return points


def weighted_centre(points: Sequence[FocalPoint], size: tuple[int, int]) -> tuple[float, float]:
    """The mean of all points; the middle of the picture where there is none."""
    total = sum(point.weight for point in points)
    if not total:
        return size[0] / 2, size[1] / 2
    return sum(point.x * point.weight for point in points) / total, sum(point.y * point.weight for point in points) / total


def crop_around(image: Image.Image, size: tuple[int, int], centre: tuple[float, float]) -> Image.Image:
    """`size` px of `image`, scaled so that it covers them, around `centre` (px of `image`) as far as the borders let it."""
    width, height = size
    scale = max(width / image.width, height / image.height)
    part = min(image.width, width / scale), min(image.height, height / scale)
    left = min(max(0.0, centre[0] - part[0] / 2), image.width - part[0])
    top = min(max(0.0, centre[1] - part[1] / 2), image.height - part[1])
    return image.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + part[0], top + part[1]))


def strongest_corners(grey: NDArray[np.float32], count: int) -> list[tuple[float, float]]:
    """Places (x, y) where brightness changes in both directions: the smaller eigenvalue of the structure tensor. Shi and Tomasi 1994."""
    if min(grey.shape) < 5:
        return []
    dy, dx = np.gradient(grey)
    xx, yy, xy = (_blurred(np.asarray(product)) for product in (dx * dx, dy * dy, dx * dy))
    strength = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy ** 2)
    places = np.argsort(strength, axis=None)[::-1][:count]
    found = [np.unravel_index(place, strength.shape) for place in places if strength.flat[place] > 1]
    return [(float(x), float(y)) for y, x in found]


def _blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over 3 x 3 places."""
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    means: NDArray[np.float32] = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    return means


def centre_of_variety(grey: NDArray[np.float32], size: tuple[int, int]) -> tuple[float, float]:
    """The middle of the crop, of the form of `size`, whose brightness has the highest entropy."""
    height, width = grey.shape
    scale = max(size[0] / width, size[1] / height)
    crop_w, crop_h = max(1, min(width, round(size[0] / scale))), max(1, min(height, round(size[1] / scale)))
    best, centre = -1.0, (width / 2, height / 2)
    for top in range(0, height - crop_h + 1, STEP_PX):
        for left in range(0, width - crop_w + 1, STEP_PX):
            variety = entropy(grey[top:top + crop_h, left:left + crop_w])
            if variety > best + 1e-6:
                best, centre = variety, (left + crop_w / 2, top + crop_h / 2)
    return centre


def entropy(values: NDArray[np.float32]) -> float:
    """Bits per pixel of the brightness, in 64 levels."""
    counts = np.bincount((values / 4).astype(np.int64).ravel(), minlength=64)
    shares = counts[counts > 0] / values.size
    return float(-(shares * np.log2(shares)).sum())
