"""Promise 3: Stop and Skip act at once, and only on the job they were meant for."""
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.errors import Skipped
from modules.jobs.queue import JobQueue

EVALUATION_S = 0.002


def sample(job, state) -> dict:
    """Two batches of 20 evaluations; a skipped one is left out."""
    skipped = 0
    state.job_count, state.sampling_steps = 2, 20
    for _ in range(2):
        state.skipped = False
        try:
            for _ in range(20):
                state.check()
                time.sleep(EVALUATION_S)
                state.step_done()
        except Skipped:
            skipped += 1
        state.nextjob()
    return {"skipped": skipped}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    queue = JobQueue.open(tmp_path, history=1000)
    queue.register("sample", sample)
    queue.start()
    yield queue
    queue.close()


def press_at_random(queue: JobQueue, jobs: int, presses: int) -> None:
    dice = random.Random(7)
    submitted = [queue.submit("sample", {}, {}) for _ in range(jobs)]
    acted: dict[str, set[str]] = {"interrupt": set(), "skip": set()}
    for _ in range(presses):
        kind = dice.choice(["interrupt", "skip", "skip"])
        current = queue.current
        target = dice.choice([current, *dice.sample(submitted, 3)]) or dice.choice(submitted)
        if dice.random() < 0.3:
            time.sleep(dice.uniform(0, 0.06))  # the job that was meant may be over by now
        if getattr(queue, kind)(target.id):
            acted[kind].add(target.id)
    assert all(job.wait(60) for job in submitted)
    for job in submitted:
        assert (job.status == "interrupted") == (job.id in acted["interrupt"]), job
        if job.status == "done":
            assert job.result["skipped"] == 0 or job.id in acted["skip"]
    assert acted["interrupt"] and acted["skip"]


def test_two_hundred_random_presses_affect_no_other_job(queue):
    press_at_random(queue, jobs=40, presses=200)


@pytest.mark.long
def test_two_thousand_random_presses_affect_no_other_job(queue):
    press_at_random(queue, jobs=400, presses=2000)


def test_stop_acts_within_one_evaluation(queue):
    job = queue.submit("sample", {}, {})
    while queue.current is not job:
        time.sleep(0.001)
    began = time.perf_counter()
    assert queue.interrupt(job.id) and job.wait(10)
    assert job.status == "interrupted" and time.perf_counter() - began < EVALUATION_S + 0.5


def test_a_stop_that_comes_too_late_hits_nobody(queue):
    first = queue.submit("sample", {}, {})
    assert first.wait(10)
    second = queue.submit("sample", {}, {})
    for _ in range(50):
        assert not queue.interrupt(first.id) and not queue.skip(first.id)
    assert second.wait(10) and second.status == "done" and second.result == {"skipped": 0}


def test_a_stop_when_nothing_runs_does_nothing(queue):
    for _ in range(50):
        assert not queue.interrupt() and not queue.skip()
    job = queue.submit("sample", {}, {})
    assert job.wait(10) and job.status == "done"


def test_skip_goes_on_with_the_next_batch(queue):
    job = queue.submit("sample", {}, {})
    while queue.state.sampling_step < 2:
        time.sleep(0.001)
    assert queue.skip(job.id) and job.wait(10)
    assert job.status == "done" and job.result == {"skipped": 1}
