"""What people had in the forms: the last form of each tab, every parameter set that became a job, and presets; one SQLite file."""
from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.errors import NotFound, RequestError, UserError, report

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE forms (user TEXT NOT NULL, tab TEXT NOT NULL, saved REAL NOT NULL, data TEXT NOT NULL, PRIMARY KEY (user, tab)) WITHOUT ROWID;
CREATE TABLE entries (id INTEGER PRIMARY KEY, user TEXT NOT NULL, tab TEXT NOT NULL, digest TEXT NOT NULL, used REAL NOT NULL,
                      times INTEGER NOT NULL, pinned INTEGER NOT NULL, checkpoint TEXT NOT NULL, words TEXT NOT NULL, data TEXT NOT NULL,
                      UNIQUE (user, tab, digest));
CREATE INDEX entries_by_use ON entries (user, pinned, used);
CREATE TABLE presets (id INTEGER PRIMARY KEY, user TEXT NOT NULL, tab TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
                      saved REAL NOT NULL, checkpoint TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (user, tab, name, version));
"""
ENTRIES_KEPT = 2000
VERSIONS_KEPT = 20
LONGEST_NAME = 100
MOST_CHARS = 1_000_000
PROMPTS = ("prompt", "negative_prompt")

Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class KeptForm:
    """The values of a form by the names of its controls. `saved` in seconds since 1970."""

    saved: float
    values: Values


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A parameter set that became a job, once for all jobs with the same one. `used`: when it last did; `times`: how often."""

    id: int
    tab: str
    used: float
    times: int
    pinned: bool
    checkpoint: str
    values: Values


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One version of a preset: values of some or all controls. `checkpoint`: the title of the one that it is bound to, or ""."""

    id: int = 0
    tab: str
    name: str
    version: int = 0
    saved: float = 0.0
    checkpoint: str = ""
    values: Values = field(default_factory=dict)


class History:
    """The file, opened when it is first needed. What users write and read is theirs alone; without a login the user is "".

    Methods raise UserError when the disk takes nothing, or the file cannot be used.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    # The last form

    def keep_form(self, user: str, tab: str, values: Mapping[str, Any]) -> None:
        """Remember how the form of a tab is now."""
        with self._changing() as db:
            db.execute("INSERT OR REPLACE INTO forms VALUES (?, ?, ?, ?)", (user, tab, time.time(), _as_json(values)))

    def form(self, user: str, tab: str) -> KeptForm | None:
        """The form as it was kept last."""
        rows = self._read("SELECT saved, data FROM forms WHERE user = ? AND tab = ?", user, tab)
        return KeptForm(saved=rows[0][0], values=json.loads(rows[0][1])) if rows else None

    # Parameter sets

    def record(self, user: str, tab: str, values: Mapping[str, Any], checkpoint: str) -> None:
        """Note a parameter set that became a job. The oldest go when there are more than ENTRIES_KEPT without a pin."""
        data = _as_json(values)
        digest = hashlib.sha256(f"{checkpoint}\n{data}".encode()).hexdigest()
        with self._changing() as db:
            changed = db.execute("UPDATE entries SET used = ?, times = times + 1 WHERE user = ? AND tab = ? AND digest = ?",
                                 (time.time(), user, tab, digest))
            if changed.rowcount:
                return
            db.execute("INSERT INTO entries (user, tab, digest, used, times, pinned, checkpoint, words, data) "
                       "VALUES (?, ?, ?, ?, 1, 0, ?, ?, ?)",
                       (user, tab, digest, time.time(), checkpoint, _words(values, checkpoint), data))
            db.execute("DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE user = ? AND pinned = 0 "
                       "ORDER BY used DESC LIMIT -1 OFFSET ?)", (user, ENTRIES_KEPT))

    def entries(self, user: str, tab: str = "", search: str = "", *, pinned: bool = False, first: int = 0,
                count: int = 50) -> tuple[list[Entry], int]:
        """The newest parameter sets that hold every word of `search`, and how many there are in all. No tab: those of all tabs."""
        where, given = ["user = ?"], [user]
        if tab:
            where.append("tab = ?")
            given.append(tab)
        if pinned:
            where.append("pinned = 1")
        for word in search.casefold().split():
            where.append("instr(words, ?) > 0")
            given.append(word)
        condition = " AND ".join(where)
        rows = self._read("SELECT id, tab, used, times, pinned, checkpoint, data FROM entries "
                          f"WHERE {condition} ORDER BY used DESC, id DESC LIMIT ? OFFSET ?", *given, count, first)
        total = self._read(f"SELECT count(*) FROM entries WHERE {condition}", *given)[0][0]
        return [_entry(row) for row in rows], total

    def pin(self, user: str, entry_id: int, is_pinned: bool) -> None:
        """Pinned entries stay, however many come after them. Raises NotFound."""
        self._change_one("UPDATE entries SET pinned = ? WHERE user = ? AND id = ?", int(is_pinned), user, entry_id)

    def forget(self, user: str, entry_id: int) -> None:
        """Raises NotFound."""
        self._change_one("DELETE FROM entries WHERE user = ? AND id = ?", user, entry_id)

    # Presets

    def save_preset(self, user: str, preset: Preset) -> Preset:
        """Add a version of the preset of that name; returns it as it is stored. Raises RequestError for an impossible one."""
        name = " ".join(preset.name.split())
        if not name or len(name) > LONGEST_NAME:
            raise RequestError("name", f"A preset needs a name of 1 to {LONGEST_NAME} characters.")
        if not preset.values:
            raise RequestError("values", "A preset needs at least one value.")
        data = _as_json(preset.values)
        with self._changing() as db:
            key = (user, preset.tab, name)
            last = db.execute("SELECT max(version) FROM presets WHERE user = ? AND tab = ? AND name = ?", key).fetchone()[0] or 0
            db.execute("INSERT INTO presets (user, tab, name, version, saved, checkpoint, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       (*key, last + 1, time.time(), preset.checkpoint, data))
            db.execute("DELETE FROM presets WHERE user = ? AND tab = ? AND name = ? AND version <= ?", (*key, last + 1 - VERSIONS_KEPT))
        return self.presets(user, preset.tab, name)[0]

    def presets(self, user: str, tab: str, name: str | None = None) -> list[Preset]:
        """All versions of the presets of a tab, by name, the newest version first."""
        condition, given = ("AND name = ?", (name,)) if name is not None else ("", ())
        rows = self._read("SELECT id, tab, name, version, saved, checkpoint, data FROM presets WHERE user = ? AND tab = ? "
                          f"{condition} ORDER BY name COLLATE NOCASE, name, version DESC", user, tab, *given)
        return [_preset(row) for row in rows]

    def preset(self, user: str, preset_id: int) -> Preset:
        """One version. Raises NotFound."""
        rows = self._read("SELECT id, tab, name, version, saved, checkpoint, data FROM presets WHERE user = ? AND id = ?", user, preset_id)
        if not rows:
            raise NotFound("This preset is no longer there.")
        return _preset(rows[0])

    def delete_preset(self, user: str, tab: str, name: str) -> None:
        """All its versions. Raises NotFound."""
        self._change_one("DELETE FROM presets WHERE user = ? AND tab = ? AND name = ?", user, tab, name)

    # The file

    def _read(self, statement: str, *given: Any) -> list[tuple[Any, ...]]:
        with self._lock, self._problems_named("The history cannot be read."):
            return self._opened().execute(statement, given).fetchall()

    def _change_one(self, statement: str, *given: Any) -> None:
        with self._changing() as db:
            changed = db.execute(statement, given).rowcount
        if not changed:
            raise NotFound("This entry is no longer there.")

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on disk at the end, or nothing."""
        with self._lock, self._problems_named("The history cannot be written."):
            db = self._opened()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _problems_named(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise UserError(what, f"{error}.", f"Look whether {self.path} can be written, and whether the disk is full.") from error

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _connection(self.path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # locked, or no right to write: the file itself may be sound
                    raise
                aside = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}")
                report(f"{self.path.name} is damaged; it is kept as {aside.name}, and a new one begins.", error)
                self.path.rename(aside)
                self._db = _connection(self.path)
        return self._db


def _connection(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error for a file that cannot be used, or that a later program wrote."""
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            raise sqlite3.OperationalError(f"it has version {version}, this program knows version {SCHEMA_VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _as_json(values: Mapping[str, Any]) -> str:
    """Raises RequestError for what is too much to keep."""
    data = json.dumps(values, sort_keys=True)
    if len(data) > MOST_CHARS:
        raise RequestError("values", "The form holds too much text to be kept.")
    return data


def _words(values: Mapping[str, Any], checkpoint: str) -> str:
    """What a search looks through: prompts, the checkpoint, and the other values behind their names."""
    others = [f"{name}: {value}" for name, value in values.items() if name not in PROMPTS and value not in (None, "", [])]
    return "\n".join([*(str(values.get(name) or "") for name in PROMPTS), checkpoint, *others]).casefold()


def _entry(row: tuple[Any, ...]) -> Entry:
    entry_id, tab, used, times, pinned, checkpoint, data = row
    return Entry(id=entry_id, tab=tab, used=used, times=times, pinned=bool(pinned), checkpoint=checkpoint, values=json.loads(data))


def _preset(row: tuple[Any, ...]) -> Preset:
    preset_id, tab, name, version, saved, checkpoint, data = row
    return Preset(id=preset_id, tab=tab, name=name, version=version, saved=saved, checkpoint=checkpoint, values=json.loads(data))


# Presets as text

TEXT_VERSION = 1


def preset_text(preset: Preset) -> str:
    """A preset as text that people can pass on."""
    fields = {"easel_preset": TEXT_VERSION, "tab": preset.tab, "name": preset.name}
    return json.dumps({**fields, **({"checkpoint": preset.checkpoint} if preset.checkpoint else {}), "values": preset.values},
                      indent=2, ensure_ascii=False)


def preset_of_text(text: str) -> Preset:
    """The opposite. Raises RequestError for any other text."""
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    values = read.get("values") if isinstance(read, dict) else None
    if not isinstance(values, dict) or not isinstance(read.get("name"), str) or not isinstance(read.get("tab"), str):
        raise RequestError("text", "This is not the text of a preset.",
                           remedy="Paste what Export gave, from the first bracket to the last.")
    if read.get("easel_preset") != TEXT_VERSION:
        raise RequestError("text", "This preset was written by a later version of Easel.", remedy="Update Easel.")
    return Preset(tab=read["tab"], name=read["name"], checkpoint=str(read.get("checkpoint") or ""), values=values)
