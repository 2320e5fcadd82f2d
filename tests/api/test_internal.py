"""Routes of the page: progress, the queue drawer, results, the token counter."""
import threading
from collections.abc import Iterator

import pytest

from modules import txt2img

TASK = "task(txt2img-AB12CD34)"


class Held:
    """A txt2img handler that stops in the middle of its second batch until told to go on."""

    def __init__(self) -> None:
        self.is_inside, self.go_on = threading.Event(), threading.Event()

    def __call__(self, job, state) -> dict:
        state.job_count, state.sampling_steps, state.job = 2, 10, "Batch 2 out of 2"
        state.nextjob()
        for _ in range(5):
            state.step_done()
        self.is_inside.set()
        while not self.go_on.wait(0.005):
            state.check()
        return {"images": [], "info": {}}


@pytest.fixture
def held(rt) -> Iterator[Held]:
    held = Held()
    rt.queue.register(txt2img.KIND, held)
    yield held
    held.go_on.set()
    rt.queue.cancel_all()
    if current := rt.queue.current:
        current.wait(10)
    rt.queue.resume()
    rt.queue.register(txt2img.KIND, txt2img.run)


def submit(rt, job_id=TASK, **values):
    return txt2img.submit(rt, {"prompt": "a cat", "steps": 10, "width": 64, "height": 64, **values}, job_id=job_id)


def progress(client, **fields):
    return client.post("/internal/progress", json={"id_task": TASK, **fields}).json()


def test_progress_of_an_unknown_task_says_so(client):
    answer = progress(client, id_task="task(nobody)", id_live_preview=-1, live_preview=False)
    recorded = {"active": False, "queued": False, "completed": False, "progress": None, "eta": None, "live_preview": None,
                "id_live_preview": -1, "textinfo": "Waiting..."}
    assert answer.items() >= recorded.items() and answer["status"] == "unknown"


def test_progress_while_a_job_runs_waits_and_is_over(client, rt, held):
    running, waiting = submit(rt), submit(rt, "task(next)")
    assert held.is_inside.wait(10)
    active = progress(client)
    assert active["active"] and active["progress"] == 0.75 and active["textinfo"] == "Batch 2 out of 2" and active["queue_size"] == 1
    queued = progress(client, id_task="task(next)")
    assert queued["queued"] and queued["position"] == 1 and queued["textinfo"] == "In queue: 1/1" and not queued["active"]
    sdapi = client.get("/sdapi/v1/progress").json()
    assert sdapi["progress"] == pytest.approx(0.76) and sdapi["state"]["job_count"] == 2 and sdapi["state"]["sampling_step"] == 5
    assert client.get("/internal/pending-tasks").json() == {"size": 2, "tasks": [TASK, "task(next)"]}
    held.go_on.set()
    assert running.wait(10) and waiting.wait(10)
    over = progress(client)
    assert over["completed"] and not over["active"] and over["progress"] is None
    idle = client.get("/sdapi/v1/progress").json()
    assert idle["progress"] == 0.0 and idle["eta_relative"] == 0.0 and idle["state"]["job_count"] == 0


def test_a_preview_is_sent_once_and_only_when_wanted(client, rt, held):
    from PIL import Image

    submit(rt)
    assert held.is_inside.wait(10)
    rt.state.assign_current_image(Image.new("RGB", (8, 8)))
    first = progress(client, live=True, last=-1)
    assert first["live_preview"].startswith("data:image/")
    assert progress(client, id_live_preview=first["id_live_preview"])["live_preview"] is None
    assert progress(client, live_preview=False)["live_preview"] is None
    assert client.get("/sdapi/v1/progress").json()["current_image"]
    assert client.get("/sdapi/v1/progress", params={"skip_current_image": "true"}).json()["current_image"] is None


def test_interrupt_acts_on_the_named_job_alone(client, rt, held):
    job = submit(rt)
    assert held.is_inside.wait(10)
    assert client.post("/internal/interrupt", json={"id_task": "task(other)"}).json() == {"acted": False}
    assert client.post("/internal/skip", json={"id_task": "task(other)"}).json() == {"acted": False}
    assert client.post("/internal/interrupt", json={"id_task": TASK}).json() == {"acted": True}
    assert job.wait(10) and job.status == "interrupted"
    assert client.post("/internal/interrupt").json() == {"acted": False}


def test_the_api_interrupt_stops_whatever_runs_and_does_nothing_when_idle(client, rt, held):
    assert client.post("/sdapi/v1/interrupt").json() == {}
    job = submit(rt)
    assert held.is_inside.wait(10)
    assert client.post("/sdapi/v1/interrupt").json() == {} and job.wait(10) and job.status == "interrupted"


