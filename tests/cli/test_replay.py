"""python webui.py replay FILE...: what it prints and how it ends."""
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runtime_parts import running

import webui
from modules import txt2img
from modules.imaging.encode import png_bytes

REQUEST = {"prompt": "a red cube", "steps": 2, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler", "do_not_save_grid": True}


@pytest.fixture
def picture(tiny_data_dir) -> Path:
    """A picture that an earlier run of the program saved."""
    with running(tiny_data_dir) as rt:
        job = txt2img.submit(rt, REQUEST)
        assert job.wait(60) and job.status == "done", job.error
        return Path(job.result["images"][0]["path"])


def test_it_says_identical_for_a_picture_that_comes_back(picture, tiny_data_dir, capsys):
    assert webui.main(["replay", str(picture), "--data-dir", str(tiny_data_dir)]) == 0
    assert capsys.readouterr().out == f"{picture}: The picture was made again, identical in every pixel.\n"


def test_it_ends_with_1_for_another_picture_and_with_2_for_none(picture, tiny_data_dir, capsys):
    other = picture.with_name("other.png")
    other.write_bytes(png_bytes(Image.fromarray(255 - np.asarray(Image.open(picture))), Image.open(picture).info["parameters"]))
    arguments = ["replay", str(picture), str(other), "--data-dir", str(tiny_data_dir)]
    assert webui.main(arguments) == 1
    assert f"{other}: The picture made again is another one" in capsys.readouterr().out
    assert webui.main([*arguments, str(picture.with_name("missing.png"))]) == 2
    assert "missing.png cannot be read" in capsys.readouterr().out


def test_the_answer_can_be_json(picture, tiny_data_dir, capsys):
    words = ["replay", "--json", str(picture), str(picture.with_name("missing.png")), "--data-dir", str(tiny_data_dir)]
    assert webui.main(words) == 2
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["file"] == str(picture) and first["verdict"] == "identical" and first["max_difference"] == 0
    assert second["verdict"] == "impossible" and "missing.png" in second["why"][0]
