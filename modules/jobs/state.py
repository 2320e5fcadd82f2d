"""What the running job is doing: counters, flags, preview, and the snapshots of them that others read."""
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from modules.errors import Interrupted, Skipped, report
from modules.jobs.preview import Preview, Previewer, PreviewOptions, encode_preview


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state at one moment, complete and unchanging; any thread may hold it.

    progress: 0..1. eta_seconds: from `taken_at` (monotonic seconds) to the end of the job, None as long as no step was measured.
    """

    job_id: str = ""
    job: str = ""
    job_no: int = 0
    job_count: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0
    progress: float = 0.0
    eta_seconds: float | None = None
    taken_at: float = 0.0
    textinfo: str | None = None
    preview: Preview | None = None
    id_live_preview: int = -1
    interrupted: bool = False
    skipped: bool = False
    stopping_generation: bool = False
    job_timestamp: str = "0"

    def eta_now(self) -> float | None:
        """Seconds until the end as of now, never below 0."""
        if self.eta_seconds is None:
            return None
        return max(0.0, self.eta_seconds - (time.monotonic() - self.taken_at))


class StepClock:
    """Seconds to the end, from the pace of the last steps.

    The time before the first step (loading, encoding the prompt) does not count: it says nothing about the steps to come.
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque(maxlen=64)

    def note(self, progress: float, now: float) -> None:
        """Remember that `progress` was reached at `now` seconds."""
        if self._marks and progress < self._marks[-1][0]:
            self._marks.clear()  # the amount of work was changed, earlier fractions mean something else
        if progress > 0 and (not self._marks or progress > self._marks[-1][0]):
            self._marks.append((progress, now))

    def eta(self, now: float) -> float | None:
        if len(self._marks) < 2:
            return None
        (first, began), (last, reached) = self._marks[0], self._marks[-1]
        seconds_per_fraction = (reached - began) / (last - first)
        return max(0.0, (1 - last) * seconds_per_fraction - (now - reached))


def fraction(job_no: int, job_count: int, sampling_step: int, sampling_steps: int) -> float:
    """How much of the work is done, 0..1: whole batches, and the steps of the current one. 0 while the count is not known."""
    if job_count <= 0:
        return 0.0
    done = job_no / job_count
    if sampling_steps > 0:
        done += min(1.0, sampling_step / sampling_steps) / job_count  # some samplers choose their number of steps as they go
    return min(1.0, max(0.0, done))


_FIRST_COUNTERS: dict[str, Any] = {
    "job_no": 0, "job_count": -1, "sampling_step": 0, "sampling_steps": 0, "current_image_sampling_step": 0,
    "current_latent": None, "current_image": None, "textinfo": None, "processing_has_refined_job_count": False,
}
_NESTED = ("job", *_FIRST_COUNTERS)
_FLAGS = {"interrupted": False, "skipped": False, "stopping_generation": False}
_PUBLISHED = frozenset({"job", "job_no", "job_count", "sampling_step", "sampling_steps", "textinfo", *_FLAGS})


