"""Tiling, token merging and further settings of a run: what they change, what they leave, and how they are written down."""
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from modules import txt2img
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.imaging import infotext

REQUEST = {"prompt": "a red cube", "steps": 2, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler", "do_not_save_grid": True}
HIRES = {"enable_hr": True, "hr_upscaler": "Latent", "hr_scale": 2.0, "denoising_strength": 0.6}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


def made(runtime, **changes):
    """The finished job of a small request."""
    job = txt2img.submit(runtime, {**REQUEST, **changes}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return job


def pixels(job, index: int = 0) -> np.ndarray:
    return np.asarray(Image.open(job.result["images"][index]["path"]).convert("RGB")).astype(int)


def fields(job) -> dict:
    return infotext.parse(job.result["images"][0]["infotext"])


@contextmanager
def counted_texts(model):
    """How many rows the text network sees."""
    rows: list[int] = []
    handle = model.cond_stage_model.transformer.register_forward_hook(lambda module, args, out: rows.append(len(out)))
    yield rows
    handle.remove()


@pytest.mark.parametrize("changes, key, value", [
    ({"tiling": True}, "Tiling", "True"),
    ({"override_settings": {"tiling": True}}, "Tiling", "True"),
    ({"width": 128, "height": 128, "override_settings": {"token_merging_ratio": 0.4}}, "Token merging ratio", "0.4"),
    ({**HIRES, "override_settings": {"token_merging_ratio_hr": 0.5}}, "Token merging ratio hr", "0.5"),
    ({**HIRES, "override_settings": {"img2img_extra_noise": 0.2}}, "Extra noise", "0.2"),
    ({"prompt": "word " * 100, "override_settings": {"pad_cond_uncond_v0": True}}, "Pad conds v0", "True")])
def test_it_changes_the_picture_stands_in_the_infotext_and_is_gone_afterwards(runtime, changes, key, value):
    plain = {name: v for name, v in changes.items() if name not in ("tiling", "override_settings")}
    before, other, after = made(runtime, **plain), made(runtime, **changes), made(runtime, **plain)
    assert np.array_equal(pixels(before), pixels(after))
    assert np.abs(pixels(before) - pixels(other)).max() > 2
    assert fields(other)[key] == value and key not in fields(before)


def test_a_request_may_switch_off_tiling(runtime):
    job = made(runtime, tiling=False, override_settings={"tiling": True})
    assert "Tiling" not in fields(job) and np.array_equal(pixels(job), pixels(made(runtime)))


def test_edges_of_a_tiled_picture_fit_together(runtime):
    def seam(job) -> float:
        picture = pixels(job)
        return np.abs(picture[:, 0] - picture[:, -1]).mean() / np.abs(np.diff(picture, axis=1)).mean()
    changes = {"width": 128, "steps": 6}
    assert seam(made(runtime, tiling=True, **changes)) < seam(made(runtime, **changes))


def test_extra_noise_is_not_written_for_a_picture_of_one_pass(runtime):
    assert "Extra noise" not in fields(made(runtime, override_settings={"img2img_extra_noise": 0.2}))


def test_a_text_is_encoded_once_for_many_jobs(runtime):
    made(runtime)
    with counted_texts(runtime.models.current) as rows:
        made(runtime, seed=9)
        assert rows == []
        made(runtime, override_settings={"CLIP_stop_at_last_layers": 2})
        assert sum(rows) == 2
        made(runtime, override_settings={"persistent_cond_cache": False})
        assert sum(rows) == 4


def test_a_lora_does_not_answer_from_texts_encoded_without_it(runtime):
    plain = made(runtime)
    changed = made(runtime, prompt="a red cube<lora:tinylora:1>")
    fresh = made(runtime, prompt="a red cube<lora:tinylora:1>", override_settings={"persistent_cond_cache": False})
    assert np.array_equal(pixels(changed), pixels(fresh)) and not np.array_equal(pixels(changed), pixels(plain))


def test_an_embedding_that_arrives_between_two_jobs_is_used(runtime):
    folder = runtime.folders.embeddings
    content = (folder / "tinyemb.safetensors").read_bytes()
    before = made(runtime, prompt="newword")
    (folder / "newword.safetensors").write_bytes(content)
    after = made(runtime, prompt="newword")
    assert "TI hashes" not in fields(before) and fields(after)["TI hashes"].startswith("newword: ")
    assert not np.array_equal(pixels(before), pixels(after))


def test_the_first_pass_is_kept_beside_the_second(runtime):
    job = made(runtime, **HIRES, override_settings={"save_images_before_highres_fix": True})
    saved = sorted(runtime.folders.outputs.rglob("*-before-highres-fix.png"))
    assert len(job.result["images"]) == 1 and len(saved) == 1
    assert Image.open(saved[0]).size == (64, 64) and np.array_equal(np.asarray(Image.open(saved[0])), pixels(made(runtime)))


def test_in_the_first_form_of_hires_fix_the_size_is_that_of_the_second_pass(runtime):
    p = StableDiffusionProcessingTxt2Img(**HIRES, width=768, height=512, sampler_name="Euler")
    p.sd_model = runtime.models.ensure(runtime.chosen_checkpoint())
    with runtime.settings.overriding({"use_old_hires_fix_width_height": True}):
        p.init([""], [1], [1])
        p.init([""], [1], [1])
    assert (p.width, p.height) == (640, 448) and (p.hr_upscale_to_x, p.hr_upscale_to_y) == (768, 512)


def test_the_second_pass_may_have_networks_of_its_own(runtime):
    plain = made(runtime, **HIRES)
    own = made(runtime, **HIRES, hr_prompt="a red cube<lora:tinylora:1>")
    assert not np.array_equal(pixels(plain), pixels(own)) and fields(own)["Lora hashes"].startswith("tinylora: ")
    assert np.array_equal(pixels(made(runtime, **HIRES)), pixels(plain))


def test_conditions_of_the_first_pass_can_serve_the_second(runtime):
    request = {**HIRES, "hr_checkpoint_name": "tiny-sd1-s2"}
    own, first = made(runtime, **request), made(runtime, **request, override_settings={"hires_fix_use_firstpass_conds": True})
    assert not np.array_equal(pixels(own), pixels(first))
