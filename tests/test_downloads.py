"""Fetching known files: from a server on this machine, through the seam that stands for the open internet."""
import hashlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from modules import downloads, public_addresses
from modules.downloads import PART, fetched, public_connection
from modules.errors import Interrupted, NotFound, UserError
from modules.imaging.known_files import KNOWN_FILES, KnownFile

CONTENT = bytes(range(256)) * 20_000  # 5 MB


class Publisher:
    """A server with one file. break_after: bytes after which each answer ends. Notes the byte from which each request wants it."""

    def __init__(self) -> None:
        self.content, self.break_after, self.knows_ranges, self.redirect = CONTENT, 0, True, ""
        self.starts: list[int] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if self.redirect and request.path == "/file.pth":
            request.send_response(302)
            request.send_header("Location", self.redirect)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        asked = request.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.knows_ranges else 0
        self.starts.append(start)
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(self.content) - start))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.end_headers()
        end = start + self.break_after if self.break_after else len(self.content)
        try:
            request.wfile.write(self.content[start:end])
        except OSError:
            pass
        request.close_connection = True

    def connect(self, host: str, port: int) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=10)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()


FILE = KnownFile(name="file.pth", use="A test", folders=("GFPGAN",), url="https://files.example/file.pth", size=len(CONTENT),
                 sha256=hashlib.sha256(CONTENT).hexdigest())


def test_a_file_comes_whole_with_its_progress(publisher, tmp_path):
    seen: list[tuple[int, int]] = []
    path = fetched(FILE, tmp_path / "GFPGAN", lambda done, of: seen.append((done, of)), publisher.connect)
    assert path == tmp_path / "GFPGAN" / "file.pth" and path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["file.pth"]
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT),) * 2 and seen == sorted(seen)


def test_a_connection_that_breaks_is_gone_on_with(publisher, tmp_path):
    publisher.break_after = 2_000_000
    assert fetched(FILE, tmp_path, connect=publisher.connect).read_bytes() == CONTENT
    assert publisher.starts == [0, 2_000_000, 4_000_000]


def test_a_stopped_download_is_gone_on_with_later(publisher, tmp_path):
    def stop(done: int, of: int) -> None:
        if done > 1_500_000:
            raise Interrupted()

    with pytest.raises(Interrupted):
        fetched(FILE, tmp_path, stop, publisher.connect)
    kept = (tmp_path / f"file.pth{PART}").stat().st_size
    assert kept > 1_000_000 and not (tmp_path / "file.pth").exists()
    assert fetched(FILE, tmp_path, connect=publisher.connect).read_bytes() == CONTENT and publisher.starts == [0, kept]


def test_a_server_without_ranges_gives_it_from_the_start(publisher, tmp_path):
    publisher.knows_ranges = False
    (tmp_path / f"file.pth{PART}").write_bytes(b"something else")
    assert fetched(FILE, tmp_path, connect=publisher.connect).read_bytes() == CONTENT


@pytest.mark.parametrize("content, words", [
    (b"x" * len(CONTENT), "checksum"), (b"<html>", "6 bytes under this name"), (CONTENT * 2, "bytes under this name"),
], ids=["other", "page", "larger"])
def test_what_is_not_the_published_file_is_not_kept(publisher, tmp_path, content, words):
    publisher.content = content
    with pytest.raises(UserError, match=words):
        fetched(FILE, tmp_path, connect=publisher.connect)
    assert not (tmp_path / "file.pth").exists() and not list(tmp_path.glob(f"*{PART}"))


def test_one_without_a_checksum_is_never_gone_on_with(publisher, tmp_path):
    (tmp_path / f"file.pth{PART}").write_bytes(b"something else")
    assert fetched(replace(FILE, sha256="", is_exact=False), tmp_path, connect=publisher.connect).read_bytes() == CONTENT
    assert publisher.starts == [0]


def test_redirects_are_followed_over_https_alone(publisher, tmp_path):
    publisher.redirect = "https://other.example/elsewhere"
    assert fetched(FILE, tmp_path, connect=publisher.connect).read_bytes() == CONTENT
    publisher.redirect = "http://other.example/elsewhere"
    (tmp_path / "file.pth").unlink()
    with pytest.raises(UserError, match="away from https"):
        fetched(FILE, tmp_path, connect=publisher.connect)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:192.168.0.1"])
def test_addresses_of_this_machine_and_its_network_are_refused(address, monkeypatch):
    rows = [(0, 0, 0, "", ("8.8.8.8", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(public_addresses.socket, "getaddrinfo", lambda *_, **__: rows)
    with pytest.raises(UserError, match="its own network"):
        public_connection("files.example", 443)


def test_a_disk_that_takes_nothing_is_a_sentence(publisher, small_disk):
    with pytest.raises(UserError, match="no room for file"):
        fetched(FILE, small_disk(1 << 20), connect=publisher.connect)


def test_every_known_file_comes_over_https_and_fits_into_the_table():
    for file in downloads.downloadable().values():
        parts = urlsplit(file.url)
        assert parts.scheme == "https" and parts.hostname and file.size > 0 and file.folders and "/" not in file.name
    assert all(len(file.sha256) in (0, 64) for file in KNOWN_FILES)


@pytest.fixture
def table(runtime, publisher, monkeypatch) -> Any:
    """The running program, with FILE in the table and the publisher in place of the internet."""
    monkeypatch.setattr(downloads, "downloadable", lambda: {FILE.name: FILE})
    monkeypatch.setattr(downloads, "public_connection", publisher.connect)
    return runtime


def test_a_download_is_a_job_that_says_where_the_file_is(table):
    job = downloads.submit(table, "file.pth")
    assert job.wait(30) and job.status == "done", job.error
    assert job.result["notes"] == ["file.pth is in models/GFPGAN now."]
    assert (table.folders.models / "GFPGAN" / "file.pth").read_bytes() == CONTENT
    with pytest.raises(UserError, match="there already"):
        downloads.submit(table, "file.pth")


def test_only_files_of_the_table_are_fetched_and_each_once_at_a_time(table):
    with pytest.raises(NotFound):
        downloads.submit(table, "../../etc/passwd")
    table.queue.pause()
    assert downloads.submit(table, "file.pth") is downloads.submit(table, "file.pth")
    table.queue.cancel_all()


def test_the_page_lists_what_is_missing_and_asks_for_it(table):
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from modules.api.answers import add_error_answers
    from modules.ui.download_routes import downloads_router

    app = FastAPI()
    add_error_answers(app)
    app.include_router(downloads_router(table))
    with TestClient(app, raise_server_exceptions=False) as client:
        [row] = client.get("/internal/known-files?uses=A test").json()["files"]
        assert (row["name"], row["place"], row["size"], row["is_there"], row["job"]) == ("file.pth", "models/GFPGAN", "5 MB", False, None)
        assert client.post("/internal/known-files/download", json={"name": "other"}).status_code == 404
        job = table.queue.get(client.post("/internal/known-files/download", json={"name": "file.pth"}).json()["job"])
        assert job.wait(30) and client.get("/internal/known-files").json()["files"][0]["is_there"]


def test_nobody_without_a_login_can_make_an_open_server_fetch(table, monkeypatch):
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from modules.api.answers import add_error_answers
    from modules.ui.download_routes import downloads_router

    monkeypatch.setattr(table.args, "listen", True)
    app = FastAPI()
    add_error_answers(app)
    app.include_router(downloads_router(table))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/internal/known-files").json()["may_download"] is False
        assert client.post("/internal/known-files/download", json={"name": "file.pth"}).status_code == 403
    assert not Path(table.folders.models / "GFPGAN").exists()
