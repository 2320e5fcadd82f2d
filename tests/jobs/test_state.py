"""The state of the running job: counters, flags, time left, snapshots."""
import time

import pytest
import torch
from PIL import Image

from modules.errors import Interrupted, Skipped
from modules.jobs.preview import Previewer, PreviewOptions
from modules.jobs.state import JobState, StepClock, fraction


@pytest.mark.parametrize("job_no, job_count, step, steps, expected", [
    (0, 2, 12, 60, 0.1), (1, 2, 6, 60, 0.55), (0, 1, 0, 20, 0.0),
    (2, 2, 0, 60, 1.0), (3, 2, 0, 60, 1.0), (0, -1, 5, 20, 0.0), (0, 0, 0, 0, 0.0),
])
def test_progress_counts_batches_and_the_steps_of_the_current_one(job_no, job_count, step, steps, expected):
    assert fraction(job_no, job_count, step, steps) == pytest.approx(expected)


def test_assigning_a_counter_publishes_a_snapshot_and_leaves_the_earlier_one_alone():
    state = JobState()
    state.start("a")
    before = state.snapshot()
    state.job_count, state.sampling_steps, state.sampling_step = 2, 10, 5
    assert before.job_count == -1 and before.progress == 0
    assert state.snapshot().progress == 0.25 and state.snapshot().job_id == "a"


def test_an_inner_begin_resets_counters_and_never_flags():
    state = JobState()
    state.start("a")
    state.job_count, state.job_no = 4, 3
    state.interrupt()
    state.begin("inner")
    assert (state.job_no, state.job_count, state.job) == (0, -1, "inner") and state.interrupted
    state.end()
    assert (state.job_no, state.job_count) == (3, 4) and state.interrupted


def test_one_end_too_many_does_not_end_the_job_of_the_queue():
    state = JobState()
    state.start("a")
    state.job_count = 4
    state.end()
    assert state.snapshot().job_id == "a" and state.job_count == 4


def test_a_new_job_starts_without_the_flags_of_the_last():
    state = JobState()
    state.start("a")
    state.interrupt(), state.skip(), state.stop_generating()
    state.finish()
    state.start("b")
    state.check()
    assert not (state.interrupted or state.skipped or state.stopping_generation)


def test_when_idle_progress_and_job_count_are_zero():
    state = JobState()
    state.start("a")
    state.job_count, state.job_no = 2, 1
    state.finish()
    assert state.snapshot().progress == 0.0
    assert state.dict()["job_count"] == 0 and state.dict()["job"] == ""


def test_check_raises_what_was_asked_for():
    state = JobState()
    state.start("a")
    state.skip()
    with pytest.raises(Skipped):
        state.check()
    state.interrupt()
    with pytest.raises(Interrupted):
        state.check()


def test_time_left_comes_from_the_pace_of_the_steps_not_from_the_time_before_them():
    clock = StepClock()
    for step in range(1, 6):
        clock.note(step / 10, 100 + step * 2)
    assert clock.eta(110.0) == pytest.approx(10.0)
    assert clock.eta(113.0) == pytest.approx(7.0)


def test_time_left_is_unknown_before_two_steps_and_after_the_amount_of_work_changed():
    clock = StepClock()
    clock.note(0.5, 10.0)
    assert clock.eta(10.0) is None
    clock.note(0.6, 11.0)
    clock.note(0.1, 12.0)
    assert clock.eta(12.0) is None


def test_publishing_costs_less_than_the_step_that_it_reports():
    state = JobState()
    state.start("a")
    state.job_count, state.sampling_steps = 1, 10_000
    began = time.perf_counter()
    for _ in range(2000):
        state.step_done(None)
    assert (time.perf_counter() - began) / 2000 < 0.0005


def previewing(state: JobState, **options) -> JobState:
    state.previewer = Previewer(lambda latent: latent[:, :3], PreviewOptions(every_n_steps=1, per_second=1e9, **options))
    return state


def test_a_preview_reaches_the_snapshot_encoded():
    state = JobState()
    state.start("a")
    previewing(state).step_done(torch.zeros(1, 4, 8, 8))
    snapshot = state.snapshot()
    assert snapshot.id_live_preview == 0 and snapshot.preview.data_url.startswith("data:image/jpeg;base64,")
    assert isinstance(state.current_image, Image.Image)


def test_preview_numbers_grow_from_job_to_job_so_that_a_page_never_takes_an_old_one_for_new():
    state = JobState()
    for job_id in ("a", "b"):
        state.start(job_id)
        assert state.snapshot().preview is None
        previewing(state).step_done(torch.zeros(1, 4, 8, 8))
        state.finish()
    assert state.id_live_preview == 1


def test_a_preview_that_fails_does_not_end_the_job():
    state = JobState()
    state.start("a")
    state.previewer = Previewer(lambda latent: 1 / 0, PreviewOptions(every_n_steps=1))
    state.step_done(torch.zeros(1, 4, 8, 8))
    state.step_done(torch.zeros(1, 4, 8, 8))
    assert state.sampling_step == 2 and state.snapshot().preview is None
