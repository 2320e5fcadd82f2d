"""The files behind the cards: models in their folders, with preview pictures, the user's notes, dates, and what is wrong with them."""
from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modules.atomic_files import write_atomically, write_problem
from modules.checkpoints.files import folders_below
from modules.checkpoints.hashing import FileState
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import read_header
from modules.checkpoints.state_dict import quick_problem
from modules.errors import NotFound

# Later in the list counts less; `<model>.preview.png` before `<model>.png`.
PICTURES = ("png", "jpg", "jpeg", "webp")
NEW_PREVIEW = ".preview.png"
MOST_NOTES_BYTES = 1 << 20
MOST_TEXT_CHARS = 2000
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One file of a kind of networks.

    key: its path below its folder, unlike that of any other card. name: by which prompts call it. folder: "" or "sub/folder".
    notes: the `.json` beside the file, as the editor of cards and other programs write it. problem: why it cannot be used, or "".
    """

    key: str
    name: str
    folder: str
    path: Path
    state: FileState
    created_ns: int
    preview: Path | None = None
    preview_ns: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    def note(self, key: str) -> str:
        """A text of the notes, "" where there is none."""
        value = self.notes.get(key)
        return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""

    @property
    def description(self) -> str:
        """The user's own, cut to a length that a card can hold."""
        return self.note("description")[:MOST_TEXT_CHARS]


class CardCatalog:
    """The files with some endings in folders and below them. Every call of `cards` looks at the disk, and at contents that changed.

    Of two files with one name the first has it; the others are called by their path, as far as that is still free.
    """

    def __init__(
        self, folders: Callable[[], Iterable[Path]], suffixes: Sequence[str], *, without: str = "", named_by_path: bool = True,
        problem_of: Callable[[Path], str | None] = quick_problem,
    ):
        self._folders, self._suffixes, self._without = folders, tuple(suffixes), without
        self._named_by_path, self._problem_of = named_by_path, problem_of
        self._lock = threading.Lock()
        self._cards: dict[str, Card] = {}
        self._problems: dict[str, tuple[FileState, str]] = {}
        self._notes: dict[str, tuple[FileState, Mapping[str, Any]]] = {}

    @property
    def folders(self) -> list[Path]:
        """The folders that are searched, as they are named now."""
        return [*dict.fromkeys(self._folders())]

    def cards(self) -> list[Card]:
        """All cards as they are now, in the order of folders and paths."""
        with self._lock:
            found: dict[str, Card] = {}
            names: set[str] = set()
            for folder in self.folders:
                here = [card for files in folders_below(folder) for card in self._cards_of(folder, files)]
                for card in sorted(here, key=lambda card: card.key.split("/")):  # as pathlib sorts
                    key = _free_key(card.key, folder, found)
                    found[key] = self._named(card if key == card.key else replace(card, key=key), names)
            self._cards = found
            return list(self._cards.values())

    def find(self, key: str) -> Card:
        """The card with this key, looked at again. Raises NotFound."""
        if key not in self._cards or not self._cards[key].path.exists():
            self.cards()
        card = self._cards.get(key)
        if card is None:
            raise NotFound(f'There is no file "{key[:200]}" any more.', remedy="Refresh the list.")
        return card

    def _named(self, card: Card, names: set[str]) -> Card:
        by_path = f"{card.folder}/{card.name}" if card.folder else card.name
        for name in (card.name, by_path) if self._named_by_path else (card.name,):
            if name not in names:
                names.update((name, by_path))
                return replace(card, name=name) if name != card.name else card
        return replace(card, problem=card.problem or f"Another file has the name {card.name} too, and that one is used.")

    def _cards_of(self, folder: Path, entries: Sequence[os.DirEntry[str]]) -> list[Card]:
        """The cards of one folder of the tree. Other files in it are looked up by name, not searched for on the disk."""
        beside = {entry.name: entry for entry in entries}
        place = os.path.relpath(os.path.dirname(entries[0].path), folder).replace(os.sep, "/") if entries else ""
        place = "" if place == "." else place
        cards = []
        for entry in entries:
            stem, dot, ending = entry.name.rpartition(".")
            if not stem or dot + ending.lower() not in self._suffixes or (self._without and self._without in entry.name.lower()):
                continue
            if ending.lower() in PICTURES and _is_preview(stem, beside, self._suffixes):
                continue
            cards.append(self._card(place, entry, stem, beside))
        return cards

    def _card(self, place: str, entry: os.DirEntry[str], stem: str, beside: Mapping[str, os.DirEntry[str]]) -> Card:
        path = Path(entry.path)
        key = f"{place}/{entry.name}" if place else entry.name
        try:
            stat = entry.stat()
        except OSError as error:
            return Card(key=key, name=stem, folder=place, path=path, state=FileState(size=0, mtime_ns=0), created_ns=0,
                        problem=f"It cannot be read: {error.strerror or error}.")
        state = FileState(size=stat.st_size, mtime_ns=stat.st_mtime_ns)
        preview = _preview(stem, beside) or (entry if entry.name.lower().endswith(PICTURES) else None)
        born = getattr(stat, "st_birthtime_ns", stat.st_ctime_ns)
        return Card(key=key, name=stem, folder=place, path=path, state=state, created_ns=born,
                    preview=Path(preview.path) if preview else None, preview_ns=_changed_ns(preview),
                    notes=self._notes_in(beside.get(f"{stem}.json")), problem=self._problem(entry.path, state))

    def _problem(self, path: str, state: FileState) -> str:
        known = self._problems.get(path)
        if known is None or known[0] != state:
            known = self._problems[path] = state, self._problem_of(Path(path)) or ""
        return known[1]

    def _notes_in(self, entry: os.DirEntry[str] | None) -> Mapping[str, Any]:
        if entry is None:
            return NOTHING
        try:
            stat = entry.stat()
            state = FileState(size=stat.st_size, mtime_ns=stat.st_mtime_ns)
            known = self._notes.get(entry.path)
            if known is None or known[0] != state:
                known = self._notes[entry.path] = state, read_notes(Path(entry.path))
        except OSError:
            return NOTHING
        return known[1]


