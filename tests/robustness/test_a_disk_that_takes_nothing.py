"""Promises 1 and 2 where the disk is full or read-only: old files stay whole, the picture is shown, and the next save works."""
import errno
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_model
from PIL import Image
from runtime_parts import running
from starlette.testclient import TestClient

from modules import atomic_files
from modules.api.app import build_api_app
from modules.errors import UserError

REQUEST = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "save_images": True}


class Disk:
    """A small disk under a running program, that can be made to take nothing more."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch):
        self.folder, self._patch = folder, patch

    def refuse(self, how: str) -> None:
        if how == "full":
            with (self.folder / "filler").open("wb", buffering=0) as file:
                for size in (65536, 1):
                    while written(file, size):
                        pass
        else:  # no system makes a disk read-only while a program has files open for writing, but a fault of the disk does
            self._patch.setattr(atomic_files, "_part_file", read_only)

    def accept(self) -> None:
        self._patch.undo()
        (self.folder / "filler").unlink(missing_ok=True)


def read_only(folder: Path, *_: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(folder))


def written(file: io.FileIO, size: int) -> bool:
    try:
        return file.write(b"x" * size) == size
    except OSError:
        return False


@pytest.fixture
def program(small_disk: Callable[[int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, TestClient, Disk]]:
    """A program whose data folder, with settings, styles, queue, cache and outputs, lies on a small disk; models lie elsewhere."""
    models = tiny_model.make_data_dir(tmp_path / "models") / "models" / "Stable-diffusion"
    disk = Disk(small_disk(4 << 20), monkeypatch)
    with running(disk.folder / "data", "--api", "--ckpt-dir", str(models)) as rt, \
            TestClient(build_api_app(rt), base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as client:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt, client, disk
        disk.accept()


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_the_picture_is_shown_and_the_next_one_is_saved(program, how):
    rt, client, disk = program
    assert client.post("/sdapi/v1/txt2img", json={**REQUEST, "force_task_id": "before"}).status_code == 200
    rt.settings.set("jpeg_quality", 71)
    rt.settings.save()
    rt.styles.save("mine", "x", "")
    before = {path: path.read_bytes() for path in disk.folder.rglob("*") if path.suffix in (".png", ".json", ".csv", ".txt")}

    disk.refuse(how)
    answer = client.post("/sdapi/v1/txt2img", json={**REQUEST, "force_task_id": "refused"})
    assert 400 <= answer.status_code < 500 and "disk" in answer.json()["detail"]
    shown = client.get("/internal/result/refused").json()
    picture = client.get(shown["pictures"][0]["url"], params={"download": True})
    assert Image.open(io.BytesIO(picture.content)).size == (64, 64) and "a cat" in shown["pictures"][0]["infotext"]
    unsaved = client.post("/sdapi/v1/txt2img", json={**REQUEST, "save_images": False})
    assert unsaved.status_code == 200 and len(unsaved.json()["images"]) == 1  # nothing needs to be written for it
    rt.settings.set("jpeg_quality", 72)
    for save in (rt.settings.save, lambda: rt.styles.save("another", "y" * 100_000, "")):
        with pytest.raises(UserError, match="disk"):
            save()
    assert client.post("/sdapi/v1/options", json={"webp_lossless": True}).status_code in (400, 507)
    assert {path: path.read_bytes() for path in before} == before

    disk.accept()
    again = client.post("/sdapi/v1/txt2img", json={**REQUEST, "force_task_id": "after"})
    assert again.status_code == 200
    rt.settings.save()
    assert json.loads((disk.folder / "data" / "config.json").read_text())["jpeg_quality"] == 72
    assert Path(rt.queue.get("after").result["images"][0]["path"]).is_file()
    assert not [path for path in disk.folder.rglob(".*") if path.suffix == ".easel-part"]
