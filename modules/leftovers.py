"""What earlier days left behind and nobody needs any more, removed while the program runs."""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from modules.errors import report
from modules.imaging.thumbnails import folder_of_thumbnails
from modules.model_files import KINDS, UPLOAD
from modules.runtime import Runtime

DAY_S = 24 * 60 * 60
UPLOADS_KEPT_S = 7 * DAY_S  # an upload that was broken off can go on that long
THUMBNAILS_KEPT_S = 60 * DAY_S  # after they were last shown; one is made again in a hundredth of a second
PAUSE_S = 0.001  # between two files: a job that runs comes first


def remove_in_background(rt: Runtime) -> threading.Thread:
    """Begin to remove them; the thread ends by itself."""
    thread = threading.Thread(target=_remove, args=[rt], name="leftovers", daemon=True)
    thread.start()
    return thread


def leftovers(rt: Runtime, now: float) -> Iterator[Path]:
    """Parts of uploads that nobody went on with, and small copies that were not shown for long, at a time in seconds since 1970."""
    for kind in KINDS.values():
        yield from _older(kind.path(rt).rglob(f"*{UPLOAD}"), now - UPLOADS_KEPT_S)
    yield from _older(folder_of_thumbnails(rt.folders.cache).glob("??/*.webp"), now - THUMBNAILS_KEPT_S)


def _older(files: Iterator[Path], time_s: float) -> Iterator[Path]:
    for path in files:
        try:
            if path.lstat().st_mtime < time_s:
                yield path
        except OSError:  # gone meanwhile
            continue


def _remove(rt: Runtime) -> None:
    try:
        for path in leftovers(rt, time.time()):
            path.unlink(missing_ok=True)
            time.sleep(PAUSE_S)
    except OSError as error:  # a folder that cannot be read or written: the next start tries again
        report("What is no longer needed could not be removed.", error)
