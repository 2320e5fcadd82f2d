"""What settings do to finished pictures, in jobs on the tiny checkpoint."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules import txt2img
from modules.imaging.infotext import read_fields
from modules.imaging.watermark import watermark_in_file

REQUEST = {"prompt": "a red cube", "steps": 1, "width": 256, "height": 256, "seed": 5, "sampler_name": "Euler", "do_not_save_grid": True}


def made(runtime, settings=None, **changes):
    job = txt2img.submit(runtime, {**REQUEST, **changes, "override_settings": settings or {}}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return job.result


def content(result) -> bytes:
    return Path(result["images"][0]["path"]).read_bytes()


def test_a_watermark_is_added_and_named_in_the_infotext_only_when_the_setting_is_on(runtime):
    marked = made(runtime, {"invisible_watermark": True, "invisible_watermark_text": "of Easel"})
    assert watermark_in_file(content(marked)) == "of Easel"
    assert read_fields(marked["images"][0]["infotext"])["Invisible watermark"] == "of Easel"
    plain = made(runtime)
    assert watermark_in_file(content(plain)) == "" and "watermark" not in plain["images"][0]["infotext"]


@pytest.mark.parametrize("changes, settings, words", [
    ({"width": 64, "height": 64}, {}, "64x64 pixels"), ({}, {"invisible_watermark_text": "ab"}, "4 to 32")], ids=["small", "text"])
def test_where_none_can_be_written_the_picture_stays_and_a_note_says_so(runtime, changes, settings, words):
    plain, result = made(runtime, **changes), made(runtime, {"invisible_watermark": True, **settings}, **changes)
    assert any(words in note for note in result["notes"])
    assert np.array_equal(*(np.asarray(Image.open(each["images"][0]["path"])) for each in (plain, result)))
