"""Jobs with networks of other families than SD1: from the request to the file and its infotext."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_families import SMALL, write_small

from modules import txt2img
from modules.generation.image_conditioning import depth_map
from modules.imaging import infotext

REQUEST = {"prompt": "a red cube", "negative_prompt": "", "steps": 2, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler",
           "do_not_save_grid": True}
HIRES = {"enable_hr": True, "hr_upscaler": "Latent", "hr_scale": 1.5, "denoising_strength": 0.6, "hr_second_pass_steps": 2}


@pytest.fixture
def family(runtime):
    """family(architecture, name) -> the settings of a request that choose a small checkpoint of this kind."""
    def chosen(architecture, name):
        write_small(runtime.folders.checkpoints / f"{name}.safetensors", architecture)
        runtime.checkpoints.refresh()
        return {"sd_model_checkpoint": name}
    return chosen


def made(runtime, settings, **changes):
    """The finished job of a small request."""
    job = txt2img.submit(runtime, {**REQUEST, **changes, "override_settings": settings}, api=True)
    assert job.wait(120) and job.status == "done", job.error
    return job


def pixels(job) -> np.ndarray:
    return np.asarray(Image.open(job.result["images"][0]["path"]).convert("RGB")).astype(int)


def fields(job) -> dict:
    return infotext.parse(job.result["images"][0]["infotext"])


@pytest.mark.parametrize("name", ["sd2", "sdxl"])
def test_a_picture_is_made_and_its_infotext_names_the_model(runtime, family, name):
    job = made(runtime, family(SMALL[name], f"small-{name}"))
    known = fields(job)
    assert pixels(job).shape == (64, 64, 3) and pixels(job).std() > 1
    assert (known["Model"], known["Size-1"], known["Size-2"], known["Sampler"]) == (f"small-{name}", "64", "64", "Euler")
    assert known["Model hash"] == runtime.models.current.checkpoint.short_hash


def test_with_sdxl_prompts_negative_prompts_edits_and_parts_count(runtime, family):
    settings = family(SMALL["sdxl"], "small-sdxl")
    prompts = [{}, {"prompt": "a blue ball"}, {"negative_prompt": "blurred"}, {"prompt": "a red [cube:ball:0.5]"},
               {"prompt": "a red cube AND a blue ball :0.7"}, {"prompt": "a (red:1.4) cube"}, {"cfg_scale": 3.0}]
    pictures = [pixels(made(runtime, settings, steps=4, **changes)) for changes in prompts]
    assert not [changes for changes, picture in zip(prompts[1:], pictures[1:]) if np.array_equal(picture, pictures[0])]


def test_sdxl_is_told_the_size_and_the_crop(runtime, family):
    settings = family(SMALL["sdxl"], "small-sdxl")
    plain, cropped = made(runtime, settings), made(runtime, {**settings, "sdxl_crop_top": 256})
    assert not np.array_equal(pixels(plain), pixels(cropped))


def test_clip_skip_leaves_sdxl_as_it_is(runtime, family):
    settings = family(SMALL["sdxl"], "small-sdxl")
    plain, skipped = made(runtime, settings), made(runtime, {**settings, "CLIP_stop_at_last_layers": 2})
    assert np.array_equal(pixels(plain), pixels(skipped))


def test_a_learned_embedding_of_sdxl_counts_and_is_named(runtime, family):
    torch.manual_seed(3)
    save_file({"clip_l": torch.randn(2, 16), "clip_g": torch.randn(2, 24)}, runtime.folders.embeddings / "twofold.safetensors")
    settings = family(SMALL["sdxl"], "small-sdxl")
    plain, learned = made(runtime, settings), made(runtime, settings, prompt="twofold cube")
    assert fields(learned)["TI hashes"].startswith("twofold: ") and not np.array_equal(pixels(plain), pixels(learned))


def test_hires_fix_and_a_refiner_work_with_sdxl(runtime, family):
    settings = family(SMALL["sdxl"], "small-sdxl")
    assert pixels(made(runtime, settings, **HIRES)).shape == (96, 96, 3)
    family(SMALL["refiner"], "small-refiner")
    job = made(runtime, settings, steps=4, refiner_checkpoint="small-refiner", refiner_switch_at=0.5)
    assert fields(job)["Refiner"].startswith("small-refiner [") and fields(job)["Refiner switch at"] == "0.5"
    assert not np.array_equal(pixels(job), pixels(made(runtime, settings, steps=4)))


def test_the_setting_overrides_what_the_network_is_taken_for(runtime, family):
    settings = family(replace(SMALL["sd2"], parameterization="v"), "small-v")
    automatic, as_v = made(runtime, settings), made(runtime, {**settings, "prediction_type": "V"})
    as_eps = made(runtime, {**settings, "prediction_type": "Epsilon"})
    assert np.array_equal(pixels(automatic), pixels(as_v)) and not np.array_equal(pixels(automatic), pixels(as_eps))
    assert fields(as_eps)["Prediction type"] == "Epsilon" and "Prediction type" not in fields(automatic)
    assert runtime.models.current.parameterization == "v"


def test_a_latent_consistency_model_is_told_the_scale_and_asked_once_a_step(runtime, family):
    built = replace(SMALL["sd1"], unet=replace(SMALL["sd1"].unet, guidance_dim=8))
    settings = family(built, "small-lcm")
    rows = []
    first = made(runtime, settings, sampler_name="LCM", steps=4, cfg_scale=2.0)
    unet = runtime.models.current.model.diffusion_model
    unet.register_forward_hook(lambda module, args, out: rows.append(len(out)))
    other = made(runtime, settings, sampler_name="LCM", steps=4, cfg_scale=8.0)
    assert rows == [1] * 4 and not np.array_equal(pixels(first), pixels(other))


@pytest.mark.parametrize("name, channels", [("sdxl", 9), ("sdxl", 8), ("sd2", 9)])
def test_networks_that_see_a_picture_make_one_from_text_alone_too(runtime, family, name, channels):
    settings = family(replace(SMALL[name], unet=replace(SMALL[name].unet, in_channels=channels)), "small-extra")
    assert pixels(made(runtime, settings)).std() > 1


def test_a_turbo_model_makes_a_picture_in_one_step_asked_once(runtime, family):
    settings = family(SMALL["sdxl"], "small-turbo")
    made(runtime, settings)
    rows = []
    runtime.models.current.model.diffusion_model.register_forward_hook(lambda module, args, out: rows.append(len(out)))
    made(runtime, settings, steps=1, cfg_scale=1.0, sampler_name="Euler a")
    assert rows == [1]


def test_a_file_marked_as_ending_without_signal_is_sampled_so(runtime, family):
    settings = family(replace(SMALL["sdxl"], parameterization="v"), "small-v")
    plain = runtime.folders.checkpoints / "small-v.safetensors"
    with safe_open(plain, "pt") as file:
        save_file({**load_file(plain), "ztsnr": torch.zeros(0)}, plain.with_name("small-zsnr.safetensors"), file.metadata())
    runtime.checkpoints.refresh()
    marked = made(runtime, {"sd_model_checkpoint": "small-zsnr"})
    chosen = made(runtime, {**settings, "sd_noise_schedule": "Zero Terminal SNR"})
    assert np.array_equal(pixels(marked), pixels(chosen)) and not np.array_equal(pixels(marked), pixels(made(runtime, settings)))


def test_a_depth_model_without_a_depth_map_says_so(runtime, family):
    settings = family(replace(SMALL["sd2"], unet=replace(SMALL["sd2"].unet, in_channels=5)), "small-depth")
    job = made(runtime, settings)
    assert pixels(job).shape == (64, 64, 3) and any("depth map" in note for note in job.result["notes"])


def test_a_depth_map_is_brought_to_the_latent_and_spread_from_far_to_near():
    picture = Image.fromarray(np.tile(np.linspace(40, 200, 64, dtype=np.uint8), (32, 1)))
    depth = depth_map(picture, (4, 8))
    assert depth.shape == (1, 1, 4, 8) and (depth.min(), depth.max()) == (-1, 1) and (depth.diff(dim=3) > 0).all()
