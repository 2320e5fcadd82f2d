"""Parameters that differ, and the picture that a job began with."""
import numpy as np
import pytest
from PIL import Image

from modules.errors import NotFound
from modules.generation.inputs import store_input
from modules.jobs.job import Job
from modules.ui.comparing import differences, placed_input

FIRST = "a fox\nNegative prompt: rain\nSteps: 20, Sampler: Euler, Seed: 1, Size: 64x64, Version: v1"


def test_only_what_differs_is_listed_and_what_the_form_takes_is_marked(runtime):
    second = FIRST.replace("fox", "dog").replace("Steps: 20", "Steps: 8").replace("64x64", "64x96").replace("Version: v1", "Version: v2")
    second += ', Easel: "{\\"batch\\":[0,1]}"'
    rows = {row["key"]: (row["first"], row["second"], row["applies"]) for row in differences(runtime, FIRST, second)}
    assert rows == {"Prompt": ("a fox", "a dog", True), "Steps": ("20", "8", True), "Size": ("64x64", "64x96", True),
                    "Version": ("v1", "v2", False)}


def test_a_parameter_that_the_second_lacks_cannot_be_applied(runtime):
    rows = differences(runtime, FIRST + ", Denoising strength: 0.5", FIRST)
    assert rows == [{"key": "Denoising strength", "first": "0.5", "second": "", "applies": False}]


def job(**request):
    return Job(id="x", kind="img2img", request=request, status="done", result={"images": [{"width": 32, "height": 32, "path": ""}]})


@pytest.mark.parametrize("mode, corner", [(0, 10), (1, 200)])
def test_the_input_is_shown_as_the_job_placed_it(runtime, mode, corner):
    picture = Image.new("RGB", (64, 32), (200, 200, 200))
    picture.paste((10, 10, 10), (0, 0, 16, 32))  # cut off by "Crop and resize"
    placed = placed_input(runtime, job(init_images=[store_input(runtime, picture)], resize_mode=mode))
    assert placed.size == (32, 32) and abs(int(np.asarray(placed)[16, 2, 0]) - corner) < 3


def test_a_picture_from_text_has_no_input(runtime):
    with pytest.raises(NotFound, match="from text alone"):
        placed_input(runtime, job())
