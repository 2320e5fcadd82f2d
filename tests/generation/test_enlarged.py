"""Hires fix on a finished picture: its parameters and seed, the second pass of the form."""
from pathlib import Path

import pytest
from PIL import Image

from modules import txt2img
from modules.errors import RequestError, UserError
from modules.generation import enlarged, hires
from modules.generation.replay import replay

REQUEST = {"prompt": "a red cube", "steps": 2, "width": 64, "height": 72, "seed": 5, "sampler_name": "Euler", "cfg_scale": 3}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


@pytest.fixture
def picture(runtime) -> tuple[Path, str]:
    runtime.settings.set("sd_model_checkpoint", runtime.checkpoints.find("tiny-sd1-s1").title)
    return first_of(txt2img.submit(runtime, REQUEST))


def first_of(job) -> tuple[Path, str]:
    assert job.wait(60) and job.status == "done", job.error
    image = job.result["images"][0]
    return Path(image["path"]), image["infotext"]


def test_the_picture_becomes_larger_with_its_own_parameters(runtime, picture):
    path, text = first_of(enlarged.submit(runtime, *picture, {"hr_scale": 2, "hr_upscaler": "Lanczos", "denoising_strength": 0.5}))
    assert Image.open(path).size == (128, 144)
    for part in ("a red cube\n", "Seed: 5", "CFG scale: 3", "Size: 64x72", "Hires upscaler: Lanczos", "Denoising strength: 0.5"):
        assert part in text


@pytest.mark.parametrize("upscaler", ["Latent", "Lanczos"])
def test_it_depends_on_the_picture_and_on_nothing_else(runtime, picture, upscaler):
    def enlarged_pixels():
        path, _ = first_of(enlarged.submit(runtime, *picture, {"hr_scale": 2, "hr_upscaler": upscaler, "denoising_strength": 0}))
        return Image.open(path).tobytes()

    first = enlarged_pixels()
    assert enlarged_pixels() == first
    Image.new("RGB", (64, 72), "red").save(picture[0])
    assert enlarged_pixels() != first


@pytest.mark.parametrize("upscaler, size", [("Latent", (64, 72)), ("Lanczos", (128, 144))])
def test_the_picture_is_encoded_once_at_the_size_that_is_needed(runtime, picture, monkeypatch, upscaler, size):
    encode, encoded = hires.encoded, []
    monkeypatch.setattr(hires, "encoded", lambda model, given: encoded.append(given.size) or encode(model, given))
    first_of(enlarged.submit(runtime, *picture, {"hr_scale": 2, "hr_upscaler": upscaler, "denoising_strength": 0.5}))
    assert encoded == [size]


def test_its_replay_says_that_it_was_made_from_another_picture(runtime, picture):
    path, _ = first_of(enlarged.submit(runtime, *picture, {"hr_scale": 1.5}))
    report = replay(runtime, path)
    assert report.verdict == "impossible" and "from another picture" in report.why[0]


def test_what_cannot_be_enlarged_is_refused_with_a_sentence(runtime, picture):
    path, text = picture
    with pytest.raises(RequestError, match="how it was made"):
        enlarged.submit(runtime, path, "just words", {})
    with pytest.raises(UserError, match="cannot be read"):
        enlarged.submit(runtime, path.with_name("gone.png"), text, {})
