"""Where the page is found, https included."""
import argparse
import shutil
import ssl
import subprocess
import threading
import urllib.request
from types import SimpleNamespace

import pytest
from fastapi import FastAPI

from modules import cmd_args
from modules.errors import UserError
from modules.ui import addresses, ports, server


@pytest.mark.parametrize("words, host, address", [
    ((), "127.0.0.1", "http://127.0.0.1:7860"), (("--listen",), "0.0.0.0", "http://127.0.0.1:7860"),
    (("--tls-certfile", "x.pem"), "box", "https://box:7860"), (("--subpath", "easel"), "::1", "http://[::1]:7860/easel"),
])
def test_the_address_is_one_that_this_machine_can_open(words, host, address):
    assert addresses.page_address(cmd_args.parse(words), host, 7860) == address


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("one", "other"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / f"{name}.key",
                        "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    (folder / "empty.pem").write_text("")
    return folder


def tls(certfile=None, keyfile=None) -> argparse.Namespace:
    return cmd_args.parse([*(("--tls-certfile", str(certfile)) if certfile else ()), *(("--tls-keyfile", str(keyfile)) if keyfile else ())])


def test_a_page_is_served_over_https(certificate):
    args = tls(certificate / "one.pem", certificate / "one.key")
    addresses.check_certificate(args)
    args.port = 0
    host, listening = ports.bound_socket(args)
    port, app, ready = listening.getsockname()[1], FastAPI(), threading.Event()
    app.add_api_route("/x", lambda: {"scheme": "https"}, methods=["GET"])
    running = threading.Thread(target=server.run, args=(app, SimpleNamespace(args=args), listening, ready.set))
    running.start()
    assert ready.wait(30)
    trusted = ssl.create_default_context(cafile=certificate / "one.pem")
    with urllib.request.urlopen(addresses.page_address(args, host, port) + "/x", context=trusted) as answer:
        assert answer.status == 200
    app.state.server.should_exit = True
    running.join(30)
    listening.close()


@pytest.mark.parametrize("cert, key, words", [
    ("one.pem", "other.key", "belong to each other"), ("empty.pem", "one.key", "PEM"), ("missing.pem", None, "cannot be read"),
    (None, "one.key", "--tls-certfile"), ("one.pem", None, "cannot be used"),
])
def test_a_certificate_that_cannot_be_used_is_one_sentence_before_the_start(certificate, cert, key, words):
    with pytest.raises(UserError, match=words):
        addresses.check_certificate(tls(cert and certificate / cert, key and certificate / key))


def test_without_the_internet_there_is_no_public_address_and_that_is_a_sentence(monkeypatch):
    import gradio.networking

    def refuse(*_):
        raise RuntimeError("Could not get share link.")

    monkeypatch.setattr(gradio.networking, "setup_tunnel", refuse)
    with pytest.raises(UserError, match="Could not get share link"):
        addresses.public_address(7860)
