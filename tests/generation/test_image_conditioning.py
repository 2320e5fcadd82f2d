"""Networks that see a picture beside their latent: inpainting models, and instruction models with a second scale."""
import os
import runpy
import shutil

import numpy as np
import pytest
import tiny_model
import torch
from PIL import Image
from runtime_parts import running
from safetensors.numpy import save_file

from modules import img2img, txt2img
from modules.generation import image_conditioning

REQUEST = {"prompt": "make it snow", "steps": 3, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "denoising_strength": 0.8,
           "init_images": [tiny_model.GOLDENS / "images" / "in" / "init_64x64.png"]}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    """A program with an inpainting model and one with 8 input channels."""
    data = tiny_model.make_data_dir(tmp_path_factory.mktemp("conditioning") / "data", seeds=(1, 3))
    folder = data / "models" / "Stable-diffusion"
    tensors = runpy.run_path(str(tiny_model.GENERATOR))["build"](7, in_channels=8)
    save_file({key: np.ascontiguousarray(value) for key, value in sorted(tensors.items())}, folder / "tiny-instruct.safetensors")
    shutil.copyfile(tiny_model.TINY / "tiny-sd1.yaml", folder / "tiny-instruct.yaml")
    assert os.path.exists(folder / "tiny-sd1-inpainting.safetensors")
    with running(data) as rt:
        yield rt


def made(rt, model: str, submit=img2img.submit, **values) -> tuple[np.ndarray, str]:
    """Pixels and infotext of the picture of a job."""
    job = submit(rt, {**REQUEST, **values, "override_settings": {"sd_model_checkpoint": model}})
    assert job.wait(60) and job.status == "done", job.error
    [image] = job.result["images"]
    return np.asarray(Image.open(image["path"])).astype(int), image["infotext"]


def test_the_second_scale_of_an_instruction_model_counts_and_is_told(rt):
    weak, text = made(rt, "tiny-instruct", image_cfg_scale=1.2)
    strong, _ = made(rt, "tiny-instruct", image_cfg_scale=2.5)
    assert np.abs(weak - strong).max() > 2 and "Image CFG scale: 1.2" in text


def test_other_models_do_not_know_the_second_scale(rt):
    weak, text = made(rt, "tiny-sd1-s1", image_cfg_scale=1.2)
    assert np.array_equal(weak, made(rt, "tiny-sd1-s1", image_cfg_scale=2.5)[0]) and "Image CFG" not in text


@pytest.mark.parametrize("model", ["tiny-instruct", "tiny-sd1-inpainting"])
def test_they_make_pictures_from_text_alone_too(rt, model):
    pixels, _ = made(rt, model, submit=txt2img.submit)
    assert pixels.shape == (64, 64, 3)


@pytest.mark.parametrize("mode", range(4))
def test_the_condition_has_the_size_of_the_latent_in_every_resize_mode(rt, mode):
    picture, mask = Image.new("RGB", (70, 130), "blue"), Image.new("L", (70, 130), 255)
    assert made(rt, "tiny-sd1-inpainting", init_images=[picture], mask=mask, resize_mode=mode)[0].shape == (64, 64, 3)


def test_the_hole_is_as_deep_as_the_setting_says(rt):
    made(rt, "tiny-sd1-inpainting")
    with rt.queue.turn, torch.inference_mode():
        model = rt.models.current
        pixels, hole = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
        closed = image_conditioning.of_picture(model, pixels, (8, 8), hole, 0.0)
        opened = image_conditioning.of_picture(model, pixels, (8, 8), hole, 1.0)
        grey = image_conditioning.without_picture(model, 64, 64)
        plain = model.encode_first_stage(pixels * 2 - 1).mean
    assert torch.allclose(opened, grey, atol=1e-5) and torch.allclose(closed[:, 1:], plain, atol=1e-5) and (closed[:, :1] == 1).all()
