"""The page below a path of another server, which wants a login and cuts the path off before it hands requests on."""
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import tiny_model
from browser.conftest import Easel
from server_process import ServerProcess

pytestmark = pytest.mark.browser

PREFIX = "/tools/easel"
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class Proxy(BaseHTTPRequestHandler):
    """Hands everything below PREFIX on to the port `to`; anything else is not found."""

    to = 0
    lost: list[str] = []

    def do_GET(self) -> None:
        if not self.path.startswith(PREFIX + "/"):
            self.lost.append(self.path)
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.to)
        connection.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers))
        answer = connection.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := answer.read1(1 << 16):
            self.wfile.write(piece)

    do_POST = do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing is written to the terminal."""


@pytest.fixture
def proxied(tmp_path) -> Iterator[ServerProcess]:
    """A server whose `url` is that of the proxy before it."""
    data_dir = tiny_model.make_data_dir(tmp_path / "data")
    with ServerProcess(data_dir, "--api", "--subpath", PREFIX.strip("/"), "--api-auth", "ann:p") as server:
        Proxy.to, Proxy.lost = server.port, []
        front = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=front.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{front.server_port}{PREFIX}"
        yield server
        front.shutdown()
        front.server_close()


def test_a_picture_is_made_and_shown(browser, proxied):
    context = browser.new_context(http_credentials={"username": "ann", "password": "p"})
    easel = Easel(context.new_page(), proxied)
    easel.open()
    easel.number("txt2img_width", 64)
    easel.number("txt2img_height", 64)
    easel.number("txt2img_steps", 2)
    easel.prompt("a cat")
    easel.generate()
    easel.wait_for_result("a cat")
    easel.wait_for("() => [...document.querySelectorAll('#txt2img_gallery img')].some((image) => image.naturalWidth === 64)")
    easel.wait_until_idle()
    assert not easel.problems and not [path for path in Proxy.lost if path != "/favicon.ico"]
    context.close()
