"""The queue: order, stopping, failures, ids, limits and pace."""
import asyncio
import threading
import time

import pytest

from modules.errors import NotFound, RequestError, UserError
from modules.jobs import queue as queue_module


def submit(queue, kind="echo", **request):
    return queue.submit(kind, request, {})


def test_a_job_is_carried_out_and_its_result_kept(open_queue):
    queue = open_queue()
    queue.start()
    job = submit(queue, prompt="a cat")
    assert job.wait(10) and job.status == "done"
    assert job.result == {"said": {"prompt": "a cat"}} and queue.recent() == [job] and job.seconds < 5


def test_the_request_and_settings_are_frozen_at_submission(open_queue):
    queue = open_queue()
    request, settings = {"styles": ["a"]}, {"clip_skip": 1}
    job = queue.submit("echo", request, settings)
    request["styles"].append("b")
    settings["clip_skip"] = 2
    assert job.request == {"styles": ["a"]} and job.settings == {"clip_skip": 1}


def test_jobs_run_in_the_order_of_the_queue(open_queue):
    queue, order = open_queue(), []
    queue.register("note", lambda job, state: order.append(job.title) or {})
    jobs = [queue.submit("note", {}, {}, title=title) for title in "abcd"]
    queue.move(jobs[3].id, before=jobs[1].id)
    queue.move(jobs[0].id)
    queue.start()
    assert all(job.wait(10) for job in jobs) and order == ["d", "b", "c", "a"]


def test_the_new_order_survives_a_restart(open_queue):
    queue = open_queue()
    jobs = [submit(queue, n=n) for n in range(3)]
    queue.move(jobs[2].id, before=jobs[0].id)
    queue.close()
    assert [job.request["n"] for job in open_queue().unfinished()] == [2, 0, 1]


def test_moving_a_job_that_does_not_wait_is_refused(open_queue):
    queue = open_queue()
    job = submit(queue)
    with pytest.raises(NotFound):
        queue.move("nobody")
    with pytest.raises(NotFound):
        queue.move(job.id, before="nobody")


def test_pausing_lets_the_running_job_end_and_starts_no_other(open_queue, gate):
    queue = open_queue()
    queue.register("gate", gate)
    first, second = submit(queue, "gate"), submit(queue)
    queue.start()
    assert gate.begun.wait(10)
    queue.pause()
    gate.go_on.set()
    assert first.wait(10) and not second.wait(0.1) and second.status == "waiting"
    queue.resume()
    assert second.wait(10)


def test_a_cancelled_job_never_runs_and_its_waiters_wake(open_queue, gate):
    queue = open_queue()
    queue.register("gate", gate)
    first, second, third = (submit(queue, "gate") for _ in range(3))
    queue.start()
    assert gate.begun.wait(10)
    assert queue.cancel(second.id) and second.wait(1) and second.status == "cancelled"
    assert queue.cancel_all() == 1 and third.status == "cancelled"
    assert not queue.cancel(third.id)
    gate.go_on.set()
    assert first.wait(10) and first.status == "done" and gate.ids == [first.id]


def test_cancelling_the_running_job_interrupts_it(open_queue, gate):
    queue = open_queue()
    queue.register("gate", gate)
    job = submit(queue, "gate")
    queue.start()
    assert gate.begun.wait(10) and queue.cancel(job.id)
    assert job.wait(10) and job.status == "interrupted"


@pytest.mark.parametrize("error, sentence", [
    (UserError(what="Cannot do it.", why="It is broken.", remedy="Mend it."), "Cannot do it. It is broken. Mend it."),
    (ValueError("odd shape\nsecond line"), "(odd shape)"),
    (SystemExit(3), "unexpected error"),
    (MemoryError(), "not enough memory for 1024 x 512 pixels in batches of 4. Try a batch size of 2"),
    (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), "not enough memory"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
])
def test_a_failed_job_has_a_sentence_and_the_next_one_runs(open_queue, error, sentence):
    def fail(job, state):
        raise error

    queue = open_queue()
    queue.register("fail", fail)
    failed = queue.submit("fail", {"width": 1024, "height": 512, "batch_size": 4}, {})
    following = submit(queue)
    queue.start()
    assert failed.wait(10) and failed.status == "failed" and sentence in failed.error and "\n" not in failed.error
    assert following.wait(10) and following.status == "done"


def test_memory_is_freed_after_a_failed_job_and_no_frame_keeps_its_tensors(open_queue):
    import gc
    import weakref

    class Tensor:
        pass

    kept, freed = [], []

    def fail(job, state):
        tensor = Tensor()
        kept.append(weakref.ref(tensor))
        raise RuntimeError("out of memory")

    queue = open_queue(free_memory=lambda: freed.append(True))
    queue.register("fail", fail)
    job = submit(queue, "fail")
    queue.start()
    assert job.wait(10)
    gc.collect()
    assert freed and kept[0]() is None


def test_a_job_of_an_unknown_kind_fails_with_a_sentence(open_queue):
    queue = open_queue()
    job = submit(queue, "plot of an extension")
    queue.start()
    assert job.wait(10) and job.status == "failed" and "plot of an extension" in job.error


