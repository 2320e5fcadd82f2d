"""The served page: our tags in its head, nothing that names another host, files of ours only."""
import re
import socket

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from modules.api.login import Login
from modules.errors import UserError
from modules.ui import ports
from modules.ui.server import HeadInjector, build_app


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The whole app of a running program."""
    from runtime_parts import running

    with running(tmp_path_factory.mktemp("data"), "--api") as rt, \
            TestClient(build_app(rt), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        client.runtime = rt
        yield client


def test_our_scripts_run_in_order_while_the_page_loads_and_new_versions_are_fetched(client):
    page = client.get("/").text
    addresses = re.findall(r'<script src="(easel/js/[^"]+)"', page)
    assert addresses == sorted(addresses) and len(addresses) > 8
    assert all(re.fullmatch(r"easel/js/\w+\.js\?\d+", address) for address in addresses)
    assert page.index("easel/js") < page.index("</head>") and page.index("<base") < page.index("easel/js")
    for address in [*addresses, *re.findall(r'href="(easel/css/[^"]+)"', page)]:
        assert client.get("/" + address).status_code == 200


def test_no_tag_of_the_page_names_another_host(client):
    assert re.findall(r'<(?:script|link|img|meta|iframe)[^>]*"(https?:)?//[^>]*>', client.get("/").text) == []


def test_the_page_is_compressed(client):
    assert client.get("/", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_a_setting_changed_elsewhere_is_in_the_next_page(client):
    client.runtime.settings.set("samples_filename_pattern", "[seed]-changed")
    assert "[seed]-changed" in client.get("/").text


def test_a_style_saved_elsewhere_is_in_the_next_page(client):
    client.runtime.styles.save("a style of another program", "x", "")
    assert "a style of another program" in client.get("/").text


def test_with_a_login_nothing_of_the_whole_page_is_served_without_it(client):
    guarded = TestClient(Login(client.app, logins={"ann": "p"}), base_url="http://127.0.0.1")
    paths = {path for route in client.app.routes for path in below(route)}
    assert {"/sdapi/v1/txt2img", "/internal/progress", "/file={path:path}", "/gradio_api/queue/join", "/config"} <= paths
    for path in [*paths, "/assets/x.js", "/easel/js/10_base.js", "/favicon.ico", "/nowhere"]:
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            assert guarded.request(method, path).status_code == 401, (method, path)
    with pytest.raises(WebSocketDisconnect), guarded.websocket_connect("/gradio_api/queue/join"):
        pass
    assert guarded.get("/internal/ping", auth=("ann", "p")).status_code == 200


JUNK = [b"", b"null", b"[]", b"{bad", b'{"id": "\\ud800", "path": "\\ud800", "name": "\\ud800", "folder": "\\u0000", "text": "\\ud800"}',
        b'{"id": 5, "ids": {}, "path": [], "name": NaN, "tab": {}, "folder": 1e999, "text": null, "index": -1}']


@pytest.mark.parametrize("content", JUNK, ids=lambda content: repr(content[:12]))
def test_no_body_makes_a_route_of_the_page_fail(client, content):
    for path in sorted({path for route in client.app.routes for path in below(route) if path.startswith("/internal/")}):
        if path == "/internal/reload-ui":
            continue  # it would end the server, which is none here
        address = re.sub(r"\{[\w:]+\}", "0", path)
        for method in ("POST", "GET"):
            answer = client.request(method, address, content=content, headers={"content-type": "application/json"})
            assert answer.status_code < 500, (method, path, answer.text[:300])


def below(route, prefix: str = "") -> list[str]:
    """The paths of a route, or of everything that is mounted at it."""
    path = prefix + getattr(route, "path", "").rstrip("/")
    inner = getattr(getattr(route, "original_router", route), "routes", None) or ()
    return [found for each in inner for found in below(each, path)] or [path or "/"]


def test_tags_of_the_framework_that_name_hosts_are_taken_out():
    page = b'<html><head><base href="./"><meta property="og:image" content="https://far.away/x.png" /><title>x</title></head><body>'
    edited = HeadInjector(None, "<script></script>").edited(page)
    assert edited == b'<html><head><base href="./">\n<script></script><title>x</title></head><body>'


def test_a_port_in_use_is_one_sentence():
    from modules import cmd_args
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UserError, match="is in use"):
            ports.bound_socket(cmd_args.parse(["--port", str(other.getsockname()[1])]))


def test_a_free_port_is_bound_on_this_machine_only():
    from modules import cmd_args
    host, listening = ports.bound_socket(cmd_args.parse(["--port", "0"]))
    with listening:
        assert host == "127.0.0.1" == listening.getsockname()[0]
