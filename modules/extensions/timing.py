"""How long the files of scripts take, by what they were asked to do."""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_seconds: dict[tuple[str, str], float] = {}
_lock = threading.Lock()


def note(file: str, hook: str, seconds: float) -> None:
    """Count seconds that a file spent in a hook."""
    with _lock:
        _seconds[file, hook] = _seconds.get((file, hook), 0.0) + seconds


@contextmanager
def of(file: str, hook: str) -> Iterator[None]:
    """A scope whose time belongs to a file and a hook."""
    began = time.perf_counter()
    try:
        yield
    finally:
        note(file, hook, time.perf_counter() - began)


def table() -> dict[str, dict[str, float]]:
    """Seconds by file and hook since the start."""
    found: dict[str, dict[str, float]] = {}
    with _lock:
        for (file, hook), seconds in _seconds.items():
            found.setdefault(file, {})[hook] = seconds
    return found


def forget() -> None:
    """Begin anew."""
    with _lock:
        _seconds.clear()
