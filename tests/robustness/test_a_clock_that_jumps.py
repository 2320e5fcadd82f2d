"""A clock that is set back or forward while the program works: no job is lost, none is out of order, no number is nonsense."""
import itertools
import time

import pytest

from modules import txt2img

REQUEST = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "n_iter": 2,
           "do_not_save_grid": True}
DAY_S = 86_400


@pytest.mark.parametrize("jump", [-DAY_S, DAY_S, -400 * DAY_S])
def test_jobs_keep_their_order_and_their_pictures(runtime, monkeypatch, jump):
    real, count = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: real() + jump * (next(count) // 5))  # a jump at every fifth look
    runtime.queue.pause()
    jobs = [txt2img.submit(runtime, {**REQUEST, "seed": seed}) for seed in range(4)]
    assert [job.id for job in runtime.queue.waiting()] == [job.id for job in jobs]
    runtime.queue.resume()
    etas = []
    while not all(job.wait(0.005) for job in jobs):
        etas.append(runtime.state.snapshot().eta_now())
    assert [job.status for job in jobs] == ["done"] * 4
    assert all(0 < job.seconds < 120 for job in jobs) and all(eta is None or 0 <= eta < 3600 for eta in etas)
    paths = [image["path"] for job in jobs for image in job.result["images"]]
    assert len(set(paths)) == 8
    assert [job.id for job in runtime.queue.recent()] == [job.id for job in reversed(jobs)]
    runtime.queue.close()
    again = type(runtime.queue).open(runtime.folders.queue, history=50)
    assert {job.id for job in again.recent()} >= {job.id for job in jobs} and not again.unfinished()
    again.close()
