"""Which files are served, and how."""
import os

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from modules.atomic_files import file_below
from modules.errors import NotFound
from modules.ui.pictures import file_answer, pictures_router


class Folders:
    def __init__(self, root):
        self.outputs, self.log, self.results, self.temporary = (root / name for name in ("outputs", "log", "results", "tmp"))
        self.data, self.shown = root, (root / "named by the owner",)
        for folder in (self.outputs, self.log, self.results, self.temporary, *self.shown):
            folder.mkdir()


class Program:
    def __init__(self, root):
        self.folders, self.extensions = Folders(root), []


@pytest.fixture
def program(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    program = Program(tmp_path)
    Image.new("RGB", (8, 8)).save(program.folders.outputs / "a.png")
    (program.folders.outputs / "evil.html").write_text("<script>alert(1)</script>")
    (program.folders.outputs / "evil.svg").write_text("<svg onload='alert(1)'/>")
    return program


@pytest.fixture
def client(program):
    app = FastAPI()
    app.include_router(pictures_router(program))
    return TestClient(app)


def test_a_picture_is_shown_with_its_type_and_nothing_else_is_guessed(client, program):
    for prefix in ("/gradio_api/file=", "/file="):
        answer = client.get(f"{prefix}{program.folders.outputs / 'a.png'}")
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff" and "content-disposition" not in answer.headers


@pytest.mark.parametrize("name", ["evil.html", "evil.svg"])
def test_what_could_run_in_the_page_is_only_downloaded(program, name):
    answer = file_answer(program.folders.outputs / name)
    assert answer.media_type == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a.png\0", "x" * 5000, "..%2fsecret.png", ""])
def test_files_outside_the_folders_do_not_exist(client, program, name):
    with pytest.raises(NotFound):
        file_below([program.folders.outputs], f"{program.folders.outputs}/{name}" if not name.startswith("/") else name)


def test_a_link_out_of_the_folder_does_not_help(program, tmp_path):
    link = program.folders.outputs / "link.png"
    os.symlink(tmp_path / "secret.png", link)
    with pytest.raises(NotFound):
        file_below([program.folders.outputs], str(link))


@pytest.mark.parametrize("path", ["%00", "a%00b.png", "x" * 5000, "%2e%2e/secret.png", "..%5csecret.png"])
def test_names_that_no_file_can_have_are_a_404(client, path):
    assert client.get(f"/file={path}").status_code == client.get(f"/gradio_api/file={path}").status_code == 404


def test_folders_that_the_owner_named_are_served_too(client, program):
    Image.new("RGB", (8, 8)).save(program.folders.shown[0] / "b.png")
    assert client.get(f"/file={program.folders.shown[0]}/b.png").status_code == 200


def test_a_missing_file_is_a_404_with_a_sentence(client, program):
    answer = client.get(f"/file={program.folders.outputs}/none.png")
    assert answer.status_code == 404 and answer.json()["detail"] == "There is no such file."
