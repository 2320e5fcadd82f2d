"""The login: every route needs it, whoever asks."""
import argparse
import base64

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from modules.api.login import Login, logins_of, user_of
from modules.errors import UserError

LOGINS = {"ann": "p:w", "böb": "ü"}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("header, user", [
    (basic("ann:p:w"), "ann"), (basic("böb:ü"), "böb"), (basic("ann:p"), None), (basic("ann:"), None), (basic(":"), None), ("", None),
    ("Basic ???", None), ("Bearer " + basic("ann:p:w").split()[1], None),
    ("basic " + basic("ann:p:w").split()[1], "ann"), (basic("ANN:p:w"), None),
])
def test_only_the_right_pair_is_a_user(header, user):
    assert user_of(header, LOGINS) == user


def test_every_route_needs_the_login_documents_included():
    app = FastAPI()
    app.add_api_route("/sdapi/v1/x", lambda: {}, methods=["GET"])
    app.add_middleware(Login, logins=LOGINS)
    client = TestClient(app)
    for path in ("/sdapi/v1/x", "/docs", "/openapi.json", "/", "/nowhere"):
        refused = client.get(path)
        assert refused.status_code == 401 and "password" in refused.json()["detail"]
        assert refused.headers["www-authenticate"].startswith("Basic")
    assert client.get("/sdapi/v1/x", headers={"authorization": basic("ann:p:w")}).status_code == 200


def test_without_logins_nobody_is_asked_and_a_header_sent_anyway_does_no_harm():
    app = FastAPI()
    app.add_api_route("/x", lambda: {}, methods=["GET"])
    app.add_middleware(Login, logins={})
    assert TestClient(app).get("/x", headers={"authorization": basic("a:b")}).status_code == 200


def test_logins_come_from_both_flags_and_the_file(tmp_path):
    path = tmp_path / "logins.txt"
    path.write_text("\ufeffcy:3\n\ndee:4,eve:5\n", encoding="utf-8")
    args = argparse.Namespace(gradio_auth="ann:1", api_auth="bob:2:2", gradio_auth_path=str(path))
    assert logins_of(args) == {"ann": "1", "bob": "2:2", "cy": "3", "dee": "4", "eve": "5"}


@pytest.mark.parametrize("flag", ["ann", "ann:", ":secret"])
def test_a_login_that_would_let_everybody_in_is_refused_without_naming_it(flag):
    with pytest.raises(UserError) as refused:
        logins_of(argparse.Namespace(gradio_auth=None, api_auth=flag, gradio_auth_path=None))
    assert "secret" not in str(refused.value)


def test_a_missing_file_of_logins_is_refused(tmp_path):
    with pytest.raises(UserError):
        logins_of(argparse.Namespace(gradio_auth=None, api_auth=None, gradio_auth_path=str(tmp_path / "none")))
