"""Masks of inpainting: from any picture to levels, blurred, cropped, and what they leave of a picture."""
from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter, ImageOps

Box = tuple[int, int, int, int]

OPAQUE = 255
DRAWN_THRESHOLD = 128
KERNEL_ONE = 256  # the kernel's weights are whole 256ths, as in OpenCV's 8-bit blur
FILL_RADII = (256, 64, 16, 16, 4, 4, 4, 4, 2, 2, 0)


def mask_of(picture: Image.Image, *, rounded: bool = True) -> Image.Image:
    """The mask [L, 0..255, 255 = repaint] that a picture stands for: its alpha where that varies or is not full, else its luminance.

    `rounded` makes alpha 0 or 255 (threshold 128); luminance keeps its greys.
    """
    if picture.mode != "RGBA" or picture.getextrema()[-1] == (OPAQUE, OPAQUE):
        return picture.convert("L")
    alpha = picture.getchannel("A")
    return alpha.point(lambda level: OPAQUE if level > DRAWN_THRESHOLD else 0) if rounded else alpha


def inverted(mask: Image.Image) -> Image.Image:
    """Repaint and keep exchanged."""
    return ImageOps.invert(mask)


def blurred(mask: Image.Image, sigma_x: float, sigma_y: float) -> Image.Image:
    """A Gaussian blur of an L mask along both axes, in px; 0 leaves an axis alone. Borders are mirrored.

    Kernel of 2 int(2.5 sigma + 0.5) + 1 taps in 8-bit fixed point: byte for byte what OpenCV gives, as the box around a blurred
    mask, and with it the picture, depends on the last levels of its tail.
    """
    levels = np.asarray(mask)
    if sigma_x > 0:
        levels = _blurred_along_rows(levels, sigma_x)
    if sigma_y > 0:
        levels = _blurred_along_rows(levels.T, sigma_y).T
    return Image.fromarray(np.ascontiguousarray(levels))


