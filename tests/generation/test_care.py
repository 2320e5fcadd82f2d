"""A job whose memory runs out, or whose numbers break: it goes on, says how, and the next one knows nothing of it."""
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from runtime_parts import running
from tiny_model import make_data_dir
from weight_stations import NoWeightsAside, Watched

from modules import cmd_args, engine, img2img, txt2img
from modules.generation import care
from modules.generation.replay import replay
from modules.imaging import infotext
from modules.nn.clip_text import ClipTextModel
from modules.nn.unet import UNetModel
from modules.nn.vae import Decoder, Encoder

REQUEST = {"prompt": "a red cube", "negative_prompt": "blurry", "steps": 2, "width": 64, "height": 64, "seed": 5,
           "sampler_name": "Euler a", "do_not_save_grid": True, "batch_size": 2}
LARGE = {"width": 192, "height": 128, "batch_size": 1}


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    with running(make_data_dir(tmp_path_factory.mktemp("care") / "data")) as rt:
        yield rt


def run(rt, **changes):
    job = txt2img.submit(rt, {**REQUEST, **changes})
    assert job.wait(60)
    return job


def pixels(job) -> list[np.ndarray]:
    assert job.status == "done", job.error
    return [np.asarray(Image.open(image["path"])).astype(int) for image in job.result["images"]]


def same(one, other, levels: int = 0) -> bool:
    return all(np.abs(a - b).max() <= levels for a, b in zip(one, other, strict=True))


@pytest.fixture
def lacking(monkeypatch):
    """lacking(network, when): from now on memory runs out in this network where when(number of the call, its input) says so."""
    def lack(network, when):
        forward, calls = network.forward, []

        def limited(self, x, *args, **kwargs):
            calls.append(1)
            if when(len(calls), x):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return forward(self, x, *args, **kwargs)
        monkeypatch.setattr(network, "forward", limited)
        return calls
    return lack


@pytest.mark.parametrize("network", [UNetModel, Decoder, Encoder, ClipTextModel], ids=lambda network: network.__name__)
def test_memory_that_runs_out_at_any_call_costs_no_picture_and_no_pixel(rt, lacking, monkeypatch, network):
    """One call after the other fails, as long as there is one more."""
    rt.settings.set("persistent_cond_cache", False)
    rt.settings.set("live_previews_enable", False)

    def job():
        job = img2img.submit(rt, {**REQUEST, "init_images": [Image.new("RGB", (64, 64), "red")], "denoising_strength": 0.9})
        assert job.wait(60)
        return job

    wanted = job()
    for failing in range(1, 100):
        calls = lacking(network, lambda number, x, failing=failing: number == failing)
        made = job()
        monkeypatch.undo()
        assert same(pixels(made), pixels(wanted))
        if len(calls) < failing:
            break
        assert made.result["notes"] == ["Memory ran out: what was not in use was freed."]
    assert failing > 1 and not wanted.result["notes"]


def test_fewer_rows_at_once_make_the_same_picture_and_are_written_down(rt, lacking):
    wanted = run(rt)
    lacking(UNetModel, lambda number, x: len(x) > 1)
    job = run(rt)
    text = job.result["images"][0]["infotext"]
    assert same(pixels(job), pixels(wanted), levels=1) and infotext.read_fields(text)["Memory saving"] == "1 at once"
    assert job.result["notes"][-1] == "Memory was short: the U-Net worked on 1 of 4 rows of a batch at once."


def test_its_replay_knows_that_memory_was_short(rt, lacking, monkeypatch):
    lacking(Decoder, lambda number, x: True)
    job = run(rt, **LARGE, override_settings={"vae_tile_px": 128})
    monkeypatch.undo()
    assert "Memory saving: VAE tiles of 128 px" in job.result["images"][0]["infotext"]
    report = replay(rt, Path(job.pictures[0].path))
    assert report.verdict in ("identical", "within tolerance")
    assert report.identical or any("Memory was short when it was made (VAE tiles of 128 px)" in why for why in report.why)


def test_tiles_asked_for_in_the_settings_are_part_of_how_a_picture_is_made(rt):
    wanted = run(rt, **LARGE)
    job = run(rt, **LARGE, override_settings={"vae_tiling": "Always", "vae_tile_px": 128})
    assert same(pixels(job), pixels(wanted), levels=1) and not job.result["notes"]
    assert '"vae_tiling":"Always"' in job.result["images"][0]["infotext"].replace("\\", "")
    assert "Memory saving" not in job.result["images"][0]["infotext"]


