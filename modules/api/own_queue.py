"""The queue as the user behind a request may see and change it."""
from dataclasses import dataclass

from fastapi import Request

from modules.errors import NotFound, UserError
from modules.jobs.fairness import user_of
from modules.jobs.job import Job
from modules.jobs.queue import JobQueue
from modules.jobs.state import JobState
from modules.runtime import Runtime


class NotAllowed(UserError):
    """Something that only an administrator may do."""

    status = 403


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who asks. Without a login everybody is the same user, who may do everything."""

    user: str = ""
    is_admin: bool = True

    def may_see(self, job: Job) -> bool:
        """Whether the job is theirs to see and to stop."""
        return self.is_admin or user_of(job.owner) == self.user


def viewer_of(request: Request | None) -> Viewer:
    """The user that the login has found; None: nobody asks from outside, as in a test of a handler."""
    user = request.scope.get("easel_user") if request is not None else None
    return Viewer() if request is None or user is None else Viewer(user=user, is_admin=bool(request.scope.get("easel_admin")))


def page_owner(request: Request | None, session: str) -> str:
    """The owner of jobs that a page makes: its user, and the page itself, since a user may have several."""
    return f"{viewer_of(request).user}/{session}"


def admin_only(request: Request) -> None:
    """Dependency of routes that concern everybody. Raises NotAllowed."""
    if not viewer_of(request).is_admin:
        raise NotAllowed("Only an administrator of this server may do this.")


class OwnQueue:
    """Reads and changes of the queue, limited to the jobs of one user; an administrator has them all."""

    def __init__(self, queue: JobQueue, viewer: Viewer):
        self._queue, self.viewer = queue, viewer

    @property
    def state(self) -> JobState:
        return self._queue.state

    @property
    def version(self) -> int:
        return self._queue.version

    @property
    def is_paused(self) -> bool:
        return self._queue.is_paused

    @property
    def notices(self) -> list[str]:
        return self._queue.notices

    @property
    def size(self) -> int:
        """How many jobs of all users wait."""
        return len(self._queue.waiting())

    @property
    def current(self) -> Job | None:
        """The running job, when it is theirs."""
        job = self._queue.current
        return job if job is not None and self.viewer.may_see(job) else None

    def get(self, job_id: str) -> Job | None:
        job = self._queue.get(job_id)
        return job if job is not None and self.viewer.may_see(job) else None

    def known(self, job_id: str) -> Job:
        """The same. Raises NotFound."""
        job = self.get(job_id)
        if job is None:
            raise NotFound(what="This job is not known.", why="It was forgotten after many newer ones, or never was here.")
        return job

    def places(self) -> list[tuple[int, Job]]:
        """Waiting jobs with their places among those of all users, 1 = next."""
        return [(place, job) for place, job in enumerate(self._queue.waiting(), 1) if self.viewer.may_see(job)]

    def jobs(self) -> list[Job]:
        """The running job, then the waiting ones in their order."""
        return self._visible(self._queue.jobs())

    def recent(self) -> list[Job]:
        return self._visible(self._queue.recent())

    def unfinished(self) -> list[Job]:
        return self._visible(self._queue.unfinished())

    def _visible(self, jobs: list[Job]) -> list[Job]:
        return [job for job in jobs if self.viewer.may_see(job)]

    def position(self, job_id: str) -> int | None:
        return self._queue.position(job_id)

    # Changes

    def interrupt(self, job_id: str | None = None, *, after_current: bool = False) -> bool:
        """Stop the running job, if it is that one (None: whichever) and theirs."""
        job = self.current
        return job is not None and job_id in (None, job.id) and self._queue.interrupt(job.id, after_current=after_current)

    def skip(self, job_id: str | None = None) -> bool:
        job = self.current
        return job is not None and job_id in (None, job.id) and self._queue.skip(job.id)

    def cancel(self, job_id: str) -> bool:
        """Take a waiting job out, or stop it when it runs. Raises NotFound for a job that is not theirs."""
        return self._queue.cancel(self.known(job_id).id)

    def cancel_all(self) -> int:
        """Take all waiting jobs of the user out; an administrator takes out those of everybody."""
        if self.viewer.is_admin:
            return self._queue.cancel_all()
        return sum(self._queue.cancel(job.id) for _, job in self.places())

    def move(self, job_id: str, before: str | None) -> None:
        """Raises NotFound; NotAllowed without administrator's rights, since it would pass by jobs of others."""
        self._need_admin()
        self._queue.move(job_id, before)

    def pause(self) -> None:
        self._need_admin()
        self._queue.pause()

    def resume(self) -> None:
        self._need_admin()
        self._queue.resume()

    def _need_admin(self) -> None:
        if not self.viewer.is_admin:
            raise NotAllowed("Only an administrator of this server may change the order of everybody's jobs.")

    def again(self, job_id: str) -> Job:
        """Queue the request of a known job once more. Raises NotFound."""
        job = self.known(job_id)
        return self._queue.submit(job.kind, job.request, job.settings, title=job.title, owner=job.owner, resumable=job.resumable)

    def resume_unfinished(self, job_id: str | None) -> None:
        """Put one of their unfinished jobs, or all of them (None), back into the queue. Raises NotFound."""
        if job_id is None and not self.viewer.is_admin:
            for job in self.unfinished():
                if job.resumable:
                    self._queue.resume_unfinished(job.id)
        else:
            self._queue.resume_unfinished(self._own_id(job_id))

    def discard(self, job_id: str | None) -> None:
        """Forget one of their unfinished jobs, or all of them (None). Raises NotFound."""
        if job_id is None and not self.viewer.is_admin:
            for job in self.unfinished():
                self._queue.discard(job.id)
        else:
            self._queue.discard(self._own_id(job_id))

    def _own_id(self, job_id: str | None) -> str | None:
        return job_id if self.viewer.is_admin or job_id is None else self.known(job_id).id


def own_queue(rt: Runtime, request: Request) -> OwnQueue:
    """The queue for the user behind this request."""
    return OwnQueue(rt.queue, viewer_of(request))
