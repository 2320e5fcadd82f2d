"""Pictures that are not to be saved, or could not be: kept in a folder of their job, and in memory when no disk takes them."""
from __future__ import annotations

import itertools
from collections import OrderedDict
from pathlib import Path

from PIL.Image import Image

from modules import errors
from modules.atomic_files import publish
from modules.imaging.encode import png_bytes

MEMORY_PREFIX = "memory:"
KEPT_IN_MEMORY = 64


class UnsavedPictures:
    """Keeps pictures until their job is forgotten; the newest `KEPT_IN_MEMORY` survive even a full disk."""

    def __init__(self) -> None:
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._numbers = itertools.count()

    def keep(self, folder: Path, image: Image, infotext: str) -> str:
        """Store a picture with its infotext; returns its path, or a name with MEMORY_PREFIX when `folder` cannot take it."""
        content = png_bytes(image, infotext, compress_level=1)
        try:
            return str(publish(folder, lambda number: f"{number:05d}.png", content))
        except OSError as error:
            errors.report(f"A picture is kept in memory, since {folder} cannot take it.", error)
            return self._in_memory(content)

    def _in_memory(self, content: bytes) -> str:
        name = f"{MEMORY_PREFIX}{next(self._numbers)}.png"
        self._memory[name] = content
        while len(self._memory) > KEPT_IN_MEMORY:
            self._memory.popitem(last=False)
        return name

    def content(self, name: str) -> bytes | None:
        """The file content behind a name that `keep` returned with MEMORY_PREFIX."""
        return self._memory.get(name)
