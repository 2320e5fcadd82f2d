"""Jobs without waiting: submit, list, look at, fetch, cancel, follow."""
import json
import threading
import time
from collections.abc import Iterator

import pytest
from api_requests import TINY_REQUEST

from modules import txt2img
from modules.api.followers import Feed, Followers, TooManyFollowers, event, period_s
from modules.api.own_queue import OwnQueue, Viewer

JOBS = "/sdapi/v1/jobs"


@pytest.fixture
def held(rt) -> Iterator[threading.Event]:
    """Jobs publish one step and wait for this event, or for being stopped."""
    release = threading.Event()

    def hold(job, state) -> dict:
        state.job_count, state.sampling_steps, state.sampling_step = 1, 4, 1
        while not release.wait(0.01):
            state.check()
        return {"images": [], "info": {}}

    rt.queue.register(txt2img.KIND, hold)
    yield release
    release.set()
    rt.queue.cancel_all()
    while current := rt.queue.current:
        current.wait(5)
    rt.queue.register(txt2img.KIND, txt2img.run)


def test_a_job_gives_the_same_picture_as_the_route_that_waits(client, rt):
    waited = client.post("/sdapi/v1/txt2img", json=TINY_REQUEST).json()
    answer = client.post(f"{JOBS}/txt2img", json={**TINY_REQUEST, "force_task_id": "task(my, job)"})
    assert answer.status_code == 202 and answer.json()["id"] == "task(my, job)" and answer.json()["status"] in ("waiting", "running")
    address = answer.headers["location"]
    rt.queue.get("task(my, job)").wait(60)
    seen = client.get(address).json()
    assert seen["status"] == "done" and seen["request"]["prompt"] == "a cat" and len(seen["pictures"]) == 1
    assert client.get(seen["pictures"][0]["url"]).headers["content-type"] == "image/png"
    result = client.get(seen["links"]["result"]).json()
    assert result["images"] == waited["images"] and result.keys() == waited.keys()
    assert client.get(seen["links"]["result"], params={"send_images": False}).json()["images"] == []


def test_bad_requests_make_no_job(client, rt):
    before = len(rt.queue.recent())
    answer = client.post(f"{JOBS}/txt2img", json={**TINY_REQUEST, "steps": "many"})
    assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", "steps"]
    assert len(rt.queue.recent()) == before and not rt.queue.jobs()


def test_jobs_are_listed_by_state_and_cancelled(client, rt, held):
    first, second, third = (client.post(f"{JOBS}/txt2img", json=TINY_REQUEST).json()["id"] for _ in range(3))
    waiting = client.get(JOBS, params={"status": "waiting"}).json()
    assert {job["id"] for job in waiting["jobs"]} <= {first, second, third} and waiting["jobs"][-1]["id"] == third
    assert client.get(JOBS, params={"limit": 1}).json()["total"] >= 3
    assert client.get(f"{JOBS}/{third}/result").status_code == 409
    assert client.post(f"{JOBS}/{third}/cancel").json() == {"id": third, "cancelled": True}
    assert client.get(f"{JOBS}/{third}").json()["status"] == "cancelled"
    assert client.post(f"{JOBS}/{third}/cancel").json()["cancelled"] is False
    assert client.post(f"{JOBS}/{first}/cancel").json()["cancelled"] is True and rt.queue.get(first).wait(5)
    assert client.get(f"{JOBS}/{first}").json()["status"] == "interrupted"


@pytest.mark.parametrize("path", ["", "/result", "/events", "/pictures/0"])
def test_an_unknown_job_is_404_with_a_sentence(client, path):
    answer = client.get(f"{JOBS}/nothing{path}")
    assert answer.status_code == 404 and "not known" in answer.json()["detail"]


def events_of(text: str) -> list[tuple[str, dict]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_a_follower_sees_the_steps_and_the_end(client, rt, held):
    job_id = client.post(f"{JOBS}/txt2img", json=TINY_REQUEST).json()["id"]
    threading.Timer(1.2, held.set).start()
    answer = client.get(f"{JOBS}/{job_id}/events")
    names = [name for name, _ in events_of(answer.text)]
    assert answer.headers["content-type"].startswith("text/event-stream") and names[-1] == "end" and set(names[:-1]) == {"state"}
    states = [data for _, data in events_of(answer.text)]
    assert states[-2]["progress"] == 0.25 and states[-1]["status"] == "done"


def test_who_follows_a_finished_job_gets_its_end_at_once(client, rt):
    job = txt2img.submit(rt, TINY_REQUEST)
    job.wait(60)
    began = time.perf_counter()
    assert [name for name, _ in events_of(client.get(f"{JOBS}/{job.id}/events").text)] == ["end"]
    assert time.perf_counter() - began < 1


def test_previews_come_only_to_those_who_ask(client, rt):
    from PIL import Image

    def draw(job, state) -> dict:
        state.assign_current_image(Image.new("RGB", (8, 8)))
        time.sleep(1.2)
        return {"images": [], "info": {}}

    rt.queue.register(txt2img.KIND, draw)
    try:
        for previews in (False, True):
            job = txt2img.submit(rt, TINY_REQUEST)
            got = events_of(client.get(f"{JOBS}/{job.id}/events", params={"previews": previews}).text)
            pictures = [data["image"] for name, data in got if name == "preview"]
            assert len(pictures) == previews and all(picture.startswith("data:image/") for picture in pictures)
    finally:
        rt.queue.register(txt2img.KIND, txt2img.run)


def test_states_are_made_once_for_all_followers_and_at_most_twice_a_second(rt, held):
    import asyncio

    job = txt2img.submit(rt, TINY_REQUEST)
    queue, followers = OwnQueue(rt.queue, Viewer()), Followers()

    async def follow_all() -> list[list[bytes]]:
        async def one() -> list[bytes]:
            return [text async for text in followers.follow(queue, job, False)]

        tasks = [asyncio.create_task(one()) for _ in range(50)]
        for step in range(20):
            rt.state.sampling_step = step % 4
            await asyncio.sleep(0.1)
        held.set()
        return await asyncio.gather(*tasks)

    seen = asyncio.run(follow_all())
    assert len({id(text) for text in seen[0]} | {id(text) for text in seen[-1]}) == len(seen[0]) <= 7
    assert seen[0][-1].startswith(b"event: end")
    assert followers.count == 0 and not followers._feeds


@pytest.mark.parametrize("followers, seconds", [(1, 0.5), (100, 0.5), (200, 1.0), (1000, 5.0)])
def test_a_crowd_is_told_less_often(followers, seconds):
    assert period_s(followers) == seconds


def test_too_many_streams_are_refused(rt, monkeypatch):
    monkeypatch.setattr("modules.api.followers.MOST_FOLLOWERS", 0)
    with pytest.raises(TooManyFollowers) as refused:
        Followers().check()
    assert refused.value.status == 429


def test_an_event_is_one_line_of_data_whatever_its_text_holds():
    assert event("state", {"title": "a\nb \ud800"}).count(b"\n") == 3 and Feed


def test_the_documents_hold_examples(client):
    page = client.get("/docs").text
    assert "curl -X POST localhost:7860/sdapi/v1/jobs/txt2img" in page and "Jobs that nobody waits for" in page
