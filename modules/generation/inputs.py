"""Pictures that come with a request: kept as they came under the hash of their content, and opened as a person expects."""
from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageColor

from modules.atomic_files import write_atomically, write_problem
from modules.errors import RequestError, UserError
from modules.imaging.encode import png_bytes
from modules.imaging.open_picture import PictureRefused, open_picture
from modules.runtime import Runtime

GivenPicture: TypeAlias = Path | bytes | Image.Image

MAX_FILE_BYTES = 256 * 2**20
KEPT_DECODED_PIXELS = 40_000_000  # a person repaints the same picture again and again
KEPT_DAYS = 30
NAME_CHARS = 64
NAME = re.compile(r"\b[0-9a-f]{64}\b")


def inputs_folder(rt: Runtime) -> Path:
    """Where pictures of requests lie, each in a file named by the SHA-256 of its content."""
    return rt.folders.queue / "inputs"


def store_input(rt: Runtime, picture: GivenPicture, field: str = "init_images") -> str:
    """Keep the bytes of a picture file (a PIL image as PNG) and return their name for a request.

    Raises RequestError naming `field` for what is no picture or exceeds a limit, UserError when the disk cannot take it.
    """
    content = _content_of(picture, field)
    name = hashlib.sha256(content).hexdigest()
    try:
        image = open_picture(content).image
    except PictureRefused as error:
        raise RequestError(field, error.what, error.why, error.remedy) from error
    _decoded.put(name, image)
    path = inputs_folder(rt) / name
    if path.is_file() and path.stat().st_size == len(content):
        path.touch()  # counts as new for remove_old_inputs
        return name
    try:
        write_atomically(path, content)
    except OSError as error:
        raise write_problem("the picture of the request", path.parent, error) from error
    return name


def _content_of(picture: GivenPicture, field: str) -> bytes:
    if isinstance(picture, Image.Image):
        return png_bytes(picture, "", compress_level=1)
    content = _file_content(picture, field) if isinstance(picture, Path) else picture
    if not content:
        raise RequestError(field, "The file of the picture is empty.", remedy="Choose another one.")
    return content


def _file_content(path: Path, field: str) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise RequestError(field, f"The file has more than {MAX_FILE_BYTES >> 20} MB.", remedy="Choose a smaller picture.")
        return path.read_bytes()
    except OSError as error:
        raise RequestError(field, f"The picture {path.name} cannot be read.", "It was moved, deleted or changed.",
                           "Choose it again.") from error


def open_input(rt: Runtime, name: str) -> Image.Image:
    """The picture of that name, upright: RGB, RGBA or L. Raises UserError when it is gone."""
    image = _decoded.get(name)
    if image is None:
        try:
            image = open_picture((inputs_folder(rt) / _checked(name)).read_bytes()).image
        except OSError as error:
            raise UserError("The picture that the job begins with is not there any more.", "It was removed from the queue's folder.",
                            "Choose the picture again.") from error
        _decoded.put(name, image)
    return image.copy()


def has_input(rt: Runtime, name: str) -> bool:
    """Whether the picture of that name is still there."""
    return len(name) == NAME_CHARS and name.isalnum() and (inputs_folder(rt) / name).is_file()


def _checked(name: str) -> str:
    if len(name) != NAME_CHARS or not name.isalnum():
        raise UserError("The picture that the job begins with is not there.", "Its name is none that this program gave.")
    return name


def remove_old_inputs(rt: Runtime) -> None:
    """Remove pictures that no job of the queue names and nobody has used for a month."""
    before, folder = time.time() - KEPT_DAYS * 86400, inputs_folder(rt)
    needed = {name for job in (*rt.queue.jobs(), *rt.queue.unfinished()) for name in NAME.findall(json.dumps(job.request))}
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):  # another program works on the folder, or it is read-only: nothing depends on this
            if path.name not in needed and len(path.name) == NAME_CHARS and path.stat().st_mtime < before:
                path.unlink()


def flattened(picture: Image.Image, background: str) -> Image.Image:
    """RGB: transparent places take the colour `background`, e.g. "#ffffff". Raises UserError for what is no colour."""
    if picture.mode == "RGB":
        return picture
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    try:
        sheet = Image.new("RGB", picture.size, ImageColor.getrgb(background)[:3])
    except ValueError as error:
        remedy = "Choose the background colour for img2img in the settings, e.g. #ffffff."
        raise UserError(f'"{background[:40]}" is no colour.', remedy=remedy) from error
    sheet.paste(picture, mask=picture.getchannel("A"))
    return sheet


class _Decoded:
    """The pictures decoded last, since a request is checked when it comes and opened again when it runs."""

    def __init__(self) -> None:
        self._images: OrderedDict[str, Image.Image] = OrderedDict()
        self._guard = threading.Lock()

    def put(self, name: str, image: Image.Image) -> None:
        with self._guard:
            self._images[name] = image
            self._images.move_to_end(name)
            while len(self._images) > 1 and sum(i.width * i.height for i in self._images.values()) > KEPT_DECODED_PIXELS:
                self._images.popitem(last=False)

    def get(self, name: str) -> Image.Image | None:
        with self._guard:
            return self._images.get(name)


_decoded = _Decoded()
