"""A mark on disk while the program starts: one that is still there tells that the last start never came to its end."""
from __future__ import annotations

import json
import os
from pathlib import Path

import psutil

from modules.atomic_files import write_atomically
from modules.errors import report

NOTICE = ("The last start did not come to its end, so extensions that you added are off this time. Switch off the one that may be "
          "the cause in the Extensions tab, then restart; with none switched off, a restart tries all of them again.")
CLOCK_SECONDS = 2.0  # by which two readings of one beginning may differ


class StartMark:
    """The mark of one data folder."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / "starting.json"

    def was_left(self) -> bool:
        """Whether a start that is over now did not reach its end."""
        try:
            mark = json.loads(self._file.read_bytes())
            pid, began = int(mark["pid"]), float(mark.get("began") or 0.0)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return False
        return pid == os.getpid() or not _is_running(pid, began)

    def put(self) -> None:
        """The start begins."""
        try:
            write_atomically(self._file, json.dumps({"pid": os.getpid(), "began": psutil.Process().create_time()}).encode())
        except OSError as error:
            report("The start cannot be marked; a failed one will not be noticed", error)

    def remove(self) -> None:
        """The start is over, or it ended in order."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            report("The mark of the start cannot be removed", error)


def _is_running(pid: int, began: float) -> bool:
    """Whether the process that put the mark runs still. `began`: seconds since 1970, as systems give numbers of processes again."""
    try:
        present = psutil.Process(pid).create_time()
    except psutil.AccessDenied:
        return True
    except (psutil.Error, ValueError, OverflowError):
        return False
    return not began or abs(present - began) < CLOCK_SECONDS
