"""A mark on disk while the program starts: one that is still there tells that the last start never came to its end."""
from __future__ import annotations

import json
import os
from pathlib import Path

from modules.atomic_files import is_running, write_atomically
from modules.errors import report

NOTICE = ("The last start did not come to its end, so extensions that you added are off this time. Switch off the one that may be "
          "the cause in the Extensions tab, then restart; with none switched off, a restart tries all of them again.")


class StartMark:
    """The mark of one data folder."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / "starting.json"

    def was_left(self) -> bool:
        """Whether a start that is over now did not reach its end."""
        try:
            pid = json.loads(self._file.read_bytes())["pid"]
        except (OSError, ValueError, LookupError, TypeError):
            return False
        return isinstance(pid, int) and (pid == os.getpid() or not is_running(pid))

    def put(self) -> None:
        """The start begins."""
        try:
            write_atomically(self._file, json.dumps({"pid": os.getpid()}).encode())
        except OSError as error:
            report("The start cannot be marked; a failed one will not be noticed", error)

    def remove(self) -> None:
        """The start is over, or it ended in order."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            report("The mark of the start cannot be removed", error)
