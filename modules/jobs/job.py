"""One job: a frozen request, what became of it, and ways to wait for that."""
import asyncio
import hashlib
import re
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from modules.errors import RequestError
from modules.jobs.state import JobState, Snapshot
from modules.jobs.turn import Turn

Status = Literal["waiting", "running", "done", "interrupted", "failed", "cancelled", "unfinished"]
OVER: frozenset[Status] = frozenset({"done", "interrupted", "failed", "cancelled"})

_ID = re.compile(r"[A-Za-z0-9_(][A-Za-z0-9_.,()\- ]{0,119}")


def checked_job_id(job_id: str) -> str:
    """The id as given. Raises RequestError when it is empty, over 120 characters or holds anything but plain letters and signs."""
    if not _ID.fullmatch(job_id):
        raise RequestError(
            "force_task_id",
            what="The task id cannot be used.",
            why="It has to be 1 to 120 characters long: letters A to Z, digits, space and _ - . , ( ), the first one no sign.",
        )
    return job_id


@dataclass(frozen=True, kw_only=True)
class FinishedPicture:
    """A picture of a job that is on disk. `index` counts the pictures of the job from 0, in the order of their seeds."""

    index: int
    path: str
    infotext: str = ""


@dataclass(kw_only=True, eq=False)
class Job:
    """A piece of work for the one worker. Only the queue changes it.

    request and settings are frozen at submission: the handler reads everything from them. `pictures` are those already on disk; after
    a restart the handler makes only the missing ones. Times are seconds since the epoch, `seconds` is the measured time of the work.
    A transient job, such as loading a model, is neither stored nor remembered when it is over.
    """

    id: str
    kind: str
    request: dict[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    owner: str = ""
    status: Status = "waiting"
    resumable: bool = True
    error: str | None = None
    result: dict[str, Any] | None = None
    pictures: list[FinishedPicture] = field(default_factory=list)
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    seconds: float | None = None
    position: int = 0
    is_transient: bool = False
    settings_key: str = ""

    def __post_init__(self) -> None:
        self._settled = threading.Event()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._guard = threading.Lock()
        self._state: JobState | None = None
        self._turn: Turn | None = None
        if self.is_settled:
            self._settled.set()

    @property
    def is_over(self) -> bool:
        """Whether it ended for good: done, interrupted, failed or cancelled."""
        return self.status in OVER

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to wait for: it is over, or unfinished until somebody resumes it."""
        return self.is_over or self.status == "unfinished"

    @property
    def folder_name(self) -> str:
        """A name for a folder of this job's files, safe on every system and different for different ids."""
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", self.id).strip("-")[:60]
        return f"{plain or 'job'}-{hashlib.sha256(self.id.encode()).hexdigest()[:8]}"

    def picture(self, index: int) -> FinishedPicture | None:
        """The finished picture of that index, None when it is still to be made."""
        return next((picture for picture in self.pictures if picture.index == index), None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job is over; False when `timeout` seconds were not enough.

        Raises RuntimeError in a thread that holds the turn: the worker could never come to this job.
        """
        if self._turn is not None and self._turn.is_mine:
            raise RuntimeError("A job is waited for by the thread that holds the turn, so it could never begin.")
        return self._settled.wait(timeout)

    async def wait_async(self, timeout: float | None = None) -> bool:
        """The same for coroutines; holds no thread. Cancelling the wait leaves the job alone."""
        sleeper = (asyncio.get_running_loop(), asyncio.Event())
        with self._guard:
            if self._settled.is_set():
                return True
            self._sleepers.append(sleeper)
        try:
            await asyncio.wait_for(sleeper[1].wait(), timeout)
            return True
        except TimeoutError:
            return self._settled.is_set()
        finally:
            with self._guard:
                if sleeper in self._sleepers:
                    self._sleepers.remove(sleeper)

    async def updates(self, every_seconds: float = 0.5) -> AsyncIterator[Snapshot]:
        """Snapshots of the running job as they change, at most one per `every_seconds`, until it is over.

        The reader looks by itself, so a slow one, or 200 of them, never delay the worker.
        """
        last: Snapshot | None = None
        while not self._settled.is_set():
            snapshot = self._state.snapshot() if self._state else None
            if snapshot is not None and snapshot is not last and snapshot.job_id == self.id:
                last = snapshot
                yield snapshot
            await self.wait_async(every_seconds)

    # For the queue

    def attach(self, state: JobState, turn: Turn) -> None:
        """Tell the job where its progress is published, and whose turn may not wait for it."""
        self._state, self._turn = state, turn

    def settle(self) -> None:
        """Wake everybody who waits."""
        with self._guard:
            self._settled.set()
            sleepers, self._sleepers = self._sleepers, []
        for loop, event in sleepers:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def reopen(self) -> None:
        """An unfinished job waits in the queue again."""
        self._settled.clear()
