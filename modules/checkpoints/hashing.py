"""SHA-256 of files, computed in a thread and remembered by path, size and time of change."""
from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from modules.atomic_files import write_atomically
from modules.errors import report

_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True, kw_only=True)
class FileState:
    """What tells one content of a file from the next without reading it."""

    size: int
    mtime_ns: int

    @staticmethod
    def of(path: Path) -> FileState:
        """Raises OSError."""
        stat = path.stat()
        return FileState(size=stat.st_size, mtime_ns=stat.st_mtime_ns)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hex. Raises OSError."""
    digest = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(block[:count])
    return digest.hexdigest()


class HashCache:
    """Hashes known so far. A damaged file of hashes counts as empty; one that cannot be written costs only the time next start."""

    def __init__(self, file: Path | None = None):
        self._file = file
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        self._known: dict[str, tuple[FileState, str]] = self._read()

    def get(self, path: Path, state: FileState) -> str:
        """The hash of this content, or "" while it is not known. Reads nothing."""
        known = self._known.get(str(path))
        return known[1] if known and known[0] == state else ""

    def compute(self, path: Path, state: FileState) -> str:
        """The hash of this content, computed now unless it is known; "" if the file has gone or become another one."""
        if known := self.get(path, state):
            return known
        try:
            digest = sha256_of(path)
            if FileState.of(path) != state:
                return ""
        except OSError:
            return ""
        with self._lock:
            self._known[str(path)] = (state, digest)
            self._write()
        return digest

    def start(self, path: Path, state: FileState) -> threading.Thread:
        """Compute the hash in a thread of its own; one file is read by one thread at a time."""
        with self._lock:
            running = self._running.get(str(path))
            if running is None or not running.is_alive():
                running = threading.Thread(target=self.compute, args=(path, state), name=f"hash {path.name}", daemon=True)
                self._running[str(path)] = running
                running.start()
        return running

    def _read(self) -> dict[str, tuple[FileState, str]]:
        if self._file is None:
            return {}
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            return {path: (FileState(size=row["size"], mtime_ns=row["mtime_ns"]), str(row["sha256"])) for path, row in rows.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            report(f"The file of hashes {self._file} cannot be read; hashes are computed anew.", error)
            return {}

    def _write(self) -> None:
        if self._file is None:
            return
        rows = {path: {**asdict(state), "sha256": digest} for path, (state, digest) in self._known.items()}
        try:
            write_atomically(self._file, json.dumps(rows, indent=1).encode())
        except OSError as error:
            report(f"The file of hashes {self._file} cannot be written.", error)
