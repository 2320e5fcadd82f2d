"""From the folders to the index: which files there are, and what each says about how it was made."""
from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from modules.gallery.index import FileFound, PictureText
from modules.imaging import infotext
from modules.imaging.foreign.file_texts import stated_texts
from modules.imaging.foreign_infotext import reading_of
from modules.imaging.open_picture import DAMAGED, FORMATS

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp")
DEEPEST = 12


def file_at(path: Path) -> FileFound:
    """What the index is told of a file that has just come. Raises OSError."""
    facts = path.stat()
    return FileFound(path=str(path), modified=facts.st_mtime, size=facts.st_size)


def files_below(roots: Sequence[Path]) -> Iterator[FileFound]:
    """Picture files in these folders and below, links to folders followed once.

    Hidden ones and their content are left out, and those whose names are no text, which neither the index nor the page can take.
    """
    seen: set[str] = set()
    for root in roots:
        yield from _files_in(str(root), seen, DEEPEST)


def _files_in(folder: str, seen: set[str], depth: int) -> Iterator[FileFound]:
    real = os.path.realpath(folder)
    if real in seen or not depth:
        return
    seen.add(real)
    try:
        with os.scandir(folder) as entries:
            members = sorted(entries, key=lambda entry: entry.name)
    except OSError:  # gone or forbidden: there is nothing to show of it
        return
    for entry in members:
        if entry.name.startswith(".") or not _is_text(entry.name):
            continue
        try:
            if entry.is_dir():
                yield from _files_in(entry.path, seen, depth - 1)
            elif entry.name.lower().endswith(ENDINGS):
                facts = entry.stat()
                yield FileFound(path=entry.path, modified=facts.st_mtime, size=facts.st_size)
        except OSError:  # it went while the folder was read
            continue


def _is_text(name: str) -> bool:
    """Whether the bytes of a file name were UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_text(path: Path) -> PictureText:
    """What a picture file says, without decoding its pixels; a text file beside it counts where it says nothing. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes: nothing is decoded here
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                reading = reading_of(stated_texts(image))
    except (Image.DecompressionBombError, *DAMAGED):
        return PictureText()
    text = reading.text or _text_beside(path)
    if not text:
        return PictureText(width=width, height=height, program=reading.program)
    fields = {key: str(value) for key, value in infotext.read_fields(text).items()}
    prompt, negative = fields.pop("Prompt", ""), fields.pop("Negative prompt", "")
    if "Size-1" in fields and "Size-2" in fields:
        fields["Size"] = f"{fields.pop('Size-1')}x{fields.pop('Size-2')}"
    return PictureText(width=width, height=height, prompt=prompt, negative=negative, program=reading.program, infotext=text, facts=fields)


def _text_beside(path: Path) -> str:
    try:
        with open(path.with_suffix(".txt"), "rb") as file:
            text = file.read(1_000_000).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    return text if infotext.read_fields(text).get("Steps") else ""  # a caption is no infotext