def test_where_nothing_helps_a_sentence_names_sizes_and_the_next_job_runs(rt, lacking):
    wanted = run(rt)
    with pytest.MonkeyPatch.context() as scope:
        def never(self, *args, **kwargs):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        scope.setattr(UNetModel, "forward", never)
        job = run(rt)
    assert job.status == "failed" and job.error.startswith(
        "There was not enough memory for 64 x 64 pixels in batches of 2. Try a batch size of 1 or ")
    assert same(pixels(run(rt)), pixels(wanted))


def test_stop_between_two_tiles_ends_the_job_with_what_was_finished(rt):
    told = []
    def press(done, count):
        told.append((done, count, rt.state.textinfo))
        if len(told) == count + 5:
            rt.queue.interrupt()
    watch = care.TileWatch.__call__
    with pytest.MonkeyPatch.context() as scope:
        scope.setattr(care.TileWatch, "__call__", lambda self, done, count: press(done, count) or watch(self, done, count))
        job = run(rt, **{**LARGE, "batch_size": 2}, override_settings={"vae_tiling": "Always", "vae_tile_px": 128})
    assert job.status == "interrupted" and len(job.pictures) == 1 and len(told) == told[0][1] + 5
    assert told[4][2] == f"VAE: tile 4 of {told[0][1]}"


def test_a_picture_that_stop_left_half_made_is_decoded_in_tiles_too(rt, lacking):
    rt.settings.set("save_incomplete_images", True)
    lacking(UNetModel, lambda number, x: number == 2 and rt.queue.interrupt() and False)
    job = run(rt, **LARGE, steps=6, override_settings={"vae_tiling": "Always", "vae_tile_px": 128})
    assert job.status == "interrupted" and "Interrupted at step" in job.result["images"][0]["infotext"]


def test_a_job_that_was_short_of_memory_leaves_the_weights_where_they_belong(rt, lacking):
    rt.models.unload()
    rt.models.stations = Watched()
    try:
        lacking(UNetModel, lambda number, x: rt.models.execution.care.policy is None)
        job = run(rt)
        assert job.status == "done" and job.result["notes"][-1] == (
            "Memory was short: parts of the model that were not at work waited in main memory.")
        model = rt.models.current
        assert {id(parameter) in rt.models.stations.at_work for parameter in model.parameters()} == {True}
    finally:
        rt.models.unload()
        rt.models.stations = None


def test_medvram_sdxl_is_for_models_of_that_family(rt):
    args = cmd_args.parse(["--medvram-sdxl"])
    model = lambda is_sdxl: type("Model", (), {"is_sdxl": is_sdxl})
    assert engine.policy_of(args, model(True)) == "parts" and engine.policy_of(args, model(False)) == "whole"
    assert engine.policy_of(cmd_args.parse(["--lowvram"]), model(False)) == "modules"


def test_broken_numbers_of_a_unet_in_float32_end_the_job_with_a_sentence(rt):
    forward = UNetModel.forward
    with pytest.MonkeyPatch.context() as scope:
        scope.setattr(UNetModel, "forward", lambda self, x, *args, **more: forward(self, x, *args, **more) * float("nan"))
        job = run(rt)
    assert job.status == "failed" and "numbers that are not finite" in job.error and run(rt).status == "done"


def test_pictures_do_not_depend_on_where_weights_wait(rt):
    request = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Lanczos", "denoising_strength": 0.5, "batch_size": 1,
               "refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5}
    prompts = ("a cube", "a cube <lora:tinylora:0.8>")
    wanted = [pixels(run(rt, **request, prompt=prompt)) for prompt in prompts]
    policy_of = rt.models.policy_of
    try:
        for policy in ("parts", "modules"):
            # A LoRA needs weights to change while they wait, so there it is only watched which of them are brought.
            for prompt, stations, expected in zip(prompts, (NoWeightsAside(), Watched()), wanted, strict=True):
                rt.models.unload()
                rt.models.policy_of, rt.models.stations = lambda model, policy=policy: policy, stations
                assert same(pixels(run(rt, **request, prompt=prompt)), expected)
            assert "-AutoencoderKL" in stations.moves and "-ClipConditioner" in stations.moves
    finally:
        rt.models.unload()
        rt.models.policy_of, rt.models.stations = policy_of, None


def test_the_flag_switches_the_search_for_broken_numbers_off(tmp_path):
    """Without it this would be a sentence."""
    with running(make_data_dir(tmp_path / "data"), "--disable-nan-check") as rt:
        forward = UNetModel.forward
        with pytest.MonkeyPatch.context() as scope:
            scope.setattr(UNetModel, "forward", lambda self, x, *args, **more: forward(self, x, *args, **more) * float("nan"))
            assert run(rt).status == "done"
