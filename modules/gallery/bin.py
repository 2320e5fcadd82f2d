"""The bin of the gallery: what is deleted goes into a hidden folder beside its own, from where it can come back."""
from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from modules.atomic_files import folder_lock, write_atomically
from modules.errors import NotFound, report
from modules.gallery.marks import Marks

FOLDER = ".easel-bin"
ENTRY = "entry.json"
ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """One picture in the bin. `path`: where it was; `files`: its own name, then those of files that belong to it."""

    id: str
    path: str
    files: tuple[str, ...]
    deleted: float
    starred: bool = False
    tags: tuple[str, ...] = ()


def companions(path: Path) -> list[Path]:
    """The picture, and the text file beside it where there is one."""
    return [path, *(beside for beside in [path.with_suffix(".txt")] if beside.is_file() and beside != path)]


def move_files(files: Sequence[Path], folder: Path) -> Path:
    """Move a picture and the files that belong to it into a folder; where the picture is then.

    Where one of their names is taken all of them get the same number, so that they stay together: no file is replaced.
    Raises OSError; all of them are then where they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        for number in range(100_000):
            targets = [folder / (path.name if not number else f"{path.stem}-{number}{path.suffix}") for path in files]
            if not any(os.path.lexists(target) for target in targets):
                _move_each(files, targets)
                return targets[0]
    raise FileExistsError(f"No free name for {files[0].name} in {folder}")


def _move_each(files: Sequence[Path], targets: Sequence[Path]) -> None:
    moved: list[tuple[Path, Path]] = []
    try:
        for path, target in zip(files, targets, strict=True):
            shutil.move(path, target)
            moved.append((path, target))
    except OSError:
        for path, target in moved:
            shutil.move(target, path)
        raise


class Bin:
    """The bins of all picture folders: one in each root, so that a file only changes its name."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = list(roots)

    def put(self, path: Path, marks: Marks) -> Deleted:
        """Move a picture, and what lies beside it, into the bin. Raises OSError; the picture is then where it was."""
        root = next((root for root in self._roots if path.is_relative_to(root)), path.parent)
        entry_id = f"{int(time.time()):08x}"[-8:] + secrets.token_hex(8)
        place = root / FOLDER / entry_id
        files = companions(path)
        entry = Deleted(id=entry_id, path=str(path), files=tuple(file.name for file in files), deleted=time.time(),
                        starred=marks.starred, tags=marks.tags)
        write_atomically(place / ENTRY, json.dumps(asdict(entry)).encode())
        try:
            move_files(files, place)
        except OSError:
            if all(file.exists() for file in files):  # else it could not be moved back, and the entry leads to it
                shutil.rmtree(place, ignore_errors=True)
            raise
        return entry

    def entries(self) -> list[Deleted]:
        """Everything in the bins, the last deleted first."""
        return sorted((entry for _, entry in self._places()), key=lambda entry: -entry.deleted)

    def file(self, entry_id: str) -> Path:
        """The picture file of an entry. Raises NotFound."""
        place, entry = self._known(entry_id)
        return place / entry.files[0]

    def restore(self, entry_id: str) -> tuple[Path, Marks]:
        """Bring a picture back to where it was, under another name where that is taken. Raises NotFound, OSError.

        Where its folder lies no longer below the root of this bin, because that was moved as a whole, it comes into the root.
        """
        place, entry = self._known(entry_id)
        root, folder = place.parent.parent, Path(entry.path).parent
        restored = move_files([place / name for name in entry.files if (place / name).exists()],
                              folder if folder.is_relative_to(root) else root)
        shutil.rmtree(place, ignore_errors=True)
        return restored, Marks(starred=entry.starred, tags=entry.tags)

    def remove(self, entry_id: str | None) -> int:
        """Delete one entry for good, or everything (None); how many. Raises NotFound."""
        places = [self._known(entry_id)[0]] if entry_id is not None else [place for place, _ in self._places()]
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
        return sum(not place.exists() for place in places)

    def _known(self, entry_id: str) -> tuple[Path, Deleted]:
        if ID.fullmatch(entry_id):
            for root in self._roots:
                entry = _read(root / FOLDER / entry_id)
                if entry is not None:
                    return root / FOLDER / entry_id, entry
        raise NotFound("This picture is not in the bin.", "It was restored or deleted for good.")

    def _places(self) -> Iterator[tuple[Path, Deleted]]:
        for root in self._roots:
            with suppress(OSError):  # there is no bin yet
                for place in (root / FOLDER).iterdir():
                    entry = _read(place)
                    if entry is not None:
                        yield place, entry


def _read(place: Path) -> Deleted | None:
    """The entry in a folder of the bin; None where there is none, or no picture with it."""
    try:
        data = json.loads((place / ENTRY).read_bytes())
        files = tuple(Path(str(name)).name for name in data["files"])
        entry = Deleted(id=place.name, path=str(data["path"]), files=files, deleted=float(data["deleted"]),
                        starred=bool(data.get("starred")), tags=tuple(map(str, data.get("tags", ()))))
        return entry if (place / files[0]).is_file() else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError) as error:
        report(f"An entry of the bin cannot be read: {place}", error)
        return None
