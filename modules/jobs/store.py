"""The queue on disk: one SQLite file with the jobs, their order and state, and the pictures they finished."""
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modules.errors import report
from modules.jobs.job import FinishedPicture, Job

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE jobs (id TEXT PRIMARY KEY, session TEXT NOT NULL, status TEXT NOT NULL, position INTEGER NOT NULL,
                   settings_key TEXT NOT NULL, request TEXT NOT NULL, result TEXT, facts TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pictures (job_id TEXT NOT NULL, number INTEGER NOT NULL, picture TEXT NOT NULL, PRIMARY KEY (job_id, number)) WITHOUT ROWID;
CREATE TABLE settings (key TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
"""
_FACTS = ("kind", "title", "owner", "resumable", "error", "created", "started", "ended", "seconds")


def is_plain_json(value: Any) -> bool:
    """Whether the value comes back from JSON as it was (lists for tuples aside)."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain_json(member) for key, member in value.items())
    if isinstance(value, (list, tuple)):
        return all(is_plain_json(member) for member in value)
    return value is None or type(value) in (bool, int, float, str)


def to_json(value: Any) -> str:
    """ASCII JSON; what JSON cannot hold is written as its text, for people to read."""
    return json.dumps(value, default=str, skipkeys=True)


def settings_key(settings_json: str) -> str:
    """Equal settings have equal keys, and are stored once."""
    return hashlib.sha256(settings_json.encode()).hexdigest()[:24]


class Store:
    """The file. All writing goes through one connection, one transaction at a time; every transaction is on disk when it returns.

    Methods raise sqlite3.Error when the disk is full or the file unusable; the queue decides what that means.
    """

    def __init__(self, path: Path | None, session_id: str):
        """Open or create; `path` None keeps everything in memory. Raises sqlite3.Error on a file that cannot be read."""
        self.session_id = session_id
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=5)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            # FULL: a job or picture that was acknowledged survives the power switch, not only a killed process.
            self._db.execute("PRAGMA synchronous=FULL")
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        with self._transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA.split(";")[:-1]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise sqlite3.DatabaseError(f"queue of version {version}, this program knows version {SCHEMA_VERSION}")
        found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def save(self, job: Job) -> None:
        """Write the job as it is now; its row is made where there is none."""
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM settings WHERE key = ?", (job.settings_key,)).fetchone():
                self._db.execute("INSERT INTO settings VALUES (?, ?)", (job.settings_key, to_json(dict(job.settings))))
            self._db.execute(
                "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (job.id, self.session_id, job.status, job.position, job.settings_key, to_json(job.request),
                 None if job.result is None else to_json(job.result), to_json({name: getattr(job, name) for name in _FACTS})),
            )

    def save_picture(self, job_id: str, picture: FinishedPicture) -> None:
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)",
                (job_id, picture.index, to_json({"path": picture.path, "infotext": picture.infotext})),
            )

    def save_order(self, jobs: Iterable[Job]) -> None:
        """Write the positions of these jobs."""
        with self._transaction():
            self._db.executemany("UPDATE jobs SET position = ? WHERE id = ?", [(job.position, job.id) for job in jobs])

    def forget(self, job_ids: Iterable[str]) -> None:
        """Remove jobs and what is known about their pictures."""
        rows = [(job_id,) for job_id in job_ids]
        with self._transaction():
            self._db.executemany("DELETE FROM pictures WHERE job_id = ?", rows)
            self._db.executemany("DELETE FROM jobs WHERE id = ?", rows)

    def adopt(self, is_alive: Callable[[str], bool]) -> list[Job]:
        """Take over the jobs of sessions that are gone, and give them back in their order.

        Those that were waiting or running are "unfinished" now. Rows of other processes that run stay theirs.
        """
        with self._transaction():
            sessions = [row[0] for row in self._db.execute("SELECT DISTINCT session FROM jobs")]
            gone = [(self.session_id, session) for session in sessions if session != self.session_id and not is_alive(session)]
            self._db.executemany("UPDATE jobs SET session = ? WHERE session = ?", gone)
            self._db.execute("UPDATE jobs SET status = 'unfinished' WHERE session = ? AND status IN ('waiting', 'running')",
                             (self.session_id,))
            self._db.execute("DELETE FROM settings WHERE key NOT IN (SELECT settings_key FROM jobs)")
            self._db.execute("DELETE FROM pictures WHERE job_id NOT IN (SELECT id FROM jobs)")
        return list(self._read_jobs())

    def _read_jobs(self) -> Iterator[Job]:
        rows = self._db.execute("SELECT id, status, position, settings_key, request, result, facts FROM jobs WHERE session = ?"
                                " ORDER BY position", (self.session_id,)).fetchall()
        settings: dict[str, Mapping[str, Any]] = {}
        for job_id, status, position, key, request, result, facts in rows:
            try:
                if key not in settings:
                    found = self._db.execute("SELECT data FROM settings WHERE key = ?", (key,)).fetchone()
                    settings[key] = json.loads(found[0]) if found else {}
                pictures = [FinishedPicture(index=number, **json.loads(text)) for number, text in self._db.execute(
                    "SELECT number, picture FROM pictures WHERE job_id = ? ORDER BY number", (job_id,))]
                yield Job(id=job_id, status=status, position=position, settings_key=key, settings=settings[key],
                          request=json.loads(request), result=json.loads(result) if result else None, pictures=pictures,
                          **json.loads(facts))
            except (ValueError, TypeError) as error:
                report(f"A stored job ({job_id}) cannot be read and is left out.", error)

    def close(self) -> None:
        with self._lock:
            self._db.close()


def set_aside(path: Path) -> Path:
    """Rename an unusable queue file, and SQLite's files beside it, out of the way; gives the new path. Raises OSError."""
    aside = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}")
    path.replace(aside)
    for ending in ("-wal", "-shm"):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + ending))
    return aside
