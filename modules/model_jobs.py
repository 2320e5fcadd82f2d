"""Loading a checkpoint as a job, so that only the worker touches weights."""
from __future__ import annotations

from typing import Any

from modules import runtime
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime

KIND = "load-checkpoint"


def submit(rt: Runtime, name: str | None = None) -> Job:
    """Queue the loading of the checkpoint called `name`, or of the one that the settings choose. Raises NotFound."""
    info = rt.chosen_checkpoint(name)
    return rt.queue.submit(KIND, {"checkpoint": info.title}, {}, title=f"Load {info.title}", is_transient=True)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part."""
    rt = runtime.current()
    state.textinfo = f"Loading {job.request['checkpoint']}"
    model = rt.models.ensure(rt.chosen_checkpoint(job.request["checkpoint"]))
    return {"checkpoint": model.checkpoint.title, "images": [], "notes": []}
