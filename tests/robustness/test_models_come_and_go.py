"""Changing checkpoints costs no memory, and a model that is let go of is collected."""
import gc
import itertools
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from small_families import SMALL, write_small

from modules import txt2img

REQUEST = {"prompt": "a cube", "steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "do_not_save_grid": True}
NAMES = ("tiny-sd1-s1", "tiny-sd1-s2")
# Loads models by turns in a process of its own; prints the most bytes in use during each change.
SWITCHING = """
import itertools, pathlib, re, sys
from modules.checkpoints.files import CheckpointList
from modules.checkpoints.manager import ModelManager
from modules.hardware import Hardware, HardwareOptions

folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
manager = ModelManager(CheckpointList([folder], cache=folder / "hashes.json"), Hardware.detect(HardwareOptions(use_cpu=("all",))))
for number, info in zip(range(count + 1), itertools.cycle(list(manager.checkpoints))):
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the most begins anew
    manager.ensure(info)
    if number:
        print(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


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


def peaks(folder: Path, width: int, count: int) -> list[int]:
    """The most kilobytes in use during each of `count` changes between three models; `width` decides how large they are."""
    row = SMALL["sd1"]
    for seed in (1, 2, 3):
        write_small(folder / f"model{seed}.safetensors", replace(row, unet=replace(row.unet, model_channels=width)), seed)
    run = subprocess.run([sys.executable, "-c", SWITCHING, str(folder), str(count)], capture_output=True, text=True, check=True,
                         cwd=Path(__file__).parents[2])
    return [int(line) for line in run.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="the most memory in use can be counted anew on Linux alone")
@pytest.mark.parametrize("width, count", [(128, 10), pytest.param(512, 20, marks=pytest.mark.long)])
def test_the_last_changes_between_three_models_take_no_more_memory_than_the_first(tmp_path, width, count):
    used = peaks(tmp_path, width, count)
    assert len(used) == count and max(used[-5:]) <= 1.03 * max(used[:5]), used


@pytest.mark.long
@pytest.mark.timeout(900)
def test_thirty_changes_of_the_checkpoint_take_no_memory(runtime):
    changes(runtime, 6)
    used = changes(runtime, 30)
    assert np.polyfit(range(len(used)), used, 1)[0] <= 1.0, used
