"""The one decoder for pictures from outside: with limits, the right way up, in three modes."""
import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image, ImageOps, UnidentifiedImageError

from modules.errors import UserError
from modules.imaging.embedded_text import read_infotext

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP")
WITH_ALPHA = {"RGBA", "LA", "PA", "RGBa"}
T = TypeVar("T")
DAMAGED = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError, struct.error)


@dataclass(frozen=True, kw_only=True)
class PictureLimits:
    """What is refused: more pixels, frames or characters of embedded text than these."""

    pixels: int = 8192 * 8192
    frames: int = 1000
    text_bytes: int = 4_000_000


@dataclass(frozen=True, kw_only=True)
class OpenedPicture:
    """A decoded picture: RGB, RGBA or L, orientation applied; the first frame of an animation."""

    image: Image.Image
    infotext: str | None
    format: str


class PictureRefused(UserError):
    """A picture that cannot be read, or exceeds a limit."""

    status = 422


def open_picture(content: bytes, limits: PictureLimits | None = None) -> OpenedPicture:
    """Decode the bytes of a picture file in one of FORMATS. Raises PictureRefused; limits are checked before pixels are decoded."""
    def opened(image: Image.Image) -> OpenedPicture:
        return OpenedPicture(infotext=read_infotext(image), format=image.format or "", image=_plain(image))
    return decoded(content, limits, then=opened)


def decoded(content: bytes, limits: PictureLimits | None = None, *, then: Callable[[Image.Image], T]) -> T:
    """What `then` makes of the picture as Pillow decoded it, with all that the file says. Raises PictureRefused as open_picture."""
    limits = limits or PictureLimits()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            _check_limits(image, limits)
            image.load()
            _check_text(image, limits)  # text may also follow the pixels
            return then(image)
    except UnidentifiedImageError as error:
        raise _refused("It is no picture in a known format.", f"Use one of: {', '.join(FORMATS)}.") from error
    except Image.DecompressionBombError as error:
        raise _too_large(limits) from error
    except DAMAGED as error:
        reason = str(error)[:200] or type(error).__name__
        raise _refused(f"The file is damaged ({reason}).", "Save it again from the program it came from.") from error


def _check_limits(image: Image.Image, limits: PictureLimits) -> None:
    if image.width * image.height > limits.pixels:
        raise _too_large(limits)
    _check_text(image, limits)
    frames = getattr(image, "n_frames", 1)
    if frames > limits.frames:
        raise _refused(f"It has {frames:,} frames; the limit is {limits.frames:,}.", "Cut the animation, or save the frame you need.")


def _check_text(image: Image.Image, limits: PictureLimits) -> None:
    size = sum(len(value) for value in image.info.values() if isinstance(value, str | bytes))
    if size > limits.text_bytes:
        raise _refused(f"The text inside it is longer than {limits.text_bytes:,} characters.", "Save it without metadata.")


def _too_large(limits: PictureLimits) -> PictureRefused:
    return _refused(f"It has more than {limits.pixels / 1e6:.0f} megapixels.", "Make it smaller and try again.")


def _refused(why: str, remedy: str) -> PictureRefused:
    return PictureRefused("The picture cannot be read.", why, remedy)


def _plain(image: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        return upright.point(lambda value: value / 257).convert("L")
    if upright.mode in WITH_ALPHA or "transparency" in upright.info:
        mode = "RGBA"
    else:
        mode = "L" if upright.mode in ("L", "1") else "RGB"
    plain = upright.convert(mode)
    plain.info.clear()  # what the file said has been read; it must not get into pictures made from this one
    return plain
