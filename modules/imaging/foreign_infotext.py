"""Generation parameters in a picture file, whatever program wrote them, as an infotext."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from modules import errors
from modules.imaging.foreign import comfyui, flat, infotexts, invokeai, novelai
from modules.imaging.foreign.draft import Translation
from modules.imaging.foreign.file_texts import texts_in
from modules.imaging.open_picture import decoded

Reader = Callable[[Mapping[str, str]], Translation | None]

# In this order: a line of parameters comes first, since programs with formats of their own write it for others to read.
READERS: tuple[Reader, ...] = (
    infotexts.read, novelai.read, invokeai.read, flat.fooocus, flat.swarmui, comfyui.read, flat.draw_things, flat.easy_diffusion,
    infotexts.read_prompt,
)
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a picture file says: `text`, an infotext, empty if it has no parameters; the `program` that wrote it, empty if unknown;
    `notes`, sentences about what could not be expressed; `others`, every text in the file under its own name."""

    text: str = ""
    program: str = ""
    notes: tuple[str, ...] = ()
    others: dict[str, str] = field(default_factory=dict)


def read_parameters(picture: Image.Image | bytes | Path) -> Reading:
    """The parameters in a picture: a file, its bytes, or an image as Pillow opened it.

    Whatever the texts in it hold, reading ends soon and raises nothing. A file that is no picture, or is too large: PictureRefused.
    """
    if isinstance(picture, Path):
        picture = picture.read_bytes()
    if isinstance(picture, bytes):
        return decoded(picture, then=read_parameters)
    return reading_of(texts_in(picture))


def reading_of(texts: Mapping[str, str]) -> Reading:
    """What the texts of a file say, under the names that they have there."""
    others = dict(texts)
    for reader in READERS:
        try:
            found = reader(others)
        except UNREADABLE as exc:  # a mistake of ours; the file's texts can still be shown
            errors.report("Parameters of another program could not be read.", exc)
            return Reading(others=others, notes=("The parameters are in a form that could not be read; the log says why.",))
        if found is not None:
            return Reading(text=found.text, program=found.program, notes=found.notes, others=others)
    return Reading(others=others)