def _free_key(key: str, folder: Path, taken: Mapping[str, Card]) -> str:
    """The key, with the folder's name in front where another folder has it already, and a number where that is taken too."""
    if key not in taken:
        return key
    named = f"{folder.name}/{key}"
    return next(free for free in (named, *(f"{named} ({number})" for number in range(2, len(taken) + 3))) if free not in taken)


def _is_preview(stem: str, beside: Mapping[str, Any], suffixes: Sequence[str]) -> bool:
    """Whether a picture belongs to another file, where pictures can be networks themselves."""
    own = stem.removesuffix(".preview")
    return any(own + suffix in beside for suffix in suffixes if suffix.lstrip(".") not in PICTURES) or own != stem


def _preview(stem: str, beside: Mapping[str, os.DirEntry[str]]) -> os.DirEntry[str] | None:
    for ending in PICTURES:
        for name in (f"{stem}.preview.{ending}", f"{stem}.{ending}"):
            if name in beside:
                return beside[name]
    return None


def _changed_ns(entry: os.DirEntry[str] | None) -> int:
    try:
        return entry.stat().st_mtime_ns if entry else 0
    except OSError:
        return 0


def read_notes(path: Path) -> Mapping[str, Any]:
    """What the user noted about a file; a damaged or foreign file counts as empty. Raises OSError."""
    if path.stat().st_size > MOST_NOTES_BYTES:
        return NOTHING
    try:
        notes = json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return NOTHING
    return notes if isinstance(notes, dict) else NOTHING


def write_notes(card: Card, changes: Mapping[str, Any]) -> None:
    """Change notes of a card, keeping those that are not named. None removes one. Raises UserError."""
    path = card.path.with_name(card.path.stem + ".json")
    try:
        notes = dict(read_notes(path)) if path.exists() else {}
        notes.update(changes)
        kept = {key: value for key, value in notes.items() if value is not None}
        write_atomically(path, json.dumps(kept, indent=4, ensure_ascii=False).encode("utf-8", "replace"))
    except OSError as error:
        raise write_problem("the notes", path, error) from error


def write_preview(card: Card, png: bytes) -> Path:
    """Store the picture shown on a card beside its file; returns where. Raises UserError."""
    path = card.path.with_name(card.path.stem + NEW_PREVIEW)
    try:
        write_atomically(path, png)
    except OSError as error:
        raise write_problem("the preview", path, error) from error
    return path


def metadata_of(path: Path) -> dict[str, Any]:
    """What the header of a file says about itself; values that are JSON are read. {} for other kinds of files and damaged ones."""
    if path.suffix.lower() != ".safetensors":
        return {}
    try:
        stated = read_header(path).metadata
    except WeightsError:
        return {}
    return {key: _read_value(value) for key, value in sorted(stated.items())}


def _read_value(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def trained_tags(metadata: Mapping[str, Any], most: int = 100) -> list[tuple[str, int]]:
    """The tags that a network was trained with and how often, the commonest first."""
    counts: dict[str, int] = {}
    table = metadata.get("ss_tag_frequency")
    for tags in table.values() if isinstance(table, dict) else ():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if isinstance(count, int):
                counts[str(tag).strip()] = counts.get(str(tag).strip(), 0) + count
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:most]