class JobState:
    """One object for the whole process, reset per job. The worker writes, everybody else reads `snapshot()`.

    Scripts assign its counters directly; each such assignment publishes a new snapshot.
    job_count is -1 until somebody knows it; once a run has counted its second passes in, processing_has_refined_job_count is set.
    current_latent: [B, C, h, w] of the last step; current_image: the last preview.
    """

    job: str
    job_no: int
    job_count: int
    sampling_step: int
    sampling_steps: int
    current_image_sampling_step: int
    current_latent: Any
    current_image: Image.Image | None
    textinfo: str | None
    processing_has_refined_job_count: bool
    interrupted: bool
    skipped: bool
    stopping_generation: bool

    def __init__(self) -> None:
        self.__dict__.update(_FIRST_COUNTERS, **_FLAGS, job="", job_count=0)
        self.job_id = ""
        self.job_timestamp = "0"
        self.time_start: float | None = None
        self.id_live_preview = -1
        self.previewer: Previewer | None = None
        self._preview: Preview | None = None
        self._outer: list[dict[str, Any]] = []
        self._is_active = False
        self._clock = StepClock()
        self._publishing = threading.Lock()
        self._snapshot = Snapshot()

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in _PUBLISHED:
            self._publish()

    # Life of a job

    def start(self, job_id: str, title: str = "") -> None:
        """Reset everything for a new job. For the queue alone; scripts use begin()."""
        self._outer.clear()
        self._clock = StepClock()
        self.__dict__.update(_FIRST_COUNTERS, **_FLAGS, job=title, job_id=job_id, previewer=None, _preview=None, _is_active=True,
                             time_start=time.time(), job_timestamp=time.strftime("%Y%m%d%H%M%S"))
        self._publish()

    def finish(self) -> None:
        """Nothing runs any more. Flags, counts of steps and the timestamp stay readable, as clients expect."""
        self._outer.clear()
        self.__dict__.update(job="", job_id="", job_count=0, sampling_step=0, current_latent=None, current_image=None, textinfo=None,
                             previewer=None, _preview=None, _is_active=False)
        self._publish()

    def begin(self, job: str = "(unknown)") -> None:
        """Begin a part of work with counters of its own. Inside a job it never touches the flags: Stop stays Stop."""
        if not self._is_active:
            self.start("", job)
            return
        self._outer.append({name: getattr(self, name) for name in _NESTED})
        self.__dict__.update(_FIRST_COUNTERS, job=job)
        self._publish()

    def end(self) -> None:
        """End what begin() began; the counters of the part around it come back."""
        if self._outer:
            self.__dict__.update(self._outer.pop())
            self._publish()
        elif not self.job_id:  # one end() too many must not end the queue's job
            self.finish()

    def nextjob(self) -> None:
        """Go on to the next batch."""
        self.__dict__.update(job_no=self.job_no + 1, sampling_step=0, current_image_sampling_step=0)
        self._publish()

    def step_done(self, latent: Any = None) -> None:
        """Count one sampling step; `latent` [B, C, h, w] is what a preview is made of, when one is due."""
        self.__dict__["current_latent"] = latent
        self.sampling_step += 1
        self.set_current_image()

    # Cancelling

    def interrupt(self) -> None:
        self.interrupted = True

    def skip(self) -> None:
        self.skipped = True

    def stop_generating(self) -> None:
        """Stop after the picture that is being made."""
        self.stopping_generation = True

    def check(self) -> None:
        """Looked at before each network call. Raises Interrupted or Skipped."""
        if self.interrupted:
            raise Interrupted()
        if self.skipped:
            raise Skipped()

    # Previews

    def set_current_image(self) -> None:
        """Make a preview of `current_latent` if one is due now. A preview that fails is logged once and never ends the job."""
        if self.previewer is None or self.current_latent is None or not self.previewer.is_due(self.sampling_step):
            return
        try:
            self.assign_current_image(self.previewer.picture(self.current_latent))
        except Exception as error:  # whatever a decoder raises: a preview must not end the job
            report("The live preview could not be made; this job goes on without.", error)
            self.previewer = None
        self.current_image_sampling_step = self.sampling_step

    def assign_current_image(self, image: Image.Image) -> None:
        """Show this picture as the preview."""
        options = self.previewer.options if self.previewer else PreviewOptions()
        preview = encode_preview(image, options)
        self.__dict__.update(current_image=image, _preview=preview, id_live_preview=self.id_live_preview + 1)
        self._publish()

    # Reading

    def snapshot(self) -> Snapshot:
        """The last published snapshot; takes no lock and never waits for the worker."""
        return self._snapshot

    def dict(self) -> Mapping[str, Any]:
        """The fields that `GET /sdapi/v1/progress` answers with."""
        names = ("skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no", "sampling_step",
                 "sampling_steps")
        return {name: getattr(self._snapshot, name) for name in names}

    def _publish(self) -> None:
        # Flags come from other threads: without the lock an older view of them could be published last.
        with self._publishing:
            now = time.monotonic()
            progress = fraction(self.job_no, self.job_count or 0, self.sampling_step, self.sampling_steps)
            self._clock.note(progress, now)
            object.__setattr__(self, "_snapshot", Snapshot(
                job_id=self.job_id, job=self.job, job_no=self.job_no, job_count=self.job_count, sampling_step=self.sampling_step,
                sampling_steps=self.sampling_steps, progress=progress, eta_seconds=self._clock.eta(now), taken_at=now,
                textinfo=self.textinfo, preview=self._preview, id_live_preview=self.id_live_preview, interrupted=self.interrupted,
                skipped=self.skipped, stopping_generation=self.stopping_generation, job_timestamp=self.job_timestamp,
            ))
