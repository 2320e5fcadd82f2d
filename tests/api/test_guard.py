"""The guard: hosts, origins, body limits and headers, in front of a route that echoes the length of its body."""
import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from modules.api.guard import SECURITY_HEADERS, Guard, GuardOptions, host_is_allowed, origin_is_allowed

OPTIONS = GuardOptions(host_names=frozenset({"easel.example", ".gradio.live"}), origins=frozenset({"https://friend.example"}),
                       body_bytes=1000, upload_bytes=5000, chunk_wait_s=0.5)


def guarded(options: GuardOptions = OPTIONS) -> FastAPI:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def echo(path: str, request: Request) -> dict:
        return {"length": len(await request.body())}

    app.add_middleware(Guard, options=options)
    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(guarded(), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize("host, allowed", [
    ("127.0.0.1", True), ("127.0.0.1:7860", True), ("[::1]:7860", True), ("192.168.1.5:7860", True), ("localhost", True),
    ("LOCALHOST:1", True),
    ("easel.example", True), ("easel.example.:80", True), ("abc.gradio.live", True), ("gradio.live.evil.example", False),
    ("evil.example", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("", False), ("a@127.0.0.1", False),
    ("[::1", False), ("evil.example/127.0.0.1", False),
])
def test_only_names_of_this_machine_are_answered(host, allowed):
    assert host_is_allowed(host, OPTIONS) == allowed


@pytest.mark.parametrize("origin, host, allowed", [
    ("http://127.0.0.1:7860", "127.0.0.1:7860", True), ("http://localhost", "localhost", True), ("http://localhost:80", "localhost", True),
    ("https://easel.example", "easel.example", True), ("https://friend.example", "127.0.0.1:7860", True),
    ("http://127.0.0.1:7861", "127.0.0.1:7860", False), ("http://localhost:7860", "127.0.0.1:7860", False),
    ("null", "127.0.0.1:7860", False),
    ("http://evil.example", "127.0.0.1:7860", False), ("file://", "localhost", False), ("http://[", "localhost", False),
    ("http://[::1]:7860", "[::1]:7860", True), ("http://[::1]:7861", "[::1]:7860", False),
])
def test_only_pages_of_the_same_origin_or_listed_ones_may_ask(origin, host, allowed):
    assert origin_is_allowed(origin, host, OPTIONS) == allowed


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_host_is_refused_with_a_sentence(client, method):
    answer = client.request(method, "/x", headers={"host": "evil.example"})
    assert answer.status_code == 400 and "--allowed-hosts" in answer.json()["detail"]


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "http://127.0.0.1:1"}, {"origin": "null"},
                                     {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
def test_a_foreign_page_cannot_post_with_or_without_a_body(client, headers):
    for content in (b"", b"x"):
        assert client.post("/x", content=content, headers=headers).status_code == 403


def test_a_foreign_page_cannot_read_a_stream(client):
    assert client.get("/x", headers={"origin": "http://evil.example"}).status_code == 403


def test_programs_without_an_origin_and_our_own_page_are_let_in(client):
    assert client.post("/x", content=b"abc").json() == {"length": 3}
    own = {"origin": "http://127.0.0.1:7860", "sec-fetch-site": "same-origin"}
    assert client.post("/x", content=b"abc", headers=own).json() == {"length": 3}


def test_a_link_on_another_site_still_opens_the_page(client):
    assert client.get("/x", headers={"sec-fetch-site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path, size, status", [
    ("/x", 1000, 200), ("/x", 1001, 413), ("/gradio_api/upload", 5000, 200), ("/upload", 5001, 413),
])
def test_the_limit_counts_for_stated_lengths_and_for_chunks(client, path, size, status):
    stated = client.post(path, content=b"x" * size)
    chunked = client.post(path, content=iter([b"x" * (size // 2), b"x" * (size - size // 2)]))
    assert stated.status_code == chunked.status_code == status
    if status == 413:
        assert stated.json()["detail"] == chunked.json()["detail"]


def test_every_answer_carries_the_security_headers(client):
    for answer in (client.get("/x"), client.get("/x", headers={"host": "evil.example"})):
        assert all(answer.headers[name.decode()] == value.decode() for name, value in SECURITY_HEADERS)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        free = sock.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(guarded(), host="127.0.0.1", port=free, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield free
    server.should_exit = True
    thread.join(10)


def raw_request(port: int, head: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.sendall(head)
    return sock


def status_and_body(sock: socket.socket) -> tuple[int, dict]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("length", [b"-5", b"1e9", b"200000000", b"9" * 400])
def test_a_body_of_200_mb_is_refused_before_it_is_sent(port, length):
    sock = raw_request(port, b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + length + b"\r\n\r\n")
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    assert 400 <= answer.status < 500


def test_an_endless_body_is_cut_off_and_others_are_served_meanwhile(port):
    sock = raw_request(port, b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        try:
            sock.sendall(b"64\r\n" + b"x" * 100 + b"\r\n")
        except OSError:
            break
    assert status_and_body(sock)[0] == 413


def test_a_slow_sender_is_answered_and_delays_nobody(port):
    slow = raw_request(port, b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nx")
    began = time.perf_counter()
    other = raw_request(port, b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert status_and_body(other)[0] == 200 and time.perf_counter() - began < 1
    assert status_and_body(slow)[0] == 408


def test_websockets_are_guarded_too():
    async def connect(headers: list) -> list:
        sent = []

        async def app(scope, receive, send):
            sent.append("let in")

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message["type"])

        await Guard(app, OPTIONS)({"type": "websocket", "path": "/x", "headers": headers}, receive, send)
        return sent

    assert asyncio.run(connect([(b"host", b"127.0.0.1"), (b"origin", b"http://evil.example")])) == ["websocket.close"]
    assert asyncio.run(connect([(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")])) == ["let in"]
