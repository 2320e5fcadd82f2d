"""What earlier days left behind is removed when nobody needs it any more."""
import os
import time
from types import SimpleNamespace

import pytest
from PIL import Image

from modules.folders import Folders
from modules.imaging.thumbnails import folder_of_thumbnails, thumbnail
from modules.leftovers import DAY_S, leftovers, remove_in_background


@pytest.fixture
def rt(tmp_path):
    return SimpleNamespace(folders=Folders(program=tmp_path / "program", data=tmp_path / "data"))


def aged(path, days):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.time() - days * DAY_S,) * 2)
    return path


def test_uploads_that_nobody_went_on_with_for_a_week_go_and_nothing_else_does(rt):
    lora, embeddings = rt.folders.models / "Lora", rt.folders.data / "embeddings"
    given_up = {aged(lora / "deep" / "a.safetensors.easel-upload", 8), aged(embeddings / "b.pt.0123abcd.easel-upload", 30)}
    kept = {aged(lora / "c.safetensors.easel-upload", 6), aged(lora / "d.safetensors", 400)}
    remove_in_background(rt).join()
    assert not [path for path in given_up if path.exists()] and all(path.exists() for path in kept)


def test_small_copies_that_are_shown_stay_and_others_go_after_two_months(rt, tmp_path):
    cache = folder_of_thumbnails(rt.folders.cache)
    for name in ("shown", "forgotten"):
        Image.new("RGB", (64, 64), "red").save(tmp_path / f"{name}.png")
        thumbnail(tmp_path / f"{name}.png", cache, 32)
    for kept in cache.rglob("*.webp"):
        aged(kept, 61)
    thumbnail(tmp_path / "shown.png", cache, 32)
    assert len(list(leftovers(rt, time.time()))) == 1
    remove_in_background(rt).join()
    assert len(list(cache.rglob("*.webp"))) == 1


def test_folders_that_are_not_there_are_no_problem(rt):
    assert list(leftovers(rt, time.time())) == []
