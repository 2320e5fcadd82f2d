"""Whole pictures equal the reference's, within the tolerance that a second run of the reference needs (goldens/README)."""
import json
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from PIL import Image
from runtime_parts import running

from modules import txt2img

IMAGES = Path(__file__).parent.parent / "goldens" / "images"
INDEX = json.loads((IMAGES / "index.json").read_text())
CASES = [name for name, case in INDEX.items() if name.startswith(("t_", "h_")) and "error" not in case]
LOOSE = {"t_sampler_DPM_adaptive": 4.0}


@pytest.fixture(scope="module")
def tiny_program(tmp_path_factory):
    """One running program for all cases: what came before must not matter."""
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("golden") / "data")) as rt:
        yield rt


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.parametrize("name", CASES)
def test_picture_equals_the_reference(tiny_program, name):
    case = INDEX[name]
    job = txt2img.submit(tiny_program, {**case["request"], "do_not_save_samples": True, "do_not_save_grid": True}, api=True)
    assert job.wait(120)
    assert job.status == "done", job.error
    made = [pixels(image["path"]) for image in job.result["images"]]
    expected = [pixels(IMAGES / image["file"]) for image in case["images"]]
    assert len(made) == len(expected)
    for got, want in zip(made, expected, strict=True):
        assert got.shape == want.shape
        difference = np.abs(got - want)
        assert difference.max() <= 2 and (difference > 0).mean() <= 0.02, f"max {difference.max()}, {(difference > 0).mean():.2%} differ"
