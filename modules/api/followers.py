"""Server-sent events: the progress of one job, made once for everybody who follows it."""
from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from modules.api.own_queue import OwnQueue
from modules.api.queue_view import item
from modules.errors import UserError
from modules.jobs.job import Job

PERIOD_S = 0.5  # a state is sent at most twice a second,
AT_FULL_PACE = 100  # and less often when more than so many follow one job, so that they never take the time of the job itself
QUIET_S = 15.0  # a comment is sent after this much silence, so that proxies keep the connection
MOST_FOLLOWERS = 1000


class TooManyFollowers(UserError):
    """More event streams than the server keeps open."""

    status = 429

    def __init__(self) -> None:
        super().__init__("The event stream was not opened.", f"{MOST_FOLLOWERS} are open already, which is the limit.",
                         "Ask for the job's state from time to time instead.")


def event(name: str, data: dict[str, Any]) -> bytes:
    """One event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data, allow_nan=False, separators=(',', ':'))}\n\n".encode("ascii")


def period_s(followers: int) -> float:
    """The time between two states of a job that so many follow."""
    return PERIOD_S * max(1.0, followers / AT_FULL_PACE)


class Feed:
    """The latest events of one job. A follower who reads slowly misses those in between and never delays anybody."""

    def __init__(self, queue: OwnQueue, job: Job):
        self.queue, self.job = queue, job
        self.number, self.text = 0, b""
        self.preview_number, self.preview = -1, b""
        self.followers = 0
        self._last: dict[str, Any] = {}
        self._sent_at = time.monotonic()
        self._changed = asyncio.Event()
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while not self.job.is_settled:
            self._look()
            await self.job.wait_async(period_s(self.followers))
        self._publish(event("end", item(self.queue, self.job)))

    def _look(self) -> None:
        state = item(self.queue, self.job, self.queue.position(self.job.id))
        self._take_preview()
        if state != self._last:
            self._last = state
            self._publish(event("state", state))
        elif time.monotonic() - self._sent_at > QUIET_S:
            self._publish(b": nothing new\n\n")

    def _take_preview(self) -> None:
        snapshot = self.queue.state.snapshot()
        if snapshot.job_id == self.job.id and snapshot.preview is not None and snapshot.id_live_preview != self.preview_number:
            self.preview_number = snapshot.id_live_preview
            self.preview = event("preview", {"number": snapshot.id_live_preview, "image": snapshot.preview.data_url})

    def _publish(self, text: bytes) -> None:
        self.number, self.text, self._sent_at = self.number + 1, text, time.monotonic()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def events(self, with_previews: bool) -> AsyncIterator[bytes]:
        """What one follower is sent: the state as it is now, changes, and the end."""
        seen, seen_preview = 0, -1
        while True:
            if self.number == seen:
                await self._changed.wait()
            seen, text = self.number, self.text
            if with_previews and self.preview_number != seen_preview:
                seen_preview = self.preview_number
                yield self.preview
            yield text
            if text.startswith(b"event: end"):
                return

    def stop(self) -> None:
        self._watcher.cancel()


class Followers:
    """All event streams of the server: one feed per job that somebody follows."""

    def __init__(self) -> None:
        self._feeds: dict[tuple[str, asyncio.AbstractEventLoop], Feed] = {}
        self.count = 0

    def check(self) -> None:
        """Raises TooManyFollowers."""
        if self.count >= MOST_FOLLOWERS:
            raise TooManyFollowers()

    async def follow(self, queue: OwnQueue, job: Job, with_previews: bool) -> AsyncIterator[bytes]:
        """The events of `job` for one follower, until the job is over or the follower leaves."""
        key = (job.id, asyncio.get_running_loop())
        feed = self._feeds.get(key)
        if feed is None or feed.job is not job:  # an id may be used again once its job is over
            feed = self._feeds[key] = Feed(queue, job)
        feed.followers += 1
        self.count += 1
        try:
            async for text in feed.events(with_previews):
                yield text
        finally:
            self.count -= 1
            feed.followers -= 1
            if not feed.followers:
                feed.stop()
                if self._feeds.get(key) is feed:
                    del self._feeds[key]
