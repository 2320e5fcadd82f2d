"""--api-log: a line for every request to the API."""
import re

import pytest
from starlette.testclient import TestClient

from modules.api.app import build_api_app


@pytest.fixture
def lines(rt, monkeypatch, capsys):
    """A client of a server with --api-log and a login, and a function for the lines of the log."""
    monkeypatch.setattr(rt.args, "api_log", True)
    monkeypatch.setattr(rt.args, "api_auth", "ann:secret")
    client = TestClient(build_api_app(rt), base_url="http://127.0.0.1:7860", raise_server_exceptions=False)
    return client, lambda: capsys.readouterr().err.splitlines()


def test_each_line_says_who_asked_for_what_and_how_it_went(lines):
    client, written = lines
    client.get("/sdapi/v1/samplers?password=hunter2", auth=("ann", "secret"))
    client.post("/sdapi/v1/txt2img", auth=("ann", "secret"), json={"steps": "many", "prompt": "private"})
    client.get("/internal/ping", auth=("ann", "secret"))
    [first, second] = written()
    assert re.fullmatch(r"[-0-9]{10} [0-9:]{8} testclient 'ann' GET /sdapi/v1/samplers 200 \d+\.\d{3} s", first)
    assert "POST /sdapi/v1/txt2img 422" in second and "private" not in second and "hunter2" not in first


def test_a_path_cannot_write_a_line_of_its_own(lines):
    client, written = lines
    client.get("/sdapi/v1/x%0A2026-01-01%20forged", auth=("ann", "secret"))
    [line] = written()
    assert "/sdapi/v1/x%0A2026" in line


def test_who_is_not_let_in_is_logged_with_the_refusal(lines):
    client, written = lines
    client.get("/sdapi/v1/samplers")
    [line] = written()
    assert " 401 " in line and "'" not in line
