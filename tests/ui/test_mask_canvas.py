"""What Python takes from a canvas: only files that the page may use."""
import json
import os

import pytest
from canvas_page import Program
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from modules.api.answers import add_error_answers
from modules.errors import UserError
from modules.ui.mask_canvas import CanvasFiles, canvas, canvas_files, canvas_router


@pytest.fixture
def program(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "secret.png")
    program = Program(tmp_path)
    Image.new("RGB", (8, 6)).save(program.folders.temporary / "sent.png")
    Image.new("RGB", (8, 6)).save(program.folders.outputs / "made.png")
    return program


@pytest.fixture
def client(program):
    app = FastAPI()
    add_error_answers(app)
    app.include_router(canvas_router(program))
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("payload", [None, "", "  ", "{}", {}, {"image": None, "mask": None, "paint": None}, "null"])
def test_an_empty_canvas_gives_no_files(program, payload):
    assert canvas_files(program, None, payload) == CanvasFiles()


@pytest.mark.parametrize("as_text", [True, False])
def test_files_are_found_by_what_the_page_says(program, as_text):
    sent, made = program.folders.temporary / "sent.png", program.folders.outputs / "made.png"
    payload = {"image": {"path": str(made)}, "mask": {"path": str(sent)}, "paint": None}
    assert canvas_files(program, None, json.dumps(payload) if as_text else payload) == CanvasFiles(image=made, mask=sent)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "gone.png", "link.png", "a\0b", ".", "x" * 5000])
def test_a_file_elsewhere_is_no_file(program, tmp_path, name):
    os.symlink(tmp_path / "secret.png", program.folders.temporary / "link.png")
    with pytest.raises(UserError, match="no longer on the server"):
        canvas_files(program, None, {"image": {"path": str(program.folders.temporary / name)}})


@pytest.mark.parametrize("payload", ["{", "[1, 2]", '"text"', "17"])
def test_something_unreadable_is_said_so(program, payload):
    with pytest.raises(UserError, match="unreadable"):
        canvas_files(program, None, payload)


def test_the_page_learns_the_upright_size(program, client):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = program.folders.temporary / "side.jpg"
    Image.new("RGB", (60, 40)).save(path, exif=exif)
    assert client.post("/internal/canvas/picture", json={"path": str(path)}).json() == {"width": 40, "height": 60}
    shown = client.get("/internal/canvas/shown", params={"path": str(path)})
    assert shown.headers["content-type"] == "image/png" and shown.content.startswith(b"\x89PNG")


def test_what_is_no_picture_and_what_lies_elsewhere_is_refused(program, client, tmp_path):
    (program.folders.temporary / "text.png").write_text("no picture")
    answer = client.post("/internal/canvas/picture", json={"path": str(program.folders.temporary / "text.png")})
    assert answer.status_code == 422 and "cannot be read" in answer.json()["detail"]
    assert client.post("/internal/canvas/picture", json={"path": str(tmp_path / "secret.png")}).status_code == 404
    assert client.get("/internal/canvas/shown", params={"path": str(tmp_path / "secret.png")}).status_code == 404


def test_there_are_four_kinds():
    for kind in ("view", "sketch", "mask", "paint_mask"):
        assert f'data-kind="{kind}"' in canvas(f"id_{kind}", kind).value
    with pytest.raises(ValueError, match="scribble"):
        canvas("id", "scribble")
