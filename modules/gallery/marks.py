"""Stars and tags of pictures: one small file in each folder of pictures, so that they stay with the pictures when folders move."""
from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.atomic_files import write_atomically, write_problem
from modules.errors import RequestError, report

FILE_NAME = ".easel-marks.json"
MOST_TAGS = 50
LONGEST_TAG = 60


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a person noted about one picture. `tags` are in lower case."""

    starred: bool = False
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, entry: Any) -> Marks:
        """What an entry of the file means; what cannot be read is left out."""
        entry = entry if isinstance(entry, dict) else {}
        tags = entry.get("tags")
        return cls(starred=entry.get("starred") is True, tags=cleaned(tags if isinstance(tags, list) else ()))

    def as_entry(self) -> dict[str, Any]:
        return {**({"starred": True} if self.starred else {}), **({"tags": list(self.tags)} if self.tags else {})}


def cleaned(tags: Iterable[Any]) -> tuple[str, ...]:
    """Tags as they are kept: in lower case, without doubles, in the order given."""
    texts = (" ".join(str(tag).lower().split()) for tag in tags)
    return tuple(dict.fromkeys(text[:LONGEST_TAG] for text in texts if text))[:MOST_TAGS]


class MarksFiles:
    """Reads and changes the files. One thread of this process changes at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def of_folder(self, folder: Path) -> dict[str, Marks]:
        """The marks by file name; none where the file is missing or damaged."""
        return {name: Marks.read(entry) for name, entry in _entries(folder).items()}

    def of_pictures(self, paths: Iterable[Path]) -> dict[Path, Marks]:
        """The marks of each of these pictures; each folder is read once."""
        paths = list(paths)
        by_folder = {folder: self.of_folder(folder) for folder in {path.parent for path in paths}}
        return {path: by_folder[path.parent].get(path.name, Marks()) for path in paths}

    def change(self, paths: Iterable[Path], changed: Callable[[Path, Marks], Marks]) -> dict[Path, Marks]:
        """Give each picture the marks that `changed` makes of its path and its present ones.

        Raises UserError when a folder takes no file.
        """
        by_folder: dict[Path, list[Path]] = {}
        for path in paths:
            by_folder.setdefault(path.parent, []).append(path)
        result: dict[Path, Marks] = {}
        with self._lock:
            for folder, members in by_folder.items():
                entries = _entries(folder)
                for path in members:
                    result[path] = changed(path, Marks.read(entries.get(path.name)))
                    entries[path.name] = result[path].as_entry()
                _write(folder, entries)
        return result

    def forget(self, paths: Iterable[Path]) -> None:
        """Remove the marks of pictures that have left their folders. Never raises: the pictures are gone all the same."""
        by_folder: dict[Path, set[str]] = {}
        for path in paths:
            by_folder.setdefault(path.parent, set()).add(path.name)
        with self._lock:
            for folder, gone in by_folder.items():
                entries = _entries(folder)
                if gone.isdisjoint(entries):
                    continue
                try:
                    _write(folder, {name: entry for name, entry in entries.items() if name not in gone})
                except RequestError as error:
                    report(f"Marks of pictures that have left {folder} stay there.", error)


def _entries(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        report(f"{folder / FILE_NAME} cannot be read; stars and tags of this folder are not shown.", error)
        return {}
    return found if isinstance(found, dict) else {}


def _write(folder: Path, entries: dict[str, Any]) -> None:
    kept = {name: entry for name, entry in sorted(entries.items()) if entry}
    path = folder / FILE_NAME
    try:
        write_atomically(path, json.dumps(kept, indent=1, ensure_ascii=True).encode(), previous=path.with_suffix(".json.bak"))
    except OSError as error:
        problem = write_problem("stars and tags", folder, error)
        raise RequestError("folder", problem.what, problem.why, problem.remedy) from error
