"""The program without a page, for one command: started, a job waited for with a bar of its progress, and ended."""
from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO

from modules import engine
from modules.jobs.job import Job
from modules.jobs.state import Snapshot
from modules.runtime import Runtime

DONE, FAILED, REFUSED, STOPPED = 0, 1, 2, 130
BAR_CHARS = 30
LOOK_EVERY_S = 0.2


@contextlib.contextmanager
def program(args: argparse.Namespace) -> Iterator[Runtime]:
    """The running program. What its parts print goes to the error stream, so that the output holds results alone."""
    with contextlib.redirect_stdout(sys.stderr):
        rt = engine.start(args)
    try:
        yield rt
    finally:
        engine.stop(rt)


class ProgressBar:
    """One line of the terminal that is written over; nothing where `stream` is no terminal."""

    def __init__(self, stream: TextIO | None = None, is_shown: bool = True):
        self.stream = stream or sys.stderr
        self.is_shown = is_shown and self.stream.isatty()
        self._width = 0

    def show(self, snapshot: Snapshot) -> None:
        """Draw the state of the running job."""
        if self.is_shown:
            self._write(bar_text(snapshot))

    def clear(self) -> None:
        """Take the line away."""
        if self.is_shown and self._width:
            self._write("")
            self.stream.write("\r")
            self.stream.flush()

    def _write(self, text: str) -> None:
        self.stream.write("\r" + text.ljust(self._width))
        self._width = len(text)
        self.stream.flush()


def bar_text(snapshot: Snapshot) -> str:
    """A bar, the batch, the step, and the seconds that are left."""
    filled = int(snapshot.progress * BAR_CHARS)
    parts = [f"{snapshot.progress:4.0%}"]
    if snapshot.job_count > 1:
        parts.append(f"batch {min(snapshot.job_no + 1, snapshot.job_count)} of {snapshot.job_count}")
    if snapshot.sampling_steps:
        parts.append(f"step {snapshot.sampling_step} of {snapshot.sampling_steps}")
    if (left := snapshot.eta_now()) is not None:
        parts.append(f"{left:.0f} s left")
    return f"[{'#' * filled}{'-' * (BAR_CHARS - filled)}] {', '.join(parts)}"


def followed(rt: Runtime, job: Job, bar: ProgressBar) -> Job:
    """The job when it is over. Ctrl+C stops it, waits for what it has made, and is raised again."""
    was_stopped = False
    while True:
        try:
            if job.wait(LOOK_EVERY_S):
                break
            bar.show(rt.state.snapshot())
        except KeyboardInterrupt:
            if was_stopped:
                raise
            was_stopped = True
            rt.queue.cancel(job.id)
    bar.clear()
    if was_stopped:
        raise KeyboardInterrupt
    return job
