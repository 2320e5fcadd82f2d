"""Tag lists that users place in the folder `tags`: CSV files of name, category, count, aliases, as image boards export them."""
from __future__ import annotations

import csv
import heapq
import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modules.errors import report

MOST_TAGS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """One tag, as it stands in its file: words joined by underscores. `count`: how many pictures carry it."""

    name: str
    category: str = ""
    count: int = 0


@dataclass(frozen=True, kw_only=True)
class FoundTag:
    """A tag that begins with what was typed, or one of whose words does; `alias` is the other name by which it was found, or ""."""

    tag: Tag
    alias: str = ""


class TagLists:
    """All tags of all CSV files in a folder, found by the beginning of any of their words. Files are read when one is first asked for,
    and again when they change."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock = threading.Lock()
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self._tags: list[Tag] = []
        # Sorted by text: (beginning at some word of a name or alias, number of the tag, whether it is the first word, alias or "").
        self._texts: list[str] = []
        self._places: list[tuple[int, bool, str]] = []

    def found(self, typed: str, most: int = 20) -> list[FoundTag]:
        """The most frequent tags that begin with `typed` first, then those in which another word does."""
        wanted = folded(typed)
        if not wanted:
            return []
        with self._lock:
            self._refresh()
            first, last = bisect_left(self._texts, wanted), bisect_left(self._texts, wanted + "\U0010ffff")
            best: dict[int, tuple[bool, str]] = {}
            for number, begins, alias in self._places[first:last]:
                known = best.get(number)
                if known is None or (begins, not alias) > (known[0], not known[1]):
                    best[number] = (begins, alias)
            chosen = heapq.nlargest(most, best, key=lambda number: (best[number][0], self._tags[number].count, -number))
            return [FoundTag(tag=self._tags[number], alias=best[number][1]) for number in chosen]

    def _refresh(self) -> None:
        files = sorted(self.folder.glob("*.csv")) if self.folder.is_dir() else []
        stamp = tuple((path.name, stat.st_mtime_ns, stat.st_size) for path in files for stat in [path.stat()])
        if stamp == self._stamp:
            return
        self._stamp, self._tags = stamp, []
        found: list[tuple[str, int, bool, str]] = []
        for path in files:
            try:
                self._take(path, found)
            except (OSError, csv.Error) as error:
                report(f"The tag list {path.name} cannot be read: {error}")
        found.sort(key=lambda row: row[0])
        self._texts = [text for text, *_ in found]
        self._places = [(number, begins, alias) for _, number, begins, alias in found]

    def _take(self, path: Path, found: list[tuple[str, int, bool, str]]) -> None:
        """Add the tags of one file to those that are known, and the texts by which they are found to `found`."""
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for row in csv.reader(file):
                if not row or not row[0].strip() or len(self._tags) >= MOST_TAGS:
                    continue
                cells = [cell.strip() for cell in (*row, "", "", "")]
                if cells[2] and not cells[2].isdigit():
                    continue  # the head of a table
                number = len(self._tags)
                self._tags.append(Tag(name=cells[0], category=cells[1], count=int(cells[2] or 0)))
                found += [(text, number, begins, "") for text, begins in beginnings(cells[0])]
                for alias in filter(None, map(str.strip, cells[3].split(","))):
                    found.append((folded(alias), number, True, alias))


def folded(text: str) -> str:
    """As texts are compared: lower case, spaces for underscores."""
    return text.casefold().replace("_", " ").strip()


def beginnings(name: str) -> Iterator[tuple[str, bool]]:
    """The name from each of its words on, and whether it is the first one."""
    text = folded(name)
    place = 0
    while place >= 0:
        yield text[place:], place == 0
        place = text.find(" ", place)
        place = place + 1 if place >= 0 else -1


def as_prompt(name: str) -> str:
    """A tag as it is written in a prompt: spaces for underscores, brackets that are no weights. Faces such as `^_^` stay."""
    if not any(sign.isalpha() for sign in name) or len(name) <= 3:
        return name
    return name.replace("_", " ").replace("(", r"\(").replace(")", r"\)")
