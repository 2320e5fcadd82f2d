"""Pictures named by an address: off by default, never from this machine or its network, also after redirects."""
import base64
import io
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from modules import public_addresses
from modules.api import remote_pictures
from modules.api.remote_pictures import FetchOptions, checked_address, fetched
from modules.errors import RequestError
from modules.imaging.encode import png_bytes
from modules.public_addresses import is_public

ON = FetchOptions(is_enabled=True, user_agent="test")
LOCAL = FetchOptions(is_enabled=True, allows_local=True, user_agent="test")


class Pictures(BaseHTTPRequestHandler):
    """A server of everything that could go wrong."""

    files: dict[str, bytes] = {}

    def do_GET(self) -> None:
        if self.path == "/loop":
            self.answer(302, location="/loop")
        elif self.path.startswith("/to/"):
            self.answer(302, location=self.path[4:])
        elif self.path == "/missing":
            self.answer(404)
        elif self.path == "/endless":
            self.answer(200, content=b"x" * 3000)
        elif self.path in self.files:
            self.answer(200, content=self.files[self.path])
        else:
            self.answer(200, content=b"picture for " + self.headers["User-Agent"].encode())

    def answer(self, status: int, content: bytes = b"", location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args) -> None: ...


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_addresses_are_not_followed_unless_the_setting_allows_it(site):
    with pytest.raises(RequestError, match="api_enable_requests"):
        fetched("init_images", site, FetchOptions())


def test_a_picture_is_fetched_when_it_is_allowed(site):
    assert fetched("init_images", f"{site}/a.png", LOCAL) == fetched("init_images", f"{site}/to/{site}/b", LOCAL) == b"picture for test"


@pytest.mark.parametrize("address", [
    "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://10.0.0.1/", "http://192.168.1.1/",
    "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fc00::1]/", "http://[::ffff:127.0.0.1]/",
    "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://[64:ff9b::7f00:1]/", "http://100.64.0.1/", "http://224.0.0.1/",
])
def test_this_machine_and_its_network_are_never_asked(address, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a connection was made"))
    with pytest.raises(RequestError, match="could not be fetched"):
        fetched("init_images", address, ON)


@pytest.mark.parametrize("address", [
    "file:///etc/passwd", "ftp://example.org/a", "http://", "http://user:pw@example.org/", "http://exa mple.org/", "http://example.org:99999/",
    "http://example.org/\r\nX: y", "gopher://example.org", "http://example.org/" + "a" * 3000, "http://[::1", "//example.org/a",
])
def test_only_plain_web_addresses_are_asked(address):
    with pytest.raises(RequestError):
        checked_address("init_images", address)


def test_a_redirect_to_this_machine_is_refused(site, monkeypatch):
    asked = []

    def only_first_is_public(text: str) -> bool:
        asked.append(text)
        return len(asked) == 1

    monkeypatch.setattr(public_addresses, "is_public", only_first_is_public)
    with pytest.raises(RequestError, match="own network"):
        fetched("init_images", f"{site}/to/{site}/b", ON)
    assert len(asked) == 2


def test_a_name_that_changes_its_address_gains_nothing(site, monkeypatch):
    """The address that was checked is the one that is asked; the name is not looked up again."""
    port = int(site.rpartition(":")[2])
    lookups = iter([[(2, 1, 6, "", ("127.0.0.1", port))]])
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more:
                        next(lookups) if host == "rebound.example" else real(host, *rest, **more))
    assert fetched("init_images", f"http://rebound.example:{port}/a", LOCAL) == b"picture for test"


@pytest.mark.parametrize("path, said", [("/loop", "3 times"), ("/missing", "404"),
                                        ("/to/file:///etc/passwd", "plain http"), ("/endless", "MB")])
def test_what_does_not_end_in_a_picture_is_one_sentence(site, path, said, monkeypatch):
    monkeypatch.setattr(remote_pictures, "MOST_BYTES", 2000)
    began = time.monotonic()
    with pytest.raises(RequestError, match=said):
        fetched("init_images", site + path, LOCAL)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("address, public", [("8.8.8.8", True), ("2001:4860:4860::8888", True), ("2002:7f00:1::", False), ("::", False)])
def test_public_addresses(address, public):
    assert is_public(address) == public


ROUTES = [("png-info", lambda picture: {"image": picture}), ("extra-single-image", lambda picture: {"image": picture}),
          ("extra-batch-images", lambda picture: {"imageList": [{"data": picture, "name": "a"}]}),
          ("img2img", lambda picture: {"init_images": [picture], "steps": 2}), ("jobs/img2img", lambda picture: {"init_images": [picture]})]


@pytest.mark.parametrize("route, body", ROUTES, ids=[route for route, _ in ROUTES])
def test_no_route_asks_an_address_by_default_and_none_this_machine_ever(client, rt, site, route, body):
    refused = client.post(f"/sdapi/v1/{route}", json=body(f"{site}/a.png"))
    assert refused.status_code == 422 and "api_enable_requests" in str(refused.json()["detail"])
    rt.settings.set("api_enable_requests", True)
    try:
        refused = client.post(f"/sdapi/v1/{route}", json=body(f"{site}/a.png"))
    finally:
        rt.settings.set("api_enable_requests", False)
    assert refused.status_code == 422 and "own network" in str(refused.json()["detail"])


def test_clients_cannot_allow_it_themselves(client):
    assert client.post("/sdapi/v1/options", json={"api_enable_requests": True}).status_code == 422


def test_an_allowed_picture_is_used(client, rt, site, monkeypatch):
    monkeypatch.setattr(public_addresses, "is_public", lambda text: True)
    monkeypatch.setitem(Pictures.files, "/red.png", png_bytes(Image.new("RGB", (8, 8), "red"), "a cat"))
    rt.settings.set("api_enable_requests", True)
    try:
        answer = client.post("/sdapi/v1/png-info", json={"image": f"{site}/red.png"})
    finally:
        rt.settings.set("api_enable_requests", False)
    assert answer.status_code == 200 and answer.json()["info"] == "a cat"


def test_one_request_names_a_few_addresses_only(client, site):
    answer = client.post("/sdapi/v1/extra-batch-images", json={"imageList": [{"data": site, "name": "a"}] * 17})
    assert answer.status_code == 422 and "16 addresses" in str(answer.json()["detail"])


def test_all_pictures_of_a_batch_are_enlarged(client, get_samples):
    pictures = [base64.b64encode(png_bytes(Image.new("RGB", size, "red"), "")).decode() for size in ((8, 8), (16, 8))]
    body = {"imageList": [{"data": picture, "name": "a.png"} for picture in pictures], "upscaler_1": "Nearest", "upscaling_resize": 2}
    answer = client.post("/sdapi/v1/extra-batch-images", json=body).json()
    assert [Image.open(io.BytesIO(base64.b64decode(image))).size for image in answer["images"]] == [(16, 16), (32, 16)]
    assert answer["html_info"] == "<p>Postprocess upscale by: 2.0, Postprocess upscaler: Nearest</p>"
    for junk in (None, [], "x", [1], [{}], [{"data": 5}]):
        assert client.post("/sdapi/v1/extra-batch-images", json={"imageList": junk}).status_code == 422
