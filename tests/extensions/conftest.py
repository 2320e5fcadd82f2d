"""A running program with the fixture extension installed."""
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tiny_model
from runtime_parts import running

FIXTURE = Path(__file__).parent / "fixture_extension"


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One program for all tests of a file."""
    data_dir = tiny_model.make_data_dir(tmp_path_factory.mktemp("extensions") / "data")
    shutil.copytree(FIXTURE, data_dir / "extensions" / "fixture")
    with running(data_dir, "--api") as rt:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt


@pytest.fixture
def recorder(rt: Any) -> ModuleType:
    """The module of the fixture's script with nothing recorded and nobody failing."""
    module = sys.modules["recorder.py"]
    module.EVENTS.clear()
    module.FAILING.clear()
    module.WISHES.clear()
    return module


@pytest.fixture
def made(rt: Any):
    """made(**values) -> the finished job of a tiny txt2img request; `status` is what it has to end with."""
    from modules import txt2img

    def make(*, status: str = "done", **values: Any):
        request = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "do_not_save_grid": True}
        job = txt2img.submit(rt, request | values)
        assert job.wait(120)
        assert job.status == status, (job.status, job.error)
        return job
    return make
