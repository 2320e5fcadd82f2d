"""What must not matter: the batch, previews, earlier jobs; and what must stay: the weights."""
import hashlib
import random

import numpy as np
import pytest
import torch
from PIL import Image

from modules import txt2img
from modules.generation.noise import NoiseSource

REQUEST = {"prompt": "a red cube", "negative_prompt": "blurry", "steps": 4, "width": 64, "height": 64, "seed": 5,
           "sampler_name": "Euler a", "do_not_save_grid": True}
SHOWN = {"live_previews_enable": True, "show_progress_every_n_steps": 1, "show_progress_type": "Full"}
HIDDEN = {"live_previews_enable": False}


def done(runtime, **changes):
    """The finished job of a small request."""
    job = txt2img.submit(runtime, {**REQUEST, **changes}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return job


def pictures(job) -> list[np.ndarray]:
    return [np.asarray(Image.open(image["path"]).convert("RGB")).astype(int) for image in job.result["images"]]


@pytest.fixture
def noise(monkeypatch) -> list[torch.Tensor]:
    """All that every run starts from, and asks for later."""
    drawn: list[torch.Tensor] = []
    for name in ("first", "next"):
        original = getattr(NoiseSource, name)
        monkeypatch.setattr(NoiseSource, name, lambda self, original=original: drawn.append(original(self)) or drawn[-1])
    return drawn


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M SDE", "DDIM"])
def test_a_picture_is_the_same_alone_and_in_any_batch(runtime, noise, sampler):
    batch = pictures(done(runtime, sampler_name=sampler, n_iter=2, batch_size=3))
    of_batch = noise[len(noise) // 2:]  # of the second batch
    del noise[:]
    alone = pictures(done(runtime, sampler_name=sampler, seed=REQUEST["seed"] + 4))[0]
    assert len(noise) == len(of_batch)
    assert all(torch.equal(both[1], single[0]) for both, single in zip(of_batch, noise, strict=True))
    difference = np.abs(batch[4] - alone)
    assert difference.max() <= 1 and (difference > 0).mean() <= 0.005


def test_a_job_made_twice_gives_the_same_pixels(runtime):
    first = done(runtime, batch_size=2)
    done(runtime, prompt="something else", seed=99, steps=2)
    assert all(map(np.array_equal, pictures(first), pictures(done(runtime, batch_size=2))))


def test_previews_do_not_change_the_picture(runtime):
    seen = []
    runtime.state.step_done = lambda latent=None, original=runtime.state.step_done: seen.append(latent is not None) or original(latent)
    shown, hidden = done(runtime, override_settings=SHOWN), done(runtime, override_settings=HIDDEN)
    assert seen == [True] * 4 + [False] * 4
    assert np.array_equal(pictures(shown)[0], pictures(hidden)[0])


@pytest.fixture
def unet_rows(runtime) -> list[int]:
    """How many rows each call of the U-Net has."""
    rows: list[int] = []
    done(runtime, steps=1)
    runtime.models.current.model.diffusion_model.register_forward_hook(lambda module, args, out: rows.append(len(out)))
    return rows


@pytest.mark.parametrize("sampler, calls", [("Euler a", 4), ("DPM++ 2M", 4), ("Heun", 7), ("DDIM", 3)])
def test_at_scale_1_a_step_costs_one_evaluation(runtime, unet_rows, sampler, calls):
    done(runtime, cfg_scale=1, sampler_name=sampler)
    assert unet_rows == [1] * calls
    done(runtime, cfg_scale=2, sampler_name=sampler)
    assert sum(unet_rows[calls:]) == 2 * calls


def digests(model) -> dict[str, str]:
    return {name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest() for name, tensor in model.state_dict().items()}


def random_changes(draw: random.Random) -> dict:
    """A request with any of the things that touch a model."""
    changes: dict = {"seed": draw.randrange(1000), "steps": draw.randint(2, 3), "tiling": draw.random() < 0.3,
                     "sampler_name": draw.choice(["Euler a", "DDIM", "DPM++ 2M SDE", "Heun"]),
                     "prompt": draw.choice(["a cube", "a cube <lora:tinylora:1>", "tinyemb <lora:tinylora:0.5:0.2> AND a ball"]),
                     "override_settings": draw.choice([{}, {"token_merging_ratio": 0.5}, {"CLIP_stop_at_last_layers": 2}])}
    if draw.random() < 0.5:
        changes |= {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": draw.choice(["Latent", "Lanczos"]),
                    "denoising_strength": 0.5, "hr_prompt": draw.choice(["", "a ball <lora:tinylora:-1>"]),
                    "hr_checkpoint_name": draw.choice(["", "tiny-sd1-s2"])}
    if draw.random() < 0.4:
        changes |= {"refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5}
    return changes


def test_weights_are_the_same_bytes_after_many_jobs_stopped_anywhere(runtime):
    runtime.models.keep = 2
    models = [runtime.models.ensure(runtime.checkpoints.find(name)) for name in ("tiny-sd1-s2", "tiny-sd1-s1")]
    before = [digests(model) for model in models]
    draw, calls = random.Random(1), [0]

    def stop_sometimes(module, args, out) -> None:
        calls[0] += 1
        if calls[0] == stop_at:
            draw.choice([runtime.state.skip, runtime.state.interrupt])()

    for model in models:
        model.model.diffusion_model.register_forward_hook(stop_sometimes)
    ends = []
    for _ in range(20):
        stop_at, calls[0] = draw.choice([0, 0, 1, 2, 4]), 0
        job = txt2img.submit(runtime, {**REQUEST, **random_changes(draw)}, api=True)
        assert job.wait(60)
        ends.append(job.status)
        assert job.status != "failed", (job.error, job.request)
    assert set(ends) == {"done", "interrupted"}
    assert [digests(model) for model in models] == before
    assert all(layer.padding_mode == "zeros" for model in models for layer in model.modules() if isinstance(layer, torch.nn.Conv2d))
    assert not any(getattr(module, "merging_ratio", 0) for model in models for module in model.modules())
