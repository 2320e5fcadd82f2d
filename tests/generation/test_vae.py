"""The SD VAE setting in jobs."""
import hashlib

import numpy as np
import pytest
import tiny_model
from PIL import Image
from safetensors.torch import load_file, save_file

from modules import txt2img
from modules.errors import NotFound

REQUEST = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 5}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


def picture(runtime, **overrides):
    job = txt2img.submit(runtime, {**REQUEST, "override_settings": overrides})
    assert job.wait(60) and job.status == "done", job.error
    image = job.result["images"][0]
    return np.asarray(Image.open(image["path"])), image["infotext"]


def test_a_vae_file_makes_the_picture_is_named_in_it_and_leaves_the_checkpoint_as_it_was(runtime):
    weights = {name: tensor for name, tensor in load_file(tiny_model.tiny_checkpoint(2)).items() if name.startswith("first_stage_model.")}
    file = runtime.folders.vae / "other.safetensors"
    save_file({name.removeprefix("first_stage_model."): tensor for name, tensor in weights.items()}, file)
    own, text = picture(runtime)
    assert "VAE" not in text
    other, text = picture(runtime, sd_vae="Other")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
    assert f"VAE hash: {digest}, VAE: other.safetensors" in text and not np.array_equal(own, other)
    again, text = picture(runtime)
    assert np.array_equal(own, again) and "VAE" not in text
    with pytest.raises(NotFound, match=r"other\.safetensors"):
        txt2img.submit(runtime, {**REQUEST, "override_settings": {"sd_vae": "nobody"}})


def test_a_vae_file_that_does_not_fit_is_said_and_the_checkpoint_keeps_its_own(runtime):
    (runtime.folders.vae / "broken.safetensors").write_bytes(b"no weights")
    own, _ = picture(runtime)
    shown, text = picture(runtime, sd_vae="broken.safetensors")
    assert np.array_equal(own, shown) and "VAE" not in text
    assert any("broken.safetensors" in notice for notice in runtime.models.notices)
