"""The index of the gallery: one SQLite file made from the picture files, which can be deleted and is made again."""
from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from modules.errors import NotFound, report
from modules.gallery.marks import Marks
from modules.gallery.search import Condition, condition, key_of, terms_of

VERSION = 2
SCHEMA = """
CREATE TABLE pictures (number_of INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL UNIQUE,
                       folder TEXT NOT NULL, name TEXT NOT NULL, modified REAL NOT NULL, size INTEGER NOT NULL,
                       is_read INTEGER NOT NULL DEFAULT 0, width INTEGER NOT NULL DEFAULT 0, height INTEGER NOT NULL DEFAULT 0,
                       prompt TEXT NOT NULL DEFAULT '', negative TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '',
                       program TEXT NOT NULL DEFAULT '',
                       infotext TEXT NOT NULL DEFAULT '', starred INTEGER NOT NULL DEFAULT 0, tags TEXT NOT NULL DEFAULT '');
CREATE INDEX pictures_by_time ON pictures (modified DESC, path);
CREATE INDEX pictures_unread ON pictures (modified DESC) WHERE is_read = 0;
CREATE TABLE facts (picture INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, number REAL);
CREATE INDEX facts_by_number ON facts (key, number, picture);
CREATE INDEX facts_by_picture ON facts (picture);
"""
KEPT_QUERIES = 8
Order = Literal["newest", "oldest", "name"]
ORDERS: Mapping[str, str] = {"newest": "modified DESC, path", "oldest": "modified, path", "name": "name COLLATE NOCASE, path"}


@dataclass(frozen=True, kw_only=True)
class FileFound:
    """A picture file as the folder lists it. `modified`: seconds since 1970."""

    path: str
    modified: float
    size: int


@dataclass(frozen=True, kw_only=True)
class PictureText:
    """What was read in a picture file. `facts`: the keys of its infotext."""

    width: int = 0
    height: int = 0
    prompt: str = ""
    negative: str = ""
    program: str = ""
    infotext: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The pictures that a query finds: their row numbers in order, and how many there are on each day (of the file's time)."""

    numbers: tuple[int, ...]
    days: tuple[tuple[str, int], ...]


def id_of(path: str) -> str:
    """The name of a picture in requests; the same after the index was made again."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:20]


class Index:
    """The file. `version` grows with every change, so that a page knows when to ask again."""

    def __init__(self, path: Path | None):
        """Open or make it; one that cannot be read is made anew. `path` None keeps it in memory."""
        self._lock = threading.RLock()
        self.version = 0
        self._kept: OrderedDict[tuple[Any, ...], Found] = OrderedDict()
        try:
            self._db = _opened(path)
        except (sqlite3.Error, OSError) as error:
            report("The index of the gallery cannot be used and is made again.", error)
            self._db = _opened_anew(path)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # Changes

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self.version += 1
            self._kept.clear()

    def files(self) -> dict[str, tuple[float, int]]:
        """Path -> (modified, size) of everything listed."""
        with self._lock:
            return {path: (modified, size) for path, modified, size in self._db.execute("SELECT path, modified, size FROM pictures")}

    def list_files(self, changed: Iterable[FileFound], gone: Iterable[str]) -> None:
        """Enter new and changed files, to be read later, and forget those that are gone, among them the changed ones as they were."""
        with self._change() as db:
            for path in gone:
                _forget(db, path)
            db.executemany("INSERT OR REPLACE INTO pictures (id, path, folder, name, modified, size, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
                           map(_row_of, changed))

    def is_empty(self) -> bool:
        with self._lock:
            return self._db.execute("SELECT 1 FROM pictures LIMIT 1").fetchone() is None

    def unread(self, count: int) -> list[tuple[int, str]]:
        """Row numbers and paths of files that were listed but not yet read, the newest first."""
        with self._lock:
            return self._db.execute("SELECT number_of, path FROM pictures WHERE is_read = 0 ORDER BY modified DESC LIMIT ?",
                                    (count,)).fetchall()

    def unread_count(self) -> int:
        with self._lock:
            return self._db.execute("SELECT count(*) FROM pictures WHERE is_read = 0").fetchone()[0]

    def write_texts(self, texts: Mapping[int, PictureText]) -> None:
        """Enter what was read in files."""
        with self._change() as db:
            for number, read in texts.items():
                row = db.execute("SELECT name FROM pictures WHERE number_of = ? AND is_read = 0", (number,)).fetchone()
                if row is None:
                    continue
                text = "\n".join((read.prompt, read.negative, row[0])).lower()
                db.execute("UPDATE pictures SET is_read = 1, width = ?, height = ?, prompt = ?, negative = ?, text = ?, program = ?,"
                           " infotext = ? WHERE number_of = ?",
                           (read.width, read.height, read.prompt, read.negative, text, read.program, read.infotext, number))
                db.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)",
                               [(number, key_of(key), value.lower(), _as_number(value)) for key, value in read.facts.items()])

    def write_marks(self, marks: Mapping[str, Marks]) -> None:
        """Enter the stars and tags of pictures by path."""
        with self._change() as db:
            db.executemany("UPDATE pictures SET starred = ?, tags = ? WHERE path = ?",
                           [(mark.starred, _joined(mark.tags), path) for path, mark in marks.items()])

    def moved(self, old: str, new: str) -> None:
        """A file has another path now; what was read in it stays true."""
        with self._change() as db:
            _forget(db, new)
            db.execute("UPDATE pictures SET id = ?, path = ?, folder = ?, name = ? WHERE path = ?",
                       (id_of(new), new, str(Path(new).parent), Path(new).name, old))

    def empty(self) -> None:
        """Forget everything; the files are listed and read again."""
        with self._change() as db:
            db.execute("DELETE FROM facts")
            db.execute("DELETE FROM pictures")

    # Questions

    def find(self, query: str, order: Order = "newest", folder: str = "") -> Found:
        """What a query finds, below `folder` where one is given. Raises RequestError for a query that cannot be read."""
        key = (query, order, folder, datetime.now().date() if "day" in query.lower() else None)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._found(condition(terms_of(query), self._keys_like), order, folder)
                while len(self._kept) > KEPT_QUERIES:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _found(self, where: Condition, order: Order, folder: str) -> Found:
        below = " AND (folder = ? OR substr(folder, 1, ?) = ?)" if folder else ""
        inside = folder.rstrip("/\\") + ("\\" if "\\" in folder else "/")
        values = (*where.values, *((folder, len(inside), inside) if folder else ()))
        rows = self._db.execute(f"SELECT number_of, modified FROM pictures WHERE {where.sql}{below} ORDER BY {ORDERS[order]}",
                                values).fetchall()
        return Found(numbers=tuple(number for number, _ in rows), days=_days(rows) if order != "name" else (("", len(rows)),))

    def _keys_like(self, key: str) -> Sequence[str]:
        """The keys that a written one means: itself, else those that begin so."""
        if not key:
            return ()
        if self._db.execute("SELECT 1 FROM facts WHERE key = ? LIMIT 1", (key,)).fetchone():
            return (key,)
        rows = self._db.execute("SELECT DISTINCT key FROM facts WHERE key >= ? AND key < ? LIMIT 20", (key, key + "\U0010ffff"))
        return tuple(row[0] for row in rows)

    def rows(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """What a thumbnail needs to know of these pictures, in their order; those that are gone since are left out."""
        marks = ", ".join("?" * len(numbers))
        with self._lock:
            found = {row[0]: row for row in self._db.execute(
                f"SELECT number_of, id, name, width, height, starred, tags FROM pictures WHERE number_of IN ({marks})", tuple(numbers))}
        return [{"id": row[1], "name": row[2], "width": row[3], "height": row[4], "starred": bool(row[5]), "tags": _parted(row[6])}
                for row in (found.get(number) for number in numbers) if row]

    def picture(self, picture_id: str) -> dict[str, Any]:
        """Everything about one picture. Raises NotFound."""
        columns = "path, folder, name, modified, size, is_read, width, height, prompt, negative, program, infotext, starred, tags"
        with self._lock:
            row = self._db.execute(f"SELECT {columns} FROM pictures WHERE id = ?", (picture_id,)).fetchone()
        if row is None:
            raise NotFound("This picture is no longer in the gallery.", "It was moved, renamed or deleted.")
        found = dict(zip(columns.split(", "), row, strict=True))
        return {**found, "starred": bool(found["starred"]), "tags": _parted(found["tags"])}

    def path_of(self, picture_id: str) -> Path:
        """The file of a picture. Raises NotFound."""
        return Path(self.picture(picture_id)["path"])

    def folders(self) -> dict[str, int]:
        """Folder -> how many pictures lie directly in it."""
        with self._lock:
            return dict(self._db.execute("SELECT folder, count(*) FROM pictures GROUP BY folder ORDER BY folder").fetchall())

    def all_tags(self) -> dict[str, int]:
        """Tag -> how many pictures have it."""
        counts: dict[str, int] = {}
        with self._lock:
            for (tags,) in self._db.execute("SELECT tags FROM pictures WHERE tags != ''"):
                for tag in _parted(tags):
                    counts[tag] = counts.get(tag, 0) + 1
        return dict(sorted(counts.items()))


def _opened(path: Path | None) -> sqlite3.Connection:
    """Raises sqlite3.Error when the file is damaged or from another version."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=5)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=OFF")  # what a power cut damages is made again
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={VERSION}; COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"index of version {version}")
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("damaged")
    except BaseException:
        db.close()
        raise
    return db


