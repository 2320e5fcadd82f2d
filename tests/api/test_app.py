"""The whole app: which routes there are, and who is let in."""
import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from modules import cmd_args
from modules.api.app import add_protection, add_routes, build_api_app, guard_options


def test_without_api_only_the_routes_of_the_page_exist(rt):
    rt.args.api = False
    try:
        app = FastAPI()
        add_routes(app, rt)
        client = TestClient(app, base_url="http://127.0.0.1")
        assert client.get("/internal/ping").status_code == 200 and client.get("/sdapi/v1/samplers").status_code == 404
    finally:
        rt.args.api = True


def test_every_route_needs_the_login(rt):
    rt.args.api_auth = "user:secret"
    try:
        app = build_api_app(rt)
        client = TestClient(app, base_url="http://127.0.0.1")
        for path in app.openapi()["paths"]:
            for method in ("GET", "POST"):
                assert client.request(method, path).status_code == 401, path
        assert client.get("/sdapi/v1/samplers", auth=("user", "secret")).status_code == 200
        assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 401
    finally:
        rt.args.api_auth = None


def test_get_routes_change_nothing(rt, client):
    before = (rt.queue.version, rt.settings.snapshot())
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "get" in methods:
            assert client.get(re.sub(r"\{\w+\}", "0", path)).status_code in (200, 400, 404, 422), path
    assert (rt.queue.version, rt.settings.snapshot()) == before


def protected(**flags) -> TestClient:
    args = cmd_args.parse([])
    vars(args).update(flags)
    app = FastAPI()
    app.add_api_route("/x", lambda: {}, methods=["GET", "POST"])
    add_protection(app, args)
    return TestClient(app, base_url="http://127.0.0.1:7860")


def test_a_listed_origin_may_ask_and_reads_the_answer():
    client = protected(cors_allow_origins="https://friend.example, *")
    answer = client.post("/x", headers={"origin": "https://friend.example"})
    assert answer.status_code == 200 and answer.headers["access-control-allow-origin"] == "https://friend.example"
    preflight = client.options("/x", headers={"origin": "https://friend.example", "access-control-request-method": "POST"})
    assert preflight.status_code == 200
    refused = client.post("/x", headers={"origin": "https://evil.example"})
    assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("flags, host", [({"allowed_hosts": ["a", "Easel.example, b"]}, "easel.example"),
                                         ({"share": True}, "a1.gradio.live"),
                                         ({"server_name": "my-box"}, "my-box:7860")])
def test_names_given_on_the_command_line_are_known(flags, host):
    assert protected(**flags).get("/x", headers={"host": host}).status_code == 200
    assert protected().get("/x", headers={"host": host}).status_code == 400


def test_everybody_is_no_origin(rt):
    rt.args.cors_allow_origins = "*"
    try:
        assert guard_options(rt.args).origins == frozenset()
    finally:
        rt.args.cors_allow_origins = None


def test_documents_ask_no_other_host(client):
    assert "http://" not in client.get("/docs").text.replace("http://127.0.0.1", "") and "https://" not in client.get("/docs").text


JUNK = [
    b"", b"{}", b"null", b"[]", b"{bad", b'{"id_task": NaN, "id": NaN, "text": NaN}', b"[" * 100_000, b"\xff\xfe",
    b'{"id_task": "\\ud800", "id": "\\ud800"}', b'{"id": 5, "id_task": [], "text": {}, "steps": 1e999}',
    b'{"id": "' + b"x" * 100_000 + b'"}', b'{"steps": -5, "text": "a"}',
]


@pytest.mark.parametrize("content", JUNK, ids=lambda content: repr(content[:20]))
def test_no_body_makes_any_route_fail_or_hang(rt, client, instant, content):
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "post" in methods:
            answer = client.post(path.replace("{action}", "cancel"), content=content, headers={"content-type": "application/json"})
            assert answer.status_code < 500, (path, answer.text)
            assert answer.status_code < 400 or answer.json()["detail"], path
            assert len(answer.content) < 10_000 or path == "/internal/queue"
