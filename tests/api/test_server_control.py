"""Stopping the program through the API: only when the command line allows it, and only for administrators."""
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from modules.api.app import build_api_app

ROUTES = ("/sdapi/v1/server-kill", "/sdapi/v1/server-stop", "/sdapi/v1/server-restart")


@pytest.fixture
def app(rt):
    rt.args.api_server_stop = True
    yield lambda: build_api_app(rt)
    rt.args.api_server_stop, rt.args.api_auth = False, None


def client_of(app) -> TestClient:
    app.state.server = SimpleNamespace(should_exit=False, force_exit=False)
    return TestClient(app, base_url="http://127.0.0.1")


@pytest.mark.parametrize("path, status, is_forced", zip(ROUTES, (0, 0, 42), (True, False, False)))
def test_the_server_is_told_to_end(app, path, status, is_forced):
    made = app()
    assert client_of(made).post(path).status_code == 200
    assert made.state.server.should_exit and made.state.server.force_exit == is_forced and made.state.exit_status == status


@pytest.mark.parametrize("path", ROUTES)
def test_without_the_flag_there_is_no_such_route(client, path):
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("path", ROUTES)
def test_with_logins_it_is_for_administrators(rt, app, path):
    rt.args.api_auth = "boss:1,ann:2"
    client = client_of(app())
    assert client.post(path, auth=("ann", "2")).status_code == 403 and not client.app.state.server.should_exit
    assert client.post(path, auth=("boss", "1")).status_code == 200
