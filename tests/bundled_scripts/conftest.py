"""A running program, and requests that a bundled script makes."""
from collections.abc import Iterator
from typing import Any

import pytest
import tiny_model
from runtime_parts import running

TINY_REQUEST = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "do_not_save_grid": True,
                "do_not_save_samples": True}


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One program for all tests of a file."""
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("scripts") / "data"), "--api") as rt:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt


@pytest.fixture
def made(rt: Any):
    """made(script, args, **values) -> the finished job; `status` is what it has to end with."""
    from modules import txt2img

    def make(script: str, args: list, *, status: str = "done", **values: Any):
        scripts = {"selected": script, "args": {script: args}}
        job = txt2img.submit(rt, TINY_REQUEST | {"scripts": scripts} | values)
        assert job.wait(120)
        assert job.status == status, (job.status, job.error)
        return job
    return make


@pytest.fixture
def made_of(rt: Any):
    """made_of(script or None, args, init_images=[...], always_on={...}, **values) -> the finished img2img job."""
    from modules import img2img

    def make(script: str | None, args: list | None, *, status: str = "done", always_on: dict | None = None, **values: Any):
        given = dict(always_on or {}) | ({script: args} if script else {})
        request = TINY_REQUEST | {"denoising_strength": 0.75} | {"scripts": {"selected": script, "args": given}}
        job = img2img.submit(rt, request | values)
        assert job.wait(120)
        assert job.status == status, (job.status, job.error)
        return job
    return make
