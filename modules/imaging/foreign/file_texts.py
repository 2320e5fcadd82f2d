"""Every text inside a picture file under the name that it has there: chunks of PNG, EXIF, comments, XMP, and text hidden in pixels."""
from __future__ import annotations

import struct

from PIL import Image

from modules.imaging.exif import EXIF_POINTER, comment_text
from modules.imaging.foreign.draft import json_object
from modules.imaging.foreign.stealth import stealth_text
from modules.imaging.infotext import printable

# Tags of EXIF that hold text; those of Windows are UTF-16.
MAIN_TAGS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x013B: "Artist", 0x8298: "Copyright"}
WINDOWS_TAGS = {0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9D: "XPAuthor", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject"}
PHOTO_TAGS = {0x9286: "UserComment", 0x927C: "MakerNote"}
COMMENTS = ("comment", "Comment")
XMP = ("xmp", "XML:com.adobe.xmp")
MOST_TEXTS = 500
DAMAGED = (ValueError, TypeError, KeyError, IndexError, OSError, SyntaxError, OverflowError, struct.error)
STEALTH = "stealth"


def texts_in(image: Image.Image) -> dict[str, str]:
    """Name -> text, in the order of the file, and what is hidden in its pixels. A damaged part is left out; nothing is raised."""
    texts = stated_texts(image)
    hidden = stealth_text(image)
    if hidden.strip("\0 "):
        for name, text in _hidden_texts(hidden).items():
            texts.setdefault(name, printable(text))
    return texts


def stated_texts(image: Image.Image) -> dict[str, str]:
    """The same without what is hidden in the pixels, which are not decoded for it."""
    texts: dict[str, str] = {}
    for name, value in list(image.info.items())[:MOST_TEXTS]:
        if isinstance(value, bytes) and (name in COMMENTS or name in XMP):
            value = value.decode("utf-8", "replace")
        if isinstance(name, str) and isinstance(value, str) and value.strip("\0 "):
            texts["XMP" if name in XMP else printable(name)] = printable(value)
    for name, text in _exif_texts(image).items():
        texts.setdefault(name, printable(text))
    return texts


def _exif_texts(image: Image.Image) -> dict[str, str]:
    try:
        exif = image.getexif()
        photo = exif.get_ifd(EXIF_POINTER)
    except DAMAGED:  # by another program; the picture is fine
        return {}
    found: dict[str, str | None] = {}
    for tags, values in ((MAIN_TAGS, exif), (PHOTO_TAGS, photo), (PHOTO_TAGS, exif)):
        for tag, name in tags.items():
            found[name] = found.get(name) or comment_text(values.get(tag))
    for tag, name in WINDOWS_TAGS.items():
        value = exif.get(tag)
        if isinstance(value, bytes):
            found[name] = value.decode("utf-16-le", "replace").strip("\0 ")
    return {name: text for name, text in found.items() if text}


def _hidden_texts(hidden: str) -> dict[str, str]:
    """NovelAI hides an object with one text for each name of a chunk; others hide an infotext."""
    texts = {name: text for name, text in list(json_object(hidden).items())[:MOST_TEXTS] if isinstance(text, str)}
    return texts if "Comment" in texts or "Description" in texts else {"parameters": hidden, STEALTH: hidden}
