"""The infotext inside a picture file, whatever program wrote it."""
import struct
from collections.abc import Callable

from PIL import Image

from modules.imaging.exif import EXIF_POINTER, USER_COMMENT, comment_text

Dialect = Callable[[Image.Image], str | None]


def read_infotext(image: Image.Image) -> str | None:
    """The infotext stored in an opened picture, or None: the first that one of DIALECTS finds."""
    for dialect in DIALECTS:
        text = dialect(image)
        if text:
            return text
    return None


def _from_text_chunk(image: Image.Image) -> str | None:
    text = image.info.get("parameters")
    return str(text) if isinstance(text, str) else None


def _from_exif(image: Image.Image) -> str | None:
    try:
        return comment_text(image.getexif().get_ifd(EXIF_POINTER).get(USER_COMMENT))
    except (ValueError, TypeError, KeyError, OSError, SyntaxError, struct.error):  # damaged by another program; the picture is fine
        return None


def _from_comment(image: Image.Image) -> str | None:
    comment = image.info.get("comment")
    if isinstance(comment, bytes):
        return comment.decode("utf-8", "replace").strip("\0") or None
    return comment if isinstance(comment, str) else None


# One row per way of storing; formats of other programs are further rows.
DIALECTS: tuple[Dialect, ...] = (_from_text_chunk, _from_exif, _from_comment)
