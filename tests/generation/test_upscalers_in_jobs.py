"""Upscalers from files wherever a picture is enlarged: hires fix, img2img and SD upscale use the same table as Extras.

The network repeats pixels, so each job has to give the picture that it gives with Nearest.
"""
import hashlib
from collections.abc import Iterator

import pytest
import tiny_model
from imaging.test_upscaler_table import pixel_doubler
from PIL import Image
from runtime_parts import running

from modules import img2img, txt2img
from modules.jobs.job import Job
from modules.runtime import Runtime

REQUEST = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tiny_model.make_data_dir(tmp_path_factory.mktemp("upscalers") / "data")
    pixel_doubler(folder / "models" / "RealESRGAN" / "2x_plain.pth")
    with running(folder) as parts:
        yield parts


def pixels(job: Job) -> str:
    assert job.wait(60) and job.status == "done", job.error
    return hashlib.sha256(Image.open(job.result["images"][0]["path"]).tobytes()).hexdigest()


def test_hires_fix_enlarges_with_the_network(rt):
    def made(upscaler: str) -> str:
        second_pass = {"enable_hr": True, "hr_scale": 2.0, "hr_upscaler": upscaler, "denoising_strength": 0.5}
        return pixels(txt2img.submit(rt, REQUEST | second_pass))

    assert made("2x_PLAIN") == made("Nearest") != made("Lanczos")


def test_img2img_enlarges_with_the_network_that_the_settings_name(rt):
    def made(upscaler: str | None) -> str:
        rt.settings.set("upscaler_for_img2img", upscaler)
        start = Image.radial_gradient("L").resize((32, 32)).convert("RGB")
        return pixels(img2img.submit(rt, REQUEST | {"init_images": [start], "denoising_strength": 0.5}))

    assert made("2x_plain") == made("Nearest") != made(None)
    rt.settings.set("upscaler_for_img2img", None)


def test_sd_upscale_enlarges_with_the_network(rt):
    def made(upscaler: str) -> str:
        scripts = {"selected": "SD upscale", "args": {"SD upscale": ["", 16, upscaler, 2.0]}}
        start = Image.radial_gradient("L").resize((64, 64)).convert("RGB")
        return pixels(img2img.submit(rt, REQUEST | {"init_images": [start], "denoising_strength": 0.3, "scripts": scripts}))

    assert made("2x_plain") == made("Nearest")
