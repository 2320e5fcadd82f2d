"""Fits a picture into a size: stretch it, crop it, or fill the borders."""
from collections.abc import Callable
from enum import IntEnum

from PIL import Image

Upscale = Callable[[Image.Image, float], Image.Image]


class ResizeMode(IntEnum):
    """What happens when the aspect differs; the numbers are those of the API."""

    STRETCH = 0
    CROP = 1
    FILL = 2


def resize_image(mode: ResizeMode | int, image: Image.Image, width: int, height: int, upscale: Upscale | None = None) -> Image.Image:
    """`image` at width x height px. `upscale(image, factor)` enlarges, then Lanczos makes the exact size; without it Lanczos alone.

    CROP scales to cover the size and cuts what stands out, centred. FILL scales to fit inside and repeats the border pixels.
    """
    if mode == ResizeMode.STRETCH:
        return _scaled(image, width, height, upscale)
    is_wider = width / height > image.width / image.height
    along_width = is_wider if mode == ResizeMode.CROP else width / height < image.width / image.height
    along_height = not is_wider if mode == ResizeMode.CROP else width / height >= image.width / image.height
    inner_width = width if along_width else image.width * height // image.height
    inner_height = height if along_height else image.height * width // image.width
    inner = _scaled(image, max(inner_width, 1), max(inner_height, 1), upscale)
    left, top = width // 2 - inner.width // 2, height // 2 - inner.height // 2
    whole = Image.new(inner.mode if inner.mode == "L" else "RGB", (width, height))
    whole.paste(inner, (left, top))
    if mode == ResizeMode.FILL:
        _repeat_borders(whole, inner, left, top)
    return whole


def _scaled(image: Image.Image, width: int, height: int, upscale: Upscale | None) -> Image.Image:
    factor = max(width / image.width, height / image.height)
    if upscale is not None and factor > 1 and image.mode != "L":
        image = upscale(image, factor)
    if image.size == (width, height) and upscale is not None:
        return image
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _repeat_borders(whole: Image.Image, inner: Image.Image, left: int, top: int) -> None:
    """Stretch the borders of `inner`, lying in `whole` at (left, top), to the edges.

    A box without extent makes Pillow's bicubic filter read just the border, sharpened by its neighbour; recorded pictures have that.
    """
    width, height = inner.size
    right, bottom = left + width, top + height
    if top > 0:
        whole.paste(inner.resize((width, top), box=(0, 0, width, 0)), (left, 0))
    if bottom < whole.height:
        whole.paste(inner.resize((width, whole.height - bottom), box=(0, height, width, height)), (left, bottom))
    if left > 0:
        whole.paste(inner.resize((left, height), box=(0, 0, 0, height)), (0, top))
    if right < whole.width:
        whole.paste(inner.resize((whole.width - right, height), box=(width, 0, width, height)), (right, top))
