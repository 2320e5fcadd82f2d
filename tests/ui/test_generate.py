"""From the button to a job, and from a finished job to the output panel."""
import asyncio
import json
from types import SimpleNamespace

import pytest

from modules.errors import RequestError
from modules.jobs.job import FinishedPicture, Job
from modules.jobs.queue import JobQueue
from modules.jobs.store import Store
from modules.ui.generate import generate_handler, log_html, restore_handler, shown


@pytest.fixture
def program():
    """A queue whose jobs are done at once, and what the handlers read of a program beside it."""
    queue = JobQueue(Store(None, "test"))
    queue.register("txt2img", lambda job, state: {"images": [{"path": "/a.png", "infotext": "<b>", "seed": 5, "subseed": 6}], "info": {}})
    yield SimpleNamespace(queue=queue, settings=SimpleNamespace(do_not_show_images=False))
    queue.close()


def press(program, task_id="task(1)", session="page", error=None):
    def submit(rt, values, owner, job_id):
        if error:
            raise error
        return rt.queue.submit("txt2img", values, {}, owner=owner, job_id=job_id)

    handler = generate_handler(program, submit, lambda args, request: dict(args))
    request = SimpleNamespace(session_hash=session, request=None)
    return asyncio.run(asyncio.wait_for(handler(request, task_id, ("prompt", "a fox")), 10))


def test_the_first_press_waits_for_its_result(program):
    program.queue.start()
    gallery, info, infotext, _ = press(program)
    assert gallery["value"] == ["/a.png"]
    assert json.loads(info) == {"job": "task(1)", "index_of_first_image": 0, "infotexts": ["<b>"], "seeds": [5], "subseeds": [6],
                                "proofs": [None]}
    assert "&lt;b&gt;" in infotext


def test_a_further_press_of_the_same_page_is_answered_at_once(program):
    program.queue.submit("txt2img", {}, {}, owner="/page")
    *unchanged, log = press(program, "task(2)")
    assert all("value" not in change for change in unchanged) and "Queued as 1" in log
    assert [job.id for job in program.queue.waiting()][1] == "task(2)"


def test_a_refused_request_is_a_sentence_and_leaves_no_job(program):
    *_, log = press(program, error=RequestError("steps", "Sampling steps must be <1> to 150."))
    assert "must be &lt;1&gt; to 150" in log and program.queue.jobs() == []


def test_a_result_can_be_asked_for_again_by_its_id(program):
    program.queue.start()
    press(program)
    request = SimpleNamespace(request=None)
    assert restore_handler(program)(request, "task(1)")[0]["value"] == ["/a.png"]
    assert "value" not in restore_handler(program)(request, "unknown")[0]


def test_a_failed_job_shows_its_sentence_and_the_pictures_that_were_finished(program):
    finished = [FinishedPicture(index=0, path="/a.png")]
    job = Job(id="x", kind="txt2img", request={}, status="failed", error="The disk is full.", pictures=finished)
    gallery, _, _, log = shown(program, job)
    assert gallery["value"] == ["/a.png"] and "The disk is full." in log


def test_a_picture_that_no_disk_took_is_shown_from_memory(program):
    job = Job(id="x", kind="txt2img", request={}, status="done", result={"images": [{"path": "memory:0.png", "infotext": ""}]})
    assert shown(program, job, "http://here")[0]["value"] == ["http://here/internal/result/x/picture/0"]


def test_the_log_line_says_how_long_it_took():
    job = Job(id="x", kind="txt2img", request={}, status="done", result={"images": []}, seconds=65.0)
    assert "Time taken: 1 min 5.0 s" in log_html(job)
