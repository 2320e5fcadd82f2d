"""Users with logins: each sees and stops only their own jobs, but for administrators."""
import threading
from collections.abc import Callable, Iterator

import pytest
from api_requests import TINY_REQUEST
from starlette.testclient import TestClient

from modules import txt2img
from modules.api.app import build_api_app
from modules.api.login import admins_of
from modules.errors import UserError

ADDRESS = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def app_client(rt, client) -> Iterator[TestClient]:
    rt.args.api_auth = "boss:1,ann:2,bob:3"
    with TestClient(build_api_app(rt), base_url=ADDRESS) as client:
        yield client
    rt.args.api_auth = None


@pytest.fixture
def ask(app_client) -> Callable:
    passwords = {"boss": "1", "ann": "2", "bob": "3"}
    return lambda user, method, path, **more: app_client.request(method, path, auth=(user, passwords[user]), **more)


@pytest.fixture
def held(rt) -> Iterator[threading.Event]:
    """Jobs wait for this event, or for being stopped."""
    release = threading.Event()

    def hold(job, state) -> dict:
        while not release.wait(0.01):
            state.check()
        return {"images": [], "info": {}}

    rt.queue.register(txt2img.KIND, hold)
    yield release
    release.set()
    rt.queue.cancel_all()
    while rt.queue.current:
        rt.queue.current.wait(5)
    rt.queue.register(txt2img.KIND, txt2img.run)


def submitted(rt, owner: str) -> str:
    return txt2img.submit(rt, TINY_REQUEST, owner=owner).id


def running(rt, owner: str) -> str:
    job_id = submitted(rt, owner)
    while rt.queue.current is None:
        pass
    return job_id


def test_a_job_of_somebody_else_is_unknown(rt, ask, held):
    job_id = running(rt, "ann/page1")
    for user, status in (("ann", 200), ("bob", 404), ("boss", 200)):
        assert ask(user, "GET", f"/internal/result/{job_id}").status_code == status
        assert (job_id in ask(user, "GET", "/internal/pending-tasks").json()["tasks"]) == (status == 200)
        assert (ask(user, "GET", "/sdapi/v1/progress").json()["progress"] > 0) == (status == 200)
        assert ask(user, "POST", "/internal/progress", json={"id_task": job_id}).json()["active"] == (status == 200)


@pytest.mark.parametrize("path", ["/sdapi/v1/interrupt", "/internal/interrupt", "/sdapi/v1/skip", "/internal/skip"])
def test_only_the_owner_and_administrators_stop_a_job(rt, ask, held, path):
    running(rt, "ann")
    ask("bob", "POST", path)
    assert not (rt.state.interrupted or rt.state.skipped)
    ask("ann", "POST", path)
    assert rt.state.interrupted or rt.state.skipped


def test_cancelling_all_takes_out_the_own_jobs_only(rt, ask, held):
    running(rt, "boss")
    mine, theirs = submitted(rt, "ann"), submitted(rt, "bob")
    assert ask("ann", "POST", "/internal/queue/cancel", json={"id": theirs}).status_code == 404
    shown = ask("ann", "POST", "/internal/queue/cancel-all").json()
    assert rt.queue.get(mine).status == "cancelled" and rt.queue.get(theirs).status == "waiting" and shown["jobs"] == []


def test_the_order_of_everybody_is_for_administrators(rt, ask, held):
    running(rt, "boss")
    job_id = submitted(rt, "ann")
    for path, body in (("pause", {}), ("move", {"id": job_id})):
        assert ask("ann", "POST", f"/internal/queue/{path}", json=body).status_code == 403
    assert ask("boss", "POST", "/internal/queue/pause").json()["paused"] is True
    assert ask("boss", "POST", "/internal/queue/resume").json()["paused"] is False


def test_without_a_login_an_interrupt_stops_whatever_runs(rt, client, held):
    running(rt, "/page1")
    client.post("/sdapi/v1/interrupt")
    assert rt.state.interrupted


def test_the_first_login_is_the_administrator_unless_others_are_named(rt):
    logins = {"ann": "1", "bob": "2"}
    assert admins_of(rt.args, logins) == {"ann"} and admins_of(rt.args, {}) == frozenset()
    rt.args.admins = "bob"
    try:
        assert admins_of(rt.args, logins) == {"bob"}
        rt.args.admins = "eve"
        with pytest.raises(UserError, match="eve"):
            admins_of(rt.args, logins)
    finally:
        rt.args.admins = None
