"""Queues with handlers that tests control."""
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.jobs.queue import JobQueue


@pytest.fixture
def open_queue(tmp_path: Path) -> Iterator[Callable[..., JobQueue]]:
    """open_queue(**options) -> a queue on tmp_path, closed after the test; several at once are several runs of the program."""
    opened: list[JobQueue] = []

    def open_one(folder: Path = tmp_path / "queue", **options) -> JobQueue:
        queue = JobQueue.open(folder, results=tmp_path / "results", **options)
        queue.register("echo", lambda job, state: {"said": job.request})
        opened.append(queue)
        return queue

    yield open_one
    for queue in opened:
        queue.close()


class Gate:
    """A handler that tells when it has begun, and goes on when told."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.ids: list[str] = []

    def __call__(self, job, state) -> dict:
        self.ids.append(job.id)
        self.begun.set()
        while not self.go_on.wait(0.002):
            state.check()
        return {}


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.go_on.set()