def _opened_anew(path: Path | None) -> sqlite3.Connection:
    """The same with an empty file; in memory where the disk takes none."""
    if path is None:
        return _opened(None)
    try:
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        return _opened(path)
    except (sqlite3.Error, OSError) as error:
        report("The index of the gallery is kept in memory.", error)
        return _opened(None)


def _row_of(file: FileFound) -> tuple[Any, ...]:
    folder, name = os.path.split(file.path)
    return id_of(file.path), file.path, folder, name, file.modified, file.size, name.lower()


def _forget(db: sqlite3.Connection, path: str) -> None:
    row = db.execute("SELECT number_of FROM pictures WHERE path = ?", (path,)).fetchone()
    if row:
        db.execute("DELETE FROM facts WHERE picture = ?", row)
        db.execute("DELETE FROM pictures WHERE number_of = ?", row)


def _as_number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None


def _days(rows: Sequence[tuple[int, float]]) -> tuple[tuple[str, int], ...]:
    days: list[tuple[str, int]] = []
    begin = end = 0.0
    name, count = "", 0
    for _, modified in rows:
        if not begin <= modified < end:
            if count:
                days.append((name, count))
            midnight = datetime.fromtimestamp(modified).replace(hour=0, minute=0, second=0, microsecond=0)
            name, count = midnight.strftime("%Y-%m-%d"), 0
            begin = midnight.timestamp()
            end = begin + 23 * 3600  # a day may be this short; a picture of its last hours computes its day again
            if days and days[-1][0] == name:
                count = days.pop()[1]
        count += 1
    return (*days, (name, count)) if count else tuple(days)


def _joined(tags: Sequence[str]) -> str:
    return "\n" + "\n".join(tags) + "\n" if tags else ""


def _parted(text: str) -> list[str]:
    return text.split("\n")[1:-1]
