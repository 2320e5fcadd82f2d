"""The queue: all jobs in their order, one worker thread, and every way to change what happens next."""
import copy
import json
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modules.errors import NotFound, RequestError, UserError, report
from modules.jobs.fairness import place_among
from modules.jobs.job import FinishedPicture, Job, checked_job_id
from modules.jobs.outcome import Handler, attempt
from modules.jobs.session import Session
from modules.jobs.state import JobState
from modules.jobs.store import Store, is_plain_json, set_aside, settings_key, to_json
from modules.jobs.turn import Turn

Values = Mapping[str, Any]
HISTORY = 50
MAX_WAITING = 5000


class QueueFull(UserError):
    """More jobs wait than the queue takes."""

    status = 429

    def __init__(self, limit: int):
        super().__init__(what="The job was not accepted.", why=f"{limit} jobs are waiting already, which is the limit.",
                         remedy="Wait until some are done, or cancel some.")


class JobQueue:
    """Jobs in, results out. Lists are replaced, never changed in place, so that reading them takes no lock.

    results: the folder whose sub-folders (`Job.folder_name`) hold pictures of jobs; a job's is removed when the job is forgotten.
    free_memory: called in the worker after a failed job.
    """

    def __init__(self, store: Store, state: JobState | None = None, turn: Turn | None = None, *, results: Path | None = None,
                 free_memory: Callable[[], None] = lambda: None, history: int = HISTORY, session: Session | None = None):
        self.state = state or JobState()
        self.turn = turn or Turn()
        self.notices: list[str] = []
        self.version = 0
        self.most_waiting = MAX_WAITING
        self.admit: Callable[[str, Mapping[str, Any]], None] = lambda kind, request: None  # raises UserError for what is too much
        # (owner, request, settings) -> the settings under which this owner's job runs; raises UserError for what is not theirs to ask for
        self.settings_for: Callable[[str, Values, Values], Values] = lambda owner, request, settings: settings
        self.is_paused = False
        self._store = store
        self._session = session
        self._results = results
        self._free_memory = free_memory
        self._history = history
        self._handlers: dict[str, Handler] = {}
        self._changed = threading.Condition(threading.RLock())
        self._by_id: dict[str, Job] = {}
        self._waiting: tuple[Job, ...] = ()
        self._over: tuple[Job, ...] = ()
        self._left: tuple[Job, ...] = ()
        self._current: Job | None = None
        self._next_position = 1
        self._known_settings: dict[str, Mapping[str, Any]] = {}
        self._worker: threading.Thread | None = None
        self._is_closing = False
        self._adopt()

    @classmethod
    def open(cls, folder: Path, state: JobState | None = None, turn: Turn | None = None, **options: Any) -> "JobQueue":
        """The queue of a data folder. Whatever state its file is in, a queue comes back; what was wrong stands in `notices`."""
        notices = []
        session: Session | None = None
        path = folder / "queue.sqlite"
        try:
            session = Session(folder)
            store = Store(path, session.id)
            others = len(session.others())
            if others:
                notices.append("Another Easel works on this data folder. Each makes its own jobs; their settings are shared.")
        except (OSError, NotImplementedError, sqlite3.OperationalError) as error:  # no writing, no locks (filelock), no SQLite here
            report("The queue cannot be kept on disk.", error)
            notices.append(f"The queue cannot be kept on disk ({error}): jobs that wait are lost when the program ends. Check {folder}.")
            store = Store(None, "memory")
        except sqlite3.DatabaseError as error:
            report("The queue's file is damaged.", error)
            store = cls._store_instead_of(path, session.id if session else "memory", notices)
        queue = cls(store, state, turn, session=session, **options)
        queue.notices[:0] = notices
        return queue

    @staticmethod
    def _store_instead_of(path: Path, session_id: str, notices: list[str]) -> Store:
        try:
            aside = set_aside(path)
            store = Store(path, session_id)
            notices.append(f"The list of waiting jobs was damaged. It was set aside as {aside.name}, and an empty one begun.")
            return store
        except (OSError, sqlite3.Error) as error:
            report("The damaged queue's file cannot be replaced.", error)
            notices.append("The list of waiting jobs is damaged and cannot be replaced: jobs that wait are lost when the program ends.")
            return Store(None, session_id)

    def _adopt(self) -> None:
        """Take over what earlier runs left."""
        is_alive = self._session.is_alive if self._session else lambda session_id: False
        try:
            jobs = self._store.adopt(is_alive)
        except sqlite3.Error as error:
            report("The stored jobs cannot be read.", error)
            self.notices.append("The list of waiting jobs cannot be read; the program goes on without it.")
            return
        for job in jobs:
            job.attach(self.state, self.turn)
            self._by_id[job.id] = job
        self._left = tuple(job for job in jobs if job.status == "unfinished")
        self._over = tuple(reversed([job for job in jobs if job.is_over]))
        self._next_position = 1 + max((job.position for job in jobs), default=0)
        self._prune()

    # Life

    def register(self, kind: str, handler: Handler) -> None:
        """Say who carries out jobs of this kind: `handler(job, state) -> result`, called in the worker with the turn held."""
        self._handlers[kind] = handler

    def start(self) -> None:
        """Start the worker."""
        self._worker = threading.Thread(target=self._work, name="easel-worker", daemon=True)
        self._worker.start()

    def close(self, timeout: float = 10.0) -> None:
        """Stop the running job and the worker. What waits, and the job that was running, are offered again at the next start."""
        with self._changed:
            self._is_closing = True
            if self._current:
                self.state.interrupt()
            self._changed.notify_all()
        if self._worker:
            self._worker.join(timeout)
        for job in self._waiting:
            job.status = "unfinished"
            job.settle()
        self._store.close()
        if self._session:
            self._session.close()

    # Putting jobs in

    def submit(self, kind: str, request: dict[str, Any], settings: Mapping[str, Any], title: str = "", owner: str = "",
               job_id: str | None = None, resumable: bool = True, is_transient: bool = False) -> Job:
        """Freeze the request and put it at the end of the queue; it is on disk before this returns, unless it is transient.

        With several users it goes where it is that user's turn. Raises RequestError for an id that is in use or unusable,
        QueueFull (429), and what `admit` and `settings_for` raise.
        """
        self.admit(kind, request)
        settings = self.settings_for(owner, request, settings)
        job_id = f"job-{uuid.uuid4().hex[:16]}" if job_id is None else checked_job_id(job_id)
        frozen, resumable = self._frozen(request, resumable)
        settings_text = to_json(dict(settings))
        key = settings_key(settings_text)
        with self._changed:
            if len(self._waiting) >= self.most_waiting:
                raise QueueFull(self.most_waiting)
            self._make_room_for(job_id)
            if key not in self._known_settings:
                self._known_settings = {key: json.loads(settings_text)}
            job = Job(id=job_id, kind=kind, request=frozen, settings=self._known_settings[key], settings_key=key, title=title,
                      owner=owner, resumable=resumable, is_transient=is_transient, created=time.time(), position=self._take_position())
            job.attach(self.state, self.turn)
            self._save(job)
            self._by_id[job.id] = job
            place = place_among(self._waiting, owner, self._current)
            self._order((*self._waiting[:place], job, *self._waiting[place:]), is_new_order=place < len(self._waiting))
            self._note_change()
        return job

    def _order(self, jobs: tuple[Job, ...], is_new_order: bool = True) -> None:
        """Make this the order of the waiting jobs."""
        self._waiting = jobs
        if is_new_order:
            for position, job in zip(sorted(job.position for job in jobs), jobs, strict=True):
                job.position = position
            self._keep(lambda: self._store.save_order(jobs))

    @staticmethod
    def _frozen(request: dict[str, Any], resumable: bool) -> tuple[dict[str, Any], bool]:
        """The request as nobody else can change it, and whether it can be stored."""
        if is_plain_json(request):
            return json.loads(to_json(request)), resumable
        try:
            return copy.deepcopy(request), False
        except Exception:  # locks, open files and the like cannot be copied
            return dict(request), False

    def _make_room_for(self, job_id: str) -> None:
        known = self._by_id.get(job_id)
        if known is None:
            return
        if not known.is_over:
            raise RequestError("force_task_id", what=f"The task id {job_id} is in use.", why="A job of that id has not ended yet.",
                               remedy="Choose another id.")
        self._forget([known])

    def _take_position(self) -> int:
        self._next_position += 1
        return self._next_position - 1

    # Reading; none of these waits for anything

    @property
    def current(self) -> Job | None:
        """The job that runs now."""
        return self._current

    def get(self, job_id: str) -> Job | None:
        return self._by_id.get(job_id)

    def jobs(self) -> list[Job]:
        """The running job, then the waiting ones in their order."""
        current = self._current
        return ([current] if current else []) + [job for job in self._waiting if job is not current]

    def waiting(self) -> tuple[Job, ...]:
        return self._waiting

    def recent(self) -> list[Job]:
        """Jobs that are over, newest first."""
        return list(self._over)

    def unfinished(self) -> list[Job]:
        """Jobs that an earlier run of the program left waiting or running; nothing starts them but `resume_unfinished`."""
        return list(self._left)

    def position(self, job_id: str) -> int | None:
        """Place among the waiting jobs, 1 = next; None for one that does not wait."""
        return next((place for place, job in enumerate(self._waiting, 1) if job.id == job_id), None)

    # Changing the order

    def pause(self) -> None:
        """Let the running job end and start no other."""
        with self._changed:
            self.is_paused = True
            self._note_change()

    def resume(self) -> None:
        with self._changed:
            self.is_paused = False
            self._note_change()

    def move(self, job_id: str, before: str | None = None) -> None:
        """Put a waiting job in front of another one, or at the end. Raises NotFound when either does not wait."""
        with self._changed:
            job = self._waiting_job(job_id)
            target = self._waiting_job(before) if before is not None else None
            if job is target:
                return
            rest = [other for other in self._waiting if other is not job]
            rest.insert(rest.index(target) if target else len(rest), job)
            self._order(tuple(rest))
            self._note_change()

    def _waiting_job(self, job_id: str) -> Job:
        job = next((job for job in self._waiting if job.id == job_id), None)
        if job is None:
            raise NotFound(what=f"No job {job_id[:80]} is waiting.", why="It has started, was cancelled, or never was here.")
        return job

    # Stopping

    def interrupt(self, job_id: str | None = None, *, after_current: bool = False) -> bool:
        """Stop that job if it runs at this moment (None: whichever runs); whether it did. A late call hits no other job.

        after_current: let the picture that is being made be finished.
        """
        with self._changed:
            if self._current is None or job_id not in (None, self._current.id):
                return False
            if after_current:
                self.state.stop_generating()
            else:
                self.state.interrupt()
            return True

    def skip(self, job_id: str | None = None) -> bool:
        """Give up the current batch of that job if it runs at this moment (None: whichever runs); whether it did."""
        with self._changed:
            if self._current is None or job_id not in (None, self._current.id):
                return False
            self.state.skip()
            return True

    def cancel(self, job_id: str) -> bool:
        """Take a waiting job out of the queue, or interrupt the running one; False when it is neither."""
        with self._changed:
            if self._current is not None and self._current.id == job_id:
                return self.interrupt(job_id)
            job = next((job for job in self._waiting if job.id == job_id), None)
            if job is None:
                return False
            self._waiting = tuple(other for other in self._waiting if other is not job)
            self._end(job, status="cancelled")
            return True

    def cancel_all(self) -> int:
        """Take all waiting jobs out; how many there were. The running one goes on."""
        with self._changed:
            jobs, self._waiting = self._waiting, ()
            for job in jobs:
                self._end(job, status="cancelled")
            return len(jobs)

    # What an earlier run left

    def resume_unfinished(self, job_id: str | None = None) -> list[Job]:
        """Put an unfinished job (None: all) back into the queue, with its pictures that are still on disk.

        Raises NotFound for an id that is not unfinished, UserError for a job whose request could not be stored.
        """
        with self._changed:
            chosen = [job for job in self._unfinished_jobs(job_id) if job.resumable or job_id is not None]
            for job in chosen:
                if not job.resumable:
                    raise UserError(what="This job cannot be resumed.", why="Its request holds values that cannot be stored.",
                                    remedy="Discard it and make it again.")
            for job in chosen:
                job.pictures = [picture for picture in job.pictures if Path(picture.path).is_file()]
                job.status, job.started, job.position = "waiting", None, self._take_position()
                job.reopen()
                self._save(job)
            self._left = tuple(job for job in self._left if job not in chosen)
            self._waiting += tuple(chosen)
            self._note_change()
        return chosen

    def discard(self, job_id: str | None = None) -> None:
        """Forget an unfinished job (None: all). Its pictures in the output folders stay. Raises NotFound."""
        with self._changed:
            self._forget(self._unfinished_jobs(job_id))
            self._note_change()

    def _unfinished_jobs(self, job_id: str | None) -> list[Job]:
        chosen = [job for job in self._left if job_id in (None, job.id)]
        if job_id is not None and not chosen:
            raise NotFound(what=f"No unfinished job {job_id[:80]} is known.")
        return chosen

    # For handlers

    def note_picture(self, job: Job, index: int, path: str | Path, infotext: str = "") -> FinishedPicture:
        """Record a picture as soon as its file is published, before anything else is done with it."""
        picture = FinishedPicture(index=index, path=str(path), infotext=infotext)
        self._keep(lambda: self._store.save_picture(job.id, picture))
        job.pictures = [other for other in job.pictures if other.index != index] + [picture]
        return picture

    # The worker

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing or (self._waiting and not self.is_paused))
                if self._is_closing:
                    return
            with self.turn:
                job = self._begin_next()
                if job is not None:
                    self._run(job)
                    # Not kept until the next job comes: its request and result may be large.
                    del job

    def _begin_next(self) -> Job | None:
        """Make the first waiting job the current one; its flags are clear before anybody can stop it."""
        with self._changed:
            if self._is_closing or self.is_paused or not self._waiting:
                return None
            job, self._waiting = self._waiting[0], self._waiting[1:]
            job.status, job.started = "running", time.time()
            self.state.start(job.id)
            self._current = job
            self._save(job)
            self._note_change()
            return job

    def _run(self, job: Job) -> None:
        began = time.monotonic()
        outcome = attempt(self._handlers.get(job.kind), job, self.state, self._free_memory)
        with self._changed:
            job.seconds = time.monotonic() - began
            self._current = None
            self.state.finish()
            if self._is_closing and outcome.status == "interrupted":
                job.status = "unfinished"  # its row still says running: the next start offers it
                job.settle()
                return
            self._end(job, status=outcome.status, result=outcome.result, error=outcome.error)

    def _end(self, job: Job, **outcome: Any) -> None:
        for name, value in outcome.items():
            setattr(job, name, value)
        job.ended, job.position = time.time(), self._take_position()
        self._save(job)
        if job.is_transient:
            self._by_id.pop(job.id, None)
        else:
            self._over = (job, *self._over)
            self._prune()
        self._note_change()
        job.settle()

    def _prune(self) -> None:
        surplus = list(self._over[self._history:])
        if surplus:
            self._forget(surplus)

    def _forget(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._by_id.pop(job.id, None)
            if self._results is not None:
                shutil.rmtree(self._results / job.folder_name, ignore_errors=True)
        self._over = tuple(job for job in self._over if job not in jobs)
        self._left = tuple(job for job in self._left if job not in jobs)
        self._keep(lambda: self._store.forget([job.id for job in jobs]))

    def _note_change(self) -> None:
        self.version += 1
        self._changed.notify_all()

    def _save(self, job: Job) -> None:
        if not job.is_transient:
            self._keep(lambda: self._store.save(job))

    def _keep(self, write: Callable[[], None]) -> None:
        """Write to the store. A full disk must not take a job or its result from the user: it goes on in memory, and says so."""
        try:
            write()
        except sqlite3.Error as error:
            report("The queue could not be written to disk.", error)
            sentence = f"The queue could not be written to disk ({error}). Jobs go on, but would not be offered again after a crash."
            if sentence not in self.notices:
                self.notices.append(sentence)
