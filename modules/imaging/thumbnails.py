"""Small copies of picture files, kept in a folder of the cache until the picture changes."""
from __future__ import annotations

import hashlib
import io
import os
import time
import warnings
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageOps

from modules.atomic_files import write_atomically
from modules.errors import report
from modules.imaging.open_picture import DAMAGED, FORMATS, PictureLimits, PictureRefused

QUALITY = 80
TOUCHED_AFTER_S = 24 * 60 * 60  # a kept copy says by its time when it was last shown, to the day (leftovers.py)


def folder_of_thumbnails(cache: Path) -> Path:
    """Where small copies are kept below the folder of the cache."""
    return cache / "thumbnails"


def thumbnail(path: Path, cache: Path, side_px: int) -> bytes:
    """A WebP of the picture whose longer side has at most `side_px`, from the cache or made now. Raises PictureRefused, OSError."""
    facts = path.stat()
    key = hashlib.sha256(f"{path}|{facts.st_mtime_ns}|{facts.st_size}|{side_px}".encode("utf-8", "surrogatepass")).hexdigest()
    kept = cache / key[:2] / f"{key[2:34]}.webp"
    try:
        content = kept.read_bytes()
    except OSError:
        return _made(path, kept, side_px)
    with suppress(OSError):  # a folder that is read-only: nothing depends on this
        if time.time() - kept.stat().st_mtime > TOUCHED_AFTER_S:
            os.utime(kept)
    return content


def _made(path: Path, kept: Path, side_px: int) -> bytes:
    content = reduced(path, side_px)
    try:
        write_atomically(kept, content)
    except OSError as error:  # a full disk costs time, not the picture
        report("A thumbnail could not be kept.", error)
    return content


def reduced(path: Path, side_px: int) -> bytes:
    """The same without a cache."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is lower
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > PictureLimits().pixels:
                    raise PictureRefused("The picture is too large for a thumbnail.")
                image.draft("RGB", (side_px * 2, side_px * 2))  # JPEG decodes at a fraction of its size
                small = ImageOps.exif_transpose(image)
                small = small.convert("RGBA" if "A" in small.getbands() or "transparency" in small.info else "RGB")
                small.thumbnail((side_px, side_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    except (Image.DecompressionBombError, *DAMAGED) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise PictureRefused("The picture cannot be read.", "The file is damaged.") from error
    target = io.BytesIO()
    small.save(target, "WEBP", quality=QUALITY, method=2)
    return target.getvalue()
