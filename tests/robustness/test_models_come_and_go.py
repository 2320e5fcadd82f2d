"""Changing checkpoints costs no memory, and a model that is let go of is collected."""
import gc
import itertools
import weakref

import numpy as np
import psutil
import pytest

from modules import txt2img

REQUEST = {"prompt": "a cube", "steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "do_not_save_grid": True}
NAMES = ("tiny-sd1-s1", "tiny-sd1-s2")


def changes(runtime, count: int) -> list[float]:
    """Make a picture with one checkpoint after the other; the megabytes in use after each, and none but the last model is left."""
    used, models = [], []
    for name in itertools.islice(itertools.cycle(NAMES), count):
        job = txt2img.submit(runtime, {**REQUEST, "override_settings": {"sd_model_checkpoint": name}}, api=True)
        assert job.wait(60) and job.status == "done", job.error
        models.append(weakref.ref(runtime.models.current))
        runtime.hardware.gc()
        used.append(psutil.Process().memory_info().rss / 2**20)
    gc.collect()
    assert [model() is not None for model in models] == [False] * (count - 1) + [True]
    return used


def test_models_that_are_let_go_of_are_collected(runtime):
    changes(runtime, 3)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_thirty_changes_of_the_checkpoint_take_no_memory(runtime):
    changes(runtime, 6)
    used = changes(runtime, 30)
    assert np.polyfit(range(len(used)), used, 1)[0] <= 1.0, used
