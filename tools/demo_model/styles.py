"""Styles that change a whole picture: pencil sketch, watercolor, pixel art, neon."""
import numpy as np

from tools.demo_model.canvas import Array


def styled(img: Array, style: str, rng: np.random.Generator) -> Array:
    """img: float32 [h, w, 3] in 0..255 -> the same in a style; an empty style leaves it as it is."""
    unit = min(img.shape[:2]) / 128
    if style == "pencil sketch":
        return pencil_sketch(img, unit)
    if style == "watercolor":
        return watercolor(img, unit, rng)
    if style == "pixel art":
        return pixel_art(img, unit)
    if style == "neon":
        return neon(img, unit)
    return img


def blur(a: Array, sigma: float) -> Array:
    """Gaussian blur of [h, w] or [h, w, c]."""
    n = max(1, int(2.5 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-n, n + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        pad = [(0, 0)] * a.ndim
        pad[axis] = (n, n)
        padded = np.pad(a, pad, mode="edge")
        a = sum(weight * np.take(padded, range(i, i + a.shape[axis]), axis) for i, weight in enumerate(kernel))
    return a


def edges(img: Array) -> Array:
    """How much the colour changes at each pixel, [h, w]."""
    gy, gx = np.zeros_like(img), np.zeros_like(img)
    gy[1:-1] = img[2:] - img[:-2]
    gx[:, 1:-1] = img[:, 2:] - img[:, :-2]
    return np.sqrt((gx ** 2 + gy ** 2).sum(-1) / 3)


def pixel_grid(img: Array, unit: float) -> tuple[Array, Array]:
    yy, xx = np.mgrid[0:img.shape[0], 0:img.shape[1]].astype(np.float32) / unit
    return yy, xx


def pencil_sketch(img: Array, unit: float) -> Array:
    gray = blur(img, 0.7 * unit).mean(-1)
    lines = np.clip(edges(blur(img, 0.6 * unit)) / 34 * 1.0, 0, 1)
    yy, xx = pixel_grid(img, unit)
    hatch = 0.5 + 0.5 * np.sin((xx + yy) * 0.62 + 0.5 * np.sin(yy * 0.13))
    tone = np.clip(1 - gray / 205, 0, 1)
    value = 244 - 70 * tone - 62 * hatch * tone - 150 * lines
    return np.clip(value, 24, 250)[..., None] * np.array([1, 0.99, 0.96], np.float32)


def watercolor(img: Array, unit: float, rng: np.random.Generator) -> Array:
    h, w = img.shape[:2]
    yy, xx = pixel_grid(img, unit)
    phase = rng.random(6) * 6.28
    dx = 1.2 * np.sin(yy * 0.21 + phase[0]) + 0.7 * np.sin(xx * 0.33 + yy * 0.1 + phase[1])
    dy = 1.2 * np.sin(xx * 0.19 + phase[2]) + 0.7 * np.sin(yy * 0.31 - xx * 0.12 + phase[3])
    ix = np.clip(((xx + dx) * unit).astype(int), 0, w - 1)
    iy = np.clip(((yy + dy) * unit).astype(int), 0, h - 1)
    flowing = blur(img[iy, ix], 1.3 * unit)
    wash = (0.5 + 0.25 * np.sin(xx * 0.07 + 2 * np.sin(yy * 0.05 + phase[4]) + phase[5])
            + 0.25 * np.sin(yy * 0.09 + xx * 0.04 + phase[0]))
    outline = np.clip(edges(flowing) / 60, 0, 1)[..., None]
    paper = np.array([250, 246, 236], np.float32)
    strength = (0.64 + 0.22 * wash)[..., None]
    painted = paper * (1 - strength) + flowing * strength - 26 * outline
    inside = np.minimum(np.minimum(xx, w / unit - xx), np.minimum(yy, h / unit - yy)) + 2.5 * np.sin((xx + yy) * 0.11 + phase[1]) - 5
    frame = np.clip(inside / 4, 0, 1)[..., None]
    return np.clip(paper * (1 - frame) + painted * frame, 0, 255)


def pixel_art(img: Array, unit: float) -> Array:
    h, w = img.shape[:2]
    n = max(1, round(4 * unit))
    rows, columns = h // n, w // n
    small = img[: rows * n, : columns * n].reshape(rows, n, columns, n, 3).mean((1, 3))
    small = np.clip(np.round((small * 1.06 - 4) / 32) * 32, 0, 255)
    big = np.repeat(np.repeat(small, n, 0), n, 1)
    return np.pad(big, ((0, h - rows * n), (0, w - columns * n), (0, 0)), mode="edge")


def neon(img: Array, unit: float) -> Array:
    smooth = blur(img, 0.8 * unit)
    outline = np.clip(edges(smooth) / 42, 0, 1)[..., None]
    gray = smooth.mean(-1, keepdims=True)
    vivid = np.clip(gray + (smooth - gray) * 2.6 + 40, 0, 255)
    vivid = vivid / np.maximum(vivid.max(-1, keepdims=True), 90) * 255
    line = vivid * outline
    glow = blur(line, 3.2 * unit)
    return np.clip(np.array([10, 6, 24], np.float32) + img * 0.10 + line * 0.95 + glow * 0.9, 0, 255)
