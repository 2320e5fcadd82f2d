"""Pictures as the bytes of a file, with their infotext inside."""
import io
from dataclasses import dataclass
from typing import Any, Literal, get_args

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.imaging.exif import shortened, user_comment_block
from modules.imaging.infotext import printable

Format = Literal["png", "jpg", "jpeg", "webp", "avif", "gif"]
FORMATS: tuple[str, ...] = get_args(Format)
PILLOW_NAMES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF"}
GIF_MODES = {"L", "LA", "P", "1"}
PNG_MODES = {"RGB", "RGBA", "L", "LA", "P", "1", "I;16"}


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How pictures become files. `quality` 1..100 counts for jpg, webp and avif; `png_compress_level` is 0..9."""

    format: str = "png"
    quality: int = 80
    webp_lossless: bool = False
    png_compress_level: int = 4


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A file's content. `is_shortened`: the format could not hold the whole infotext. `note`: what a person must be told."""

    content: bytes
    extension: str
    is_shortened: bool = False
    note: str = ""


def encode(image: Image.Image, infotext: str, encoding: Encoding) -> Encoded:
    """`image` as a file. A picture that the format cannot hold (too large, unknown format) becomes a PNG, with a note."""
    infotext = printable(infotext)
    kind = encoding.format.lower().lstrip(".")
    if kind == "png":
        return Encoded(content=png_bytes(image, infotext, encoding.png_compress_level), extension="png")
    if kind not in FORMATS:
        return _as_png(image, infotext, encoding, f'Pictures cannot be saved as "{kind[:20]}"')
    embedded = shortened(infotext) if kind in ("jpg", "jpeg") else infotext
    file = io.BytesIO()
    try:
        flat = _in_mode_for(image, kind)
        flat.save(file, PILLOW_NAMES[kind], **_arguments(kind, embedded, encoding))
    except (OSError, ValueError, KeyError) as error:
        return _as_png(image, infotext, encoding, f"The picture cannot be saved as {kind} ({error})")
    return Encoded(content=file.getvalue(), extension=kind, is_shortened=embedded != infotext)


def _as_png(image: Image.Image, infotext: str, encoding: Encoding, why: str) -> Encoded:
    content = png_bytes(image, infotext, encoding.png_compress_level)
    return Encoded(content=content, extension="png", note=f"{why}; it was saved as png.")


def png_bytes(image: Image.Image, infotext: str, compress_level: int = 4) -> bytes:
    """`image` as a PNG file with `infotext` in its text chunk `parameters`."""
    chunks = PngInfo()
    if infotext:
        chunks.add_text("parameters", printable(infotext))
    file = io.BytesIO()
    picture = image if image.mode in PNG_MODES else image.convert("RGB")
    picture.save(file, "PNG", pnginfo=chunks, compress_level=compress_level)
    return file.getvalue()


def _in_mode_for(image: Image.Image, kind: str) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits; conversion by Pillow would cut off at 255
        image = image.point(lambda value: value / 257).convert("L")
    if kind in ("jpg", "jpeg"):
        return image if image.mode in ("RGB", "L") else image.convert("RGB")
    if image.mode in ("RGB", "RGBA") or (kind == "gif" and image.mode in GIF_MODES):
        return image
    return image.convert("RGBA" if image.mode in ("LA", "PA", "RGBa") or "transparency" in image.info else "RGB")


def _arguments(kind: str, infotext: str, encoding: Encoding) -> dict[str, Any]:
    if kind == "gif":
        return {"comment": infotext.encode("utf-8")} if infotext else {}
    exif = {"exif": user_comment_block(infotext)} if infotext else {}
    lossless = {"lossless": True} if kind == "webp" and encoding.webp_lossless else {}
    return {"quality": encoding.quality, **lossless, **exif}
