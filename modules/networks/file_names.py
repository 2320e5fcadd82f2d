"""Files of networks by the names that prompts call them, and the memory of those that were read last."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from modules.checkpoints.files import files_below
from modules.checkpoints.hashing import FileState

Network = TypeVar("Network")


def named_files(folders: Iterable[Path], suffixes: Iterable[str]) -> dict[str, Path]:
    """The files as they are now, by name without ending and by name with folder; of two files with one name the first counts."""
    suffixes = tuple(suffixes)
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(files_below(folder, suffixes)):
            found.setdefault(path.stem, path)
            found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return found


class RecentlyRead(Generic[Network]):
    """What `read` makes of files; the `keep` used last stay in memory as long as their files are unchanged."""

    def __init__(self, read: Callable[[Path], Network], keep: int):
        self._read, self._keep = read, keep
        self._kept: OrderedDict[tuple[Path, FileState], Network] = OrderedDict()

    def of(self, path: Path) -> Network:
        """The network in the file. Raises what `read` raises."""
        key = (path, FileState.of(path))
        if key not in self._kept:
            self._kept[key] = self._read(path)
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