def test_the_queue_can_be_ordered_paused_and_emptied(client, rt, held):
    submit(rt)
    assert held.is_inside.wait(10)
    a, b, c = (submit(rt, f"task({name})", n_iter=2) for name in "abc")
    listed = client.post("/internal/queue/move", json={"id": c.id, "before": a.id}).json()
    assert [(job["id"], job["position"]) for job in listed["jobs"]] == [(TASK, None), (c.id, 1), (a.id, 2), (b.id, 3)]
    assert listed["jobs"][1]["pictures_total"] == 2 and listed["jobs"][1]["title"] == "a cat"
    assert [job["id"] for job in client.post("/internal/queue", json={"action": "move", "id": c.id}).json()["jobs"]][-1] == c.id
    assert client.post("/internal/queue/pause").json()["paused"] and not client.post("/internal/queue/resume", json={}).json()["paused"]
    assert c.id not in [job["id"] for job in client.post("/internal/queue/cancel", json={"id": c.id}).json()["jobs"]]
    assert [job["id"] for job in client.post("/internal/queue/cancel-all", json={}).json()["jobs"]] == [TASK]
    again = client.post("/internal/queue/retry", json={"id": c.id}).json()
    assert rt.queue.get(again["new_id"]).request == c.request
    assert client.post("/internal/queue/cancel", json={"id": "task(gone)"}).status_code == 404
    assert client.post("/internal/queue/move", json={}).status_code == 422
    assert client.post("/internal/queue/explode", json={}).status_code == 422


def test_a_list_that_has_not_changed_is_not_sent_again(client):
    version = client.get("/internal/queue").json()["version"]
    assert client.get("/internal/queue", params={"version": version}).json() == {"paused": False, "version": version, "unchanged": True}


def test_unfinished_jobs_are_offered_resumed_and_discarded(client, rt, held):
    from modules.jobs.job import Job

    for name in "xy":
        job = Job(id=f"task({name})", kind=txt2img.KIND, request={"prompt": name}, status="unfinished")
        job.attach(rt.state, rt.queue.turn)
        rt.queue._by_id[job.id] = job
        rt.queue._left += (job,)
    assert [job["id"] for job in client.get("/internal/queue").json()["unfinished"]] == ["task(x)", "task(y)"]
    assert progress(client, id_task="task(x)")["status"] == "unfinished"
    rest = client.post("/internal/queue/discard", json={"id": "task(y)"}).json()
    assert [job["id"] for job in rest["unfinished"]] == ["task(x)"]
    assert client.post("/internal/queue/resume-unfinished", json={"id": None}).json()["unfinished"] == []
    assert held.is_inside.wait(10) and rt.queue.current.id == "task(x)"


def test_pictures_are_served_by_their_place_in_the_result_and_never_by_path(client, rt):
    job = submit(rt, "task(real)", steps=2, batch_size=2)
    assert job.wait(60) and job.status == "done", job.error
    answer = client.get("/internal/result/task(real)").json()
    for image in answer["result"]["images"]:
        picture = client.get(image["url"])
        assert picture.headers["content-type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    assert "attachment" in client.get(answer["result"]["images"][0]["url"], params={"download": "1"}).headers["content-disposition"]
    for bad in ("/internal/result/task(real)/picture/99", "/internal/result/task(none)", "/internal/result/..%2f..%2fetc/picture/0"):
        assert client.get(bad).status_code == 404


@pytest.mark.parametrize("text, count", [
    ("", 0), ("a cat", 2), ("a [cat:big red dog:0.5]", 4), ("a <lora:x:1> cat # not this", 2), ("word " * 80, 80),
])
def test_the_counter_shows_the_longest_variant(client, text, count):
    answer = client.post("/internal/token-count", json={"text": text, "steps": 20}).json()
    assert answer["count"] == count and answer["limit"] == (75 if count <= 75 else 150)


def test_sysinfo_and_the_command_line_hold_no_secrets(client, rt):
    rt.args.api_auth, rt.args.gradio_auth = "user:hush-hush", "other:hush-hush"
    try:
        assert "hush" not in client.get("/internal/sysinfo").text and "hush" not in client.get("/sdapi/v1/cmd-flags").text
    finally:
        rt.args.api_auth = rt.args.gradio_auth = None
    assert {"name", "label"} == client.get("/internal/quicksettings-hint").json()[0].keys()
