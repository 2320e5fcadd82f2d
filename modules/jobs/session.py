"""Who owns a row of the queue: one lock per running process, so that a second one never takes the first one's jobs."""
import os
import time
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

STARTING_S = 10  # a lock file this young may belong to a process that has made it and is about to take the lock


class Session:
    """This process in the queue's folder. Its lock ends with the process, however that ends."""

    def __init__(self, folder: Path):
        """Raises OSError where the folder cannot be written, NotImplementedError where its disk has no file locks."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.id = f"{os.getpid()}-{time.time_ns():x}-{uuid.uuid4().hex[:6]}"
        self._lock = FileLock(self._lock_path(self.id), thread_local=False)
        self._lock.acquire(timeout=0)

    def is_alive(self, session_id: str) -> bool:
        """Whether the process of that session still runs. A lock file that is gone means that it ended."""
        path = self._lock_path(session_id)
        if session_id == self.id:
            return True
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        if time.time() - path.stat().st_mtime > STARTING_S:
            path.unlink(missing_ok=True)
        return False

    def others(self) -> list[str]:
        """Ids of the other sessions whose processes run now."""
        ids = [path.name.removeprefix("session-").removesuffix(".lock") for path in self.folder.glob("session-*.lock")]
        return [session_id for session_id in ids if session_id != self.id and self.is_alive(session_id)]

    def close(self) -> None:
        self._lock.release()
        self._lock_path(self.id).unlink(missing_ok=True)

    def _lock_path(self, session_id: str) -> Path:
        return self.folder / f"session-{session_id}.lock"
