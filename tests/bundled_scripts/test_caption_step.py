"""The step Caption of Extras: a text file beside each picture, and the names that extensions know."""
from pathlib import Path

import pytest
from PIL import Image

from modules import postprocessing
from modules.imaging.tag_text import tag_text
from modules.postprocessing import ExtrasRequest


@pytest.fixture
def seeing(runtime, monkeypatch):
    """Networks that see the same in every picture."""
    monkeypatch.setattr(runtime.interrogator, "caption", lambda image, options: "a red cube")
    monkeypatch.setattr(runtime.interrogator, "described", lambda image, options: ("a red cube, by Ann", []))
    monkeypatch.setattr(runtime.interrogator, "tags", lambda image, name, options: tag_text({"red_cube": 0.9, "dark": 0.1}, options))


def captioned(runtime, tmp_path, option) -> str:
    Image.new("RGB", (16, 16), "red").save(tmp_path / "picture.png")
    job = postprocessing.submit(runtime, ExtrasRequest(input_dir=str(tmp_path), steps={"Caption": {"enable": True, "option": option}}))
    assert job.wait(60) and job.status == "done", job.error
    return Path(job.result["images"][0]["path"]).with_suffix(".txt").read_text("utf-8").strip()


@pytest.mark.parametrize("option, text", [
    (["Deepbooru"], "red cube"), (["BLIP"], "a red cube"), (["Deepbooru", "BLIP"], "red cube, a red cube"), ("BLIP", "a red cube"),
], ids=str)
def test_what_is_chosen_is_written_beside_the_picture(runtime, seeing, tmp_path, option, text):
    assert captioned(runtime, tmp_path, option) == text


def test_extensions_find_captions_and_tags_under_the_names_that_they_know(runtime, seeing):
    from modules import deepbooru, shared

    picture = Image.new("RGB", (8, 8))
    assert shared.interrogator.interrogate(picture) == "a red cube, by Ann"
    assert shared.interrogator.generate_caption(picture) == "a red cube"
    assert deepbooru.model.tag(picture) == "red cube" and deepbooru.re_special.sub(r"\\\1", "a(b)") == r"a\(b\)"