def test_waiting_with_the_turn_in_hand_is_refused_instead_of_lasting_for_ever(open_queue):
    queue = open_queue()
    job = submit(queue)
    with queue.turn, pytest.raises(RuntimeError):
        job.wait()


def test_no_job_starts_while_somebody_else_has_the_turn(open_queue):
    queue = open_queue()
    with queue.turn:
        queue.start()
        job = submit(queue)
        time.sleep(0.05)
        assert job.status == "waiting"
        assert queue.cancel(job.id)
    following = submit(queue)
    assert following.wait(10) and job.status == "cancelled"


def test_a_coroutine_waits_without_a_thread_and_many_at_once(open_queue, gate):
    queue = open_queue()
    queue.register("gate", gate)
    queue.start()
    job = submit(queue, "gate")

    async def wait_for_all() -> list[bool]:
        waits = [asyncio.create_task(job.wait_async(10)) for _ in range(200)]
        assert not await job.wait_async(0.01)
        gate.go_on.set()
        return await asyncio.gather(*waits)

    before = threading.active_count()
    assert all(asyncio.run(wait_for_all())) and threading.active_count() <= before + 1


def test_updates_are_snapshots_of_this_job_until_it_is_over(open_queue):
    def count(job, state):
        state.job_count, state.sampling_steps = 1, 20
        for _ in range(20):
            time.sleep(0.002)
            state.step_done()
        return {}

    async def follow(job):
        return [snapshot async for snapshot in job.updates(every_seconds=0.005)]

    queue = open_queue()
    queue.register("count", count)
    job = submit(queue, "count")
    queue.start()
    snapshots = asyncio.run(follow(job))
    steps = [snapshot.sampling_step for snapshot in snapshots]
    assert steps == sorted(steps) and {snapshot.job_id for snapshot in snapshots} <= {job.id} and job.is_over


@pytest.mark.parametrize("job_id", ["", "x" * 121, "a/b", "..\\x", "..", " a", "a\nb", "\ud800", "naïve", "a\0b"])
def test_an_id_that_could_be_taken_for_something_else_is_refused(open_queue, job_id):
    with pytest.raises(RequestError) as refused:
        open_queue().submit("echo", {}, {}, job_id=job_id)
    assert refused.value.field == "force_task_id"


def test_an_id_in_use_is_refused_and_one_that_is_over_may_be_used_again(open_queue):
    queue = open_queue()
    job = queue.submit("echo", {"n": 1}, {}, job_id="task(a)")
    with pytest.raises(RequestError):
        queue.submit("echo", {}, {}, job_id="task(a)")
    queue.start()
    assert job.wait(10)
    again = queue.submit("echo", {"n": 2}, {}, job_id="task(a)")
    assert again.wait(10) and queue.get("task(a)") is again and len(queue.recent()) == 1


def test_folder_names_of_different_ids_differ_even_where_case_does_not_count(open_queue):
    queue = open_queue()
    names = [queue.submit("echo", {}, {}, job_id=job_id).folder_name.lower() for job_id in ("task(a)", "task(A)", "task a", "task_a", "(")]
    assert len(set(names)) == 5 and not any("." in name or "/" in name for name in names)


def test_results_of_the_newest_jobs_are_kept_and_the_folders_of_older_ones_removed(open_queue, tmp_path):
    queue = open_queue(history=3)
    queue.start()
    jobs = []
    for n in range(5):
        jobs.append(submit(queue, n=n))
        folder = tmp_path / "results" / jobs[-1].folder_name
        folder.mkdir(parents=True)
        (folder / "0.png").write_bytes(b"x")
        assert jobs[-1].wait(10)
    assert queue.recent() == jobs[:1:-1] and queue.get(jobs[0].id) is None
    assert {path.name for path in (tmp_path / "results").iterdir()} == {job.folder_name for job in jobs[2:]}


def test_the_queue_has_an_end(open_queue, monkeypatch):
    monkeypatch.setattr(queue_module, "MAX_WAITING", 2)
    queue = open_queue()
    submit(queue), submit(queue)
    with pytest.raises(queue_module.QueueFull) as refused:
        submit(queue)
    assert refused.value.status == 429 and "2 jobs" in str(refused.value)


def test_every_change_of_the_list_has_a_new_version(open_queue):
    queue, versions = open_queue(), []
    job, other = submit(queue), submit(queue)
    for change in (lambda: queue.move(other.id, job.id), queue.pause, queue.resume, lambda: queue.cancel(job.id), lambda: submit(queue)):
        change()
        versions.append(queue.version)
    assert versions == sorted(set(versions))


def test_a_hundred_presses_make_a_hundred_jobs_within_a_second(open_queue):
    queue = open_queue()
    settings = {f"option {n}": n for n in range(500)}
    began = time.perf_counter()
    for n in range(100):
        queue.submit("echo", {"prompt": "a" * 200, "n": n}, settings)
    assert time.perf_counter() - began < 1 and len(queue.jobs()) == 100


def test_submitting_and_listing_stay_quick_with_a_thousand_jobs(open_queue):
    queue = open_queue()
    for n in range(1000):
        submit(queue, n=n)
    times = []
    last = queue.jobs()[-1].id
    for action in (lambda: submit(queue), queue.jobs, lambda: queue.position(last), lambda: queue.move(last)):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    assert max(times) < 0.05