def gaussian_kernel(sigma: float) -> np.ndarray:
    """Whole weights with the sum 256, int64 [2 int(2.5 sigma + 0.5) + 1]; what rounding takes from a tap goes to the next one inwards."""
    taps = 2 * int(2.5 * sigma + 0.5) + 1
    distance = np.arange(taps) - taps // 2
    exact = np.exp(-(distance**2) / (2 * sigma**2))
    exact /= exact.sum()
    kernel, carried = np.zeros(taps, dtype=np.int64), 0.0
    for i in range(taps // 2):
        wanted = exact[i] * KERNEL_ONE + carried
        kernel[i] = kernel[-1 - i] = round(wanted)
        carried = wanted - kernel[i]
    kernel[taps // 2] = KERNEL_ONE - kernel.sum()
    return kernel


def _blurred_along_rows(levels: np.ndarray, sigma: float) -> np.ndarray:
    """uint8 [H, W] blurred along W. Only rows and columns with both kept and repainted places are worked on."""
    kernel = gaussian_kernel(sigma)
    is_mostly_full = levels.mean() > OPAQUE / 2
    sparse = OPAQUE - levels if is_mostly_full else levels
    result = np.full_like(levels, OPAQUE if is_mostly_full else 0)
    rows, columns = np.flatnonzero(sparse.any(axis=1)), np.flatnonzero(sparse.any(axis=0))
    if not len(rows):
        return result
    margin = 2 * (len(kernel) // 2)
    top, bottom = rows[0], rows[-1] + 1
    left, right = max(columns[0] - margin, 0), min(columns[-1] + 1 + margin, levels.shape[1])
    sums = _weighted_sums(sparse[top:bottom, left:right], kernel)
    half = KERNEL_ONE // 2
    # The same sum, rounded as if the full mask had been worked on.
    result[top:bottom, left:right] = OPAQUE + (half - sums) // KERNEL_ONE if is_mostly_full else (sums + half) // KERNEL_ONE
    return result


def _weighted_sums(levels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """int32 [H, W]: of each level and its neighbours along W, the borders mirrored."""
    reach = len(kernel) // 2
    padded = np.pad(levels, ((0, 0), (reach, reach)), mode="reflect" if levels.shape[1] > 1 else "edge").astype(np.float32)
    size = padded.shape[1]
    # Sums of products of whole numbers below 2**16: a transform in float32 is off by less than one half.
    product = np.fft.rfft(padded, axis=1) * np.fft.rfft(kernel.astype(np.float32), size)
    return np.rint(np.fft.irfft(product, size, axis=1)[:, 2 * reach:]).astype(np.int32)


def doubled(mask: Image.Image) -> Image.Image:
    """min(255, 2 * level): the blur of a whole-picture mask reaches outwards only."""
    return mask.point(lambda level: min(OPAQUE, 2 * level))


def crop_region(mask: Image.Image, padding: int = 0) -> Box | None:
    """The box around all levels above 0 with `padding` px around it, inside the picture; None for an empty mask."""
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    return max(left - padding, 0), max(top - padding, 0), min(right + padding, mask.width), min(bottom + padding, mask.height)


def expanded_region(region: Box, size: tuple[int, int], picture_size: tuple[int, int]) -> Box:
    """`region` enlarged along one axis towards the aspect of `size`, as far as the picture allows."""
    left, top, right, bottom = region
    aspect = size[0] / size[1]
    if (right - left) / (bottom - top) > aspect:
        top, bottom = _enlarged(top, bottom, int((right - left) / aspect), picture_size[1])
    else:
        left, right = _enlarged(left, right, int((bottom - top) * aspect), picture_size[0])
    return left, top, right, bottom


def _enlarged(low: int, high: int, length: int, limit: int) -> tuple[int, int]:
    """An interval of this length around [low, high), pushed inside [0, limit), at most all of it."""
    missing = length - (high - low)
    low -= missing // 2
    high = low + length
    if high >= limit:
        low, high = low - (high - limit), limit
    if low < 0:
        low, high = 0, high - low
    return low, min(high, limit)


def filled(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """RGB `picture` with what the mask covers painted in the colours around it: ever finer blurs of the rest over one another."""
    kept = kept_part(picture, mask)
    result = Image.new("RGBA", picture.size)
    blurs: dict[int, Image.Image] = {}
    for radius in FILL_RADII:
        if radius not in blurs:
            blurs[radius] = kept.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        result.alpha_composite(blurs[radius])
    return result.convert("RGB")


def kept_part(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """RGBa (premultiplied): the picture where the mask is 0, transparent where it is 255."""
    kept = Image.new("RGBa", picture.size)
    kept.paste(picture.convert("RGBA").convert("RGBa"), mask=inverted(mask.convert("L")))
    return kept


def painted(picture: Image.Image, paint: Image.Image) -> Image.Image:
    """RGB: a layer of paint (RGBA, of any size) over a picture."""
    base = picture.convert("RGBA")
    base.alpha_composite(_layer(paint, base.size))
    return base.convert("RGB")


def mask_from_paint(paint: Image.Image, *, threshold: int = 0) -> Image.Image:
    """The mask of inpaint sketch [L, 0 or 255]: every place that got any paint."""
    return paint.convert("RGBA").getchannel("A").point(lambda level: OPAQUE if level > threshold else 0)


def painted_through(picture: Image.Image, paint: Image.Image, *, transparency: float, blur: float) -> Image.Image:
    """RGB: paint over a picture for inpaint sketch. transparency 0..100 lets the picture show through; blur in px softens the edge."""
    layer = _layer(paint, picture.size)
    share = mask_from_paint(layer).point(lambda level: int(level * (100 - transparency) / 100))
    if blur > 0:
        share = share.filter(ImageFilter.GaussianBlur(blur))
    return Image.composite(painted(picture, layer), picture.convert("RGB"), share)


def _layer(paint: Image.Image, size: tuple[int, int]) -> Image.Image:
    layer = paint.convert("RGBA")
    return layer if layer.size == size else layer.resize(size, Image.Resampling.LANCZOS)
