"""Carrying out one job: whatever happens inside, exactly one outcome and a sentence for the user come out."""
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modules.errors import Cancelled, UserError, report
from modules.hardware import is_out_of_memory
from modules.jobs.job import Job, Status
from modules.jobs.state import JobState

Handler = Callable[[Job, JobState], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended: done, interrupted or failed; `error` is the sentence of a failed one."""

    status: Status
    result: dict[str, Any] | None = None
    error: str | None = None


def memory_sentence(request: dict[str, Any]) -> str:
    """What to do when memory ran out, with the sizes of this request."""
    width, height, batch_size = (request.get(name) for name in ("width", "height", "batch_size"))
    size = f" for {width} x {height} pixels" if width and height else ""
    remedies = []
    if isinstance(batch_size, int) and batch_size > 1:
        size += f" in batches of {batch_size}"
        remedies.append(f"a batch size of {max(1, batch_size // 2)}")
    if isinstance(width, int) and isinstance(height, int) and max(width, height) > 512:
        remedies.append(f"{max(64, width // 2 // 8 * 8)} x {max(64, height // 2 // 8 * 8)} pixels")
    remedies.append("the flag --medvram")
    return f"There was not enough memory{size}. Try {' or '.join(remedies)}."


def unexpected_sentence(error: BaseException) -> str:
    """One sentence for an error that nobody foresaw: the first line of its message, cut short."""
    first_line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    reason = first_line[:200] or type(error).__name__
    return f"The job stopped on an unexpected error ({reason}). The log has the details; the next job is not affected."


def attempt(handler: Handler | None, job: Job, state: JobState, free_memory: Callable[[], None]) -> Outcome:
    """Run the handler in this thread. Never raises, whatever the handler does."""
    try:
        if handler is None:
            raise UserError(
                what=f"A job of the kind {job.kind} cannot be made.",
                why="The part of the program that makes it is not there.",
                remedy="If it belongs to an extension, switch that extension on and start again.",
            )
        result = handler(job, state)
        return Outcome(status="interrupted" if state.interrupted or state.stopping_generation else "done", result=result)
    except Cancelled:
        return Outcome(status="interrupted")
    except UserError as error:
        return Outcome(status="failed", error=str(error))
    except BaseException as error:  # the worker has to outlive even SystemExit out of an extension
        if is_out_of_memory(error):
            sentence = memory_sentence(job.request)
        else:
            sentence = unexpected_sentence(error)
        report(f"Job {job.id} failed.", error)
        # The frames hold the tensors of the failed job, and the log is written.
        traceback.clear_frames(error.__traceback__)
        outcome = Outcome(status="failed", error=sentence)
    _freed(free_memory)
    return outcome


def _freed(free_memory: Callable[[], None]) -> None:
    try:
        free_memory()
    except Exception as error:  # a driver in trouble raises anything; the job's own failure is what counts
        report("Memory could not be freed after a failed job.", error)
