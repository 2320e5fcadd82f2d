"""A saved picture comes back byte for byte; where it cannot, a sentence says why."""
import json
import shutil
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from modules import img2img, txt2img
from modules.generation import provenance, replay
from modules.generation.limits import admission
from modules.imaging import infotext
from modules.imaging.encode import png_bytes

REQUEST = {"prompt": "a red cube", "negative_prompt": "blurry", "steps": 3, "width": 64, "height": 64, "seed": 5,
           "sampler_name": "Euler a", "do_not_save_grid": True}
HIRES = {"enable_hr": True, "hr_upscaler": "Lanczos", "hr_scale": 1.5, "denoising_strength": 0.6, "hr_second_pass_steps": 2}


def saved(runtime, **changes) -> list:
    """Paths of the pictures of a small request."""
    job = txt2img.submit(runtime, {**REQUEST, **changes}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return [Path(image["path"]) for image in job.result["images"]]


def rewritten(path, text: str):
    """The same pixels with another infotext."""
    path.write_bytes(png_bytes(Image.open(path).convert("RGB"), text))
    return path


def text_of(path) -> str:
    return Image.open(path).info["parameters"]


@pytest.mark.parametrize("changes", [
    {},
    {"batch_size": 2, "n_iter": 2},
    {"batch_size": 3, "subseed": 9, "subseed_strength": 0.3, "sampler_name": "DPM++ 2M SDE"},
    HIRES,
    {**HIRES, "hr_prompt": "a blue ball", "hr_cfg": 3.0, "hr_sampler_name": "DDIM"},
    {"refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5},
    {"prompt": "tinyemb, a [red:green:0.5] cube AND a ball :0.7 <lora:tinylora:0.8>", "tiling": True},
    {"prompt": " leading space\n\nNegative prompt: odd", "negative_prompt": "Steps: 5, Sampler: x, Seed: 3"},
    {"override_settings": {"randn_source": "NV", "comma_padding_backtrack": 0, "CLIP_stop_at_last_layers": 2, "eta_ancestral": 0.5}},
    {"prompt": "a {red|green|blue|small|large} cube", "batch_size": 2, "n_iter": 2}])
def test_every_picture_of_a_job_comes_back_identical(runtime, changes):
    for path in saved(runtime, **changes):
        report = replay.replay(runtime, path)
        assert report.identical and report.max_difference == 0 and report.why == [], report
        assert np.array_equal(np.asarray(Image.open(report.path)), np.asarray(Image.open(path)))


def test_settings_of_today_do_not_matter(runtime):
    path = saved(runtime)[0]
    runtime.settings.set("CLIP_stop_at_last_layers", 2)
    runtime.settings.set("comma_padding_backtrack", 3)
    runtime.settings.set("sd_model_checkpoint", "tiny-sd1-s2")
    assert replay.replay(runtime, path).identical


def test_the_new_picture_tells_the_template_too(runtime):
    path = saved(runtime, prompt="a {red|green} cube")[0]
    fields = infotext.read_fields(text_of(replay.replay(runtime, path).path))
    assert fields["Template"] == "a {red|green} cube" and "{" not in fields["Prompt"]


def test_another_checkpoint_under_the_same_name_is_told(runtime):
    path = saved(runtime)[0]
    folder = runtime.folders.checkpoints
    runtime.models.unload()
    (folder / "tiny-sd1-s1.safetensors").unlink()
    shutil.copyfile(folder / "tiny-sd1-s2.safetensors", folder / "tiny-sd1-s1.safetensors")
    report = replay.replay(runtime, path)
    assert report.verdict == "different" and report.changed_share > 0.5
    assert report.why[0] == "The checkpoint tiny-sd1-s1 is another file: its hash was cebd47c6c9, now it is ea4d79fae5."


def test_a_renamed_checkpoint_is_found_by_its_hash(runtime):
    path = saved(runtime)[0]
    folder = runtime.folders.checkpoints
    for ending in ("safetensors", "yaml"):
        (folder / f"tiny-sd1-s1.{ending}").rename(folder / f"other name.{ending}")
    runtime.checkpoints.refresh()
    for info in runtime.checkpoints:
        info.wait_for_hash()
    assert replay.replay(runtime, path).identical


@pytest.mark.parametrize("prompt, folder, name, sentence", [
    ("a cube <lora:tinylora:1>", "lora", "tinylora.safetensors", "The LoRA tinylora is not there."),
    ("a cube, tinyemb", "embeddings", "tinyemb.safetensors", "The embedding tinyemb is not there, or does not fit the checkpoint.")])
def test_a_missing_file_is_named(runtime, prompt, folder, name, sentence):
    path = saved(runtime, prompt=prompt)[0]
    (getattr(runtime.folders, folder) / name).unlink()
    report = replay.replay(runtime, path)
    assert report.verdict == "impossible" and report.why == [sentence] and report.path == ""


def test_a_missing_checkpoint_is_named(runtime):
    path = saved(runtime)[0]
    rewritten(path, text_of(path).replace("cebd47c6c9", "0123456789").replace("tiny-sd1-s1", "gone"))
    assert "The checkpoint gone [0123456789] is not there." in replay.replay(runtime, path).why


def test_another_seed_makes_it_different_and_other_programs_are_named(runtime):
    path = saved(runtime)[0]
    rewritten(path, text_of(path).replace("Seed: 5", "Seed: 6").replace("easel-0.1.0", "v1.9.4"))
    report = replay.replay(runtime, path)
    assert report.verdict == "different" and report.why == ["It was made by another program (v1.9.4)."]


def test_a_few_levels_are_within_the_tolerance(runtime):
    path = saved(runtime)[0]
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, :40, 0] = np.where(pixels[0, :40, 0] > 128, pixels[0, :40, 0] - 1, pixels[0, :40, 0] + 1)
    path.write_bytes(png_bytes(Image.fromarray(pixels), text_of(path)))
    report = replay.replay(runtime, path)
    assert report.verdict == "within tolerance" and report.max_difference == 1 and report.why


def test_a_picture_without_our_key_is_tried_all_the_same(runtime):
    path = saved(runtime, override_settings={"add_replay_to_infotext": False})[0]
    assert provenance.KEY not in text_of(path)
    assert replay.replay(runtime, path).identical


@pytest.mark.parametrize("text, reason", [
    ("", "Nothing is stored in this file about how it was made."),
    ("a cat", "The text in this file does not say the steps, sampler, seed, size."),
    ("a\nSteps: 5, Sampler: Euler, Seed: 1, Size: 64x64, Denoising strength: 0.5", "It was made from another picture"),
    ("a\nSteps: 5, Sampler: Euler, Seed: 1, Size: 64x64, Postprocess upscale by: 2, Postprocess upscaler: Lanczos", "changed in Extras"),
    ("a\nSteps: 5, Sampler: Nonsense, Seed: 1, Size: 64x64", "Nonsense")])
def test_what_cannot_be_made_again_says_why(runtime, tmp_path, text, reason):
    path = tmp_path / "picture.png"
    path.write_bytes(png_bytes(Image.new("RGB", (64, 64)), text))
    report = replay.replay(runtime, path)
    assert report.verdict == "impossible" and reason in " ".join(report.why)


def test_a_file_that_is_no_picture_says_so(runtime, tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    report = replay.replay(runtime, tmp_path / "x.png")
    assert report.verdict == "impossible" and "The picture cannot be read." in report.why[0]


def test_a_jpeg_is_compared_as_a_jpeg(runtime):
    path = saved(runtime, override_settings={"samples_format": "jpg"})[0]
    assert path.suffix == ".jpg"
    report = replay.replay(runtime, path)
    assert report.verdict in ("identical", "within tolerance"), report


def test_our_key_is_short(runtime):
    path = saved(runtime)[0]
    facts = json.loads(infotext.read_fields(text_of(path))[provenance.KEY])
    assert facts["batch"] == [0, 1] and "prompt" not in facts and len(json.dumps(facts)) < 200


@pytest.mark.parametrize("damaged", ["[]", "{", '{"batch":[7,2],"settings":3,"scripts":[1],"prompts":"x","model":[]}'])
def test_damage_in_our_key_does_no_harm(runtime, damaged):
    path = saved(runtime)[0]
    before, _, _ = text_of(path).partition(f", {provenance.KEY}: ")
    rewritten(path, f"{before}, {provenance.KEY}: {json.dumps(damaged)}")
    assert replay.replay(runtime, path).identical


def test_pictures_that_settings_show_beside_it_do_not_take_its_place(runtime):
    """Masks in the result come before the second picture of the batch."""
    job = img2img.submit(runtime, {**REQUEST, "init_images": [Image.new("RGB", (64, 64), "red")], "mask": Image.new("L", (64, 64), 255),
                                   "denoising_strength": 0.5, "batch_size": 2,
                                   "override_settings": {"return_mask": True, "return_mask_composite": True}})
    assert job.wait(60) and job.status == "done", job.error
    first, second = (Path(picture.path) for picture in job.pictures)
    with runtime.settings.overriding({"return_mask": True}):
        assert [replay.replay(runtime, path).verdict for path in (first, second)] == ["identical", "identical"]


def test_a_replay_that_asks_for_more_than_the_server_admits_is_refused(runtime, monkeypatch):
    path = saved(runtime)[0]
    monkeypatch.setattr(runtime.queue, "admit", admission(Namespace(limit_steps=2)))
    report = replay.replay(runtime, path)
    assert report.verdict == "impossible" and "3 steps; this server's limit is 2" in report.why[0]


def test_another_vae_under_the_same_name_is_told(runtime):
    for seed in (2, 1):
        weights = load_file(runtime.folders.checkpoints / f"tiny-sd1-s{seed}.safetensors")
        vae = {name.removeprefix("first_stage_model."): t for name, t in weights.items() if name.startswith("first_stage_model.")}
        save_file(vae, runtime.folders.vae / "other.safetensors")
        if seed == 2:
            path = saved(runtime, override_settings={"sd_vae": "other.safetensors"})[0]
            digest = infotext.read_fields(text_of(path))["VAE hash"]
            assert replay.replay(runtime, path).identical
    report = replay.replay(runtime, path)
    assert report.verdict == "different"
    assert report.why[0].startswith(f"The VAE other.safetensors is another file: its hash was {digest}, now it is ")
