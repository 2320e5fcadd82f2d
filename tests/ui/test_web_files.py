"""Scripts and style sheets of the page, out of memory."""
import os

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from modules.ui import web_files
from modules.ui.theme import WEB
from modules.ui.web_files import ASSETS, WebFiles


@pytest.fixture
def client():
    app = Starlette()
    app.add_middleware(WebFiles)
    return TestClient(app, base_url="http://127.0.0.1")


def test_ours_and_those_of_the_framework_come_as_they_are_on_the_disk(client):
    asset = max(ASSETS.glob("*.js"), key=lambda path: path.name.startswith("index-"))
    for address, path in (("/easel/js/10_base.js", WEB / "js/10_base.js"), (f"/assets/{asset.name}", asset)):
        for encoding in ("gzip", "identity"):
            answer = client.get(address, headers={"accept-encoding": encoding})
            assert answer.content == path.read_bytes() and answer.headers["content-type"].startswith("text/javascript")
            assert answer.headers.get("content-encoding", "identity") == encoding and answer.headers["vary"] == "Accept-Encoding"


def test_names_that_change_with_the_content_are_kept_for_good_and_ours_for_a_day(client):
    assert "immutable" in client.get(f"/assets/{next(ASSETS.glob('*.css')).name}").headers["cache-control"]
    assert client.get("/easel/css/20_frame.css").headers["cache-control"] == "public, max-age=86400"


def test_a_file_that_was_changed_is_read_again(client, tmp_path, monkeypatch):
    monkeypatch.setitem(web_files.PLACES, "/easel/", (tmp_path, b"no-cache"))
    (tmp_path / "a.js").write_text("1")
    assert client.get("/easel/a.js").text == "1"
    (tmp_path / "a.js").write_text("2")
    os.utime(tmp_path / "a.js", (1, 1))
    assert client.get("/easel/a.js").text == "2"


PATHS = ["../server.py", "js/../../server.py", "js/%2e%2e/%2e%2e/theme.py", "none.js", "/etc/passwd", "", ".js", "js", "js/.hidden.js"]


@pytest.mark.parametrize("place", ["/easel/", "/assets/"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_else_is_served_as_such(client, place, path):
    assert client.get(place + path).status_code == 404
