"""Bundled scripts of img2img: what they make of pictures, and pictures that they must not change."""
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from modules.sampling import passes
from modules.scripts import scripts_data
from scripts.parts import outpainting, reversal, soft_mask
from scripts.parts.matched_noise import with_matched_noise
from scripts.parts.soft_mask import SoftInpainting

IN = Path(__file__).parent.parent / "goldens" / "images" / "in"
SMALL, WIDE = IN / "init_64x64.png", IN / "init_128x96.png"


def module(name):
    return next(data.module for data in scripts_data if data.module.__name__ == name)


def pixels(source):
    return np.asarray((source if isinstance(source, Image.Image) else Image.open(source)).convert("RGB")).astype(int)


@pytest.fixture
def made(made_of):
    return lambda script, args, picture=SMALL, **values: made_of(script, args, init_images=[picture], **values)


def single(job):
    [image] = job.result["images"]
    return pixels(image["path"])


# loopback


@pytest.mark.parametrize("curve, middle", [("Aggressive", 0.4), ("Linear", 0.5), ("Lazy", 0.6)])
def test_the_strength_follows_its_curve(rt, curve, middle):
    strength = module("loopback.py").strength_at
    assert strength(0, 3, 0.8, 0.2, curve) == 0.8 and strength(2, 3, 0.8, 0.2, curve) == pytest.approx(0.2)
    assert (strength(1, 3, 0.8, 0.2, curve) < 0.5) == (middle < 0.5) or curve == "Linear"
    assert strength(0, 1, 0.8, 0.2, curve) == 0.8


def test_each_round_begins_with_the_result_of_the_one_before(made):
    rounds = [pixels(image["path"]) for image in made("Loopback", [2, 0.5, "Linear", "None"]).result["images"][1:]]
    again = made("Loopback", [1, 0.5, "Linear", "None"], denoising_strength=0.5, seed=2,
                 picture=Image.fromarray(rounds[0].astype(np.uint8)))
    assert (single(again) == rounds[1]).all()


def test_batches_begin_with_the_picture_of_the_form_and_go_on_with_the_seed(made):
    job = made("Loopback", [2, 0.5, "Linear", "None"], n_iter=2)
    assert [image["seed"] for image in job.result["images"][1:]] == [2, 4]
    assert [picture.index for picture in job.pictures] == [0, 1, 2, 3]


def test_an_interrogator_that_is_not_there_is_refused(made):
    job = made("Loopback", [2, 0.5, "Linear", "CLIP"], status="failed")
    assert "needs model_base_caption_capfilt_large.pth in models/BLIP" in job.error


# SD upscale


def test_tiles_that_come_back_unchanged_make_the_plainly_enlarged_picture(made, monkeypatch):
    from modules import processing

    original = processing.process_images

    def unchanged(p):
        result = original(p)
        result.images = list(p.init_images)
        return result

    monkeypatch.setattr(processing, "process_images", unchanged)
    expected = Image.open(WIDE).convert("RGB").resize((256, 192), Image.Resampling.LANCZOS)
    assert (single(made("SD upscale", ["", 16, "Lanczos", 2.0], picture=WIDE)) == pixels(expected)).all()


def test_tiles_made_two_at_a_time_make_the_same_picture(made):
    one, two = (single(made("SD upscale", ["", 16, "None", 2.0], picture=WIDE, batch_size=size)) for size in (1, 2))
    assert np.abs(one - two).max() <= 2


def test_only_the_whole_picture_belongs_to_the_job(made):
    job = made("SD upscale", ["", 16, 0, 2.0], picture=WIDE, do_not_save_samples=False)
    assert [picture.index for picture in job.pictures] == [0] and job.result["images"][0]["saved"]
    assert "SD upscale overlap: 16, SD upscale upscaler: None" in job.result["images"][0]["infotext"]


def test_a_picture_smaller_than_a_tile_keeps_its_size(made):
    picture = Image.open(SMALL).convert("RGB").crop((0, 0, 40, 24))
    assert single(made("SD upscale", ["", 16, "None", 1.0], picture=picture)).shape == (24, 40, 3)


@pytest.mark.parametrize("args, words", [
    (["", 64, 0, 2], "too large for tiles"), (["", 16, "No such", 2], "There is no upscaler 'No such'")])
def test_what_cannot_be_is_refused(made, args, words):
    assert words in made("SD upscale", args, status="failed").error


def test_an_interrupted_upscale_shows_what_was_made(rt, made, monkeypatch):
    from modules import processing

    original, runs = processing.process_images, []

    def stopped(p):
        runs.append(1)
        result = original(p)
        if len(runs) == 2:
            rt.state.interrupt()
        return result

    monkeypatch.setattr(processing, "process_images", stopped)
    job = made("SD upscale", ["", 16, "None", 2.0], picture=WIDE, status="interrupted")
    assert single(job).shape == (96, 128, 3) and len(runs) == 2


# outpainting


@pytest.mark.parametrize("size, pixels_wanted, directions, growth", [
    ((64, 64), 32, ("left", "right", "up", "down"), (32, 32, 32, 32, 128, 128)),
    ((100, 64), 32, ("left", "right"), (46, 46, 0, 0, 192, 64)),
    ((100, 64), 20, ("right",), (0, 28, 0, 0, 128, 64)),
    ((64, 64), 32, (), (0, 0, 0, 0, 64, 64)),
])
def test_a_picture_grows_to_multiples_of_64(size, pixels_wanted, directions, growth):
    grown = outpainting.growth_of(size, pixels_wanted, directions)
    assert (grown.left, grown.right, grown.up, grown.down, grown.width, grown.height) == growth


def test_poor_mans_outpainting_keeps_the_middle(made):
    job = made("Poor man's outpainting", [32, 0, "fill", ["left", "right", "up", "down"]])
    assert (single(job)[33:95, 33:95] == pixels(SMALL)[1:63, 1:63]).mean() > 0.2 and single(job).shape == (128, 128, 3)


@pytest.mark.parametrize("script, args", [
    ("Poor man's outpainting", [32, 0, "fill", ["left"]]), ("Outpainting mk2", ["", 64, 0, ["left"], 0.0, 0.0])])
def test_outpainting_makes_the_border_whatever_the_mask_mode_of_the_form(made, monkeypatch, script, args):
    monkeypatch.setattr(np.random, "default_rng", lambda *seed, original=np.random.default_rng: original(0))
    plain, inverted = (single(made(script, args, inpainting_mask_invert=invert)) for invert in (0, 1))
    assert (plain == inverted).all()


@pytest.mark.parametrize("side, kept", [
    ("left", np.s_[:, 64:]), ("right", np.s_[:, :64]), ("up", np.s_[64:, :]), ("down", np.s_[:64, :])])
def test_outpainting_keeps_the_picture_byte_for_byte_away_from_the_edge(made, side, kept):
    result = single(made("Outpainting mk2", ["", 64, 0, [side], 1.0, 0.05]))
    assert (result[kept] == pixels(SMALL)).all()


def test_outpainting_grows_on_all_sides_one_after_the_other(made):
    result = single(made("Outpainting mk2", ["", 32, 2, ["left", "right", "up", "down"], 1.0, 0.05]))
    assert result.shape == (128, 128, 3) and result[:20].std() > 5 and (result[60:68, 60:68] == pixels(SMALL)[28:36, 28:36]).all()


def test_a_narrow_form_and_an_odd_picture_leave_no_border_unmade(made):
    picture = Image.open(WIDE).convert("RGB").crop((0, 0, 101, 67))
    assert single(made("Outpainting mk2", ["", 128, 4, ["left", "up"], 1.0, 0.05], picture=picture)).shape == (256, 256, 3)


def test_variants_and_repeats_make_several_pictures_with_a_sheet(made):
    job = made("Outpainting mk2", ["", 64, 4, ["left"], 1.0, 0.05], batch_size=2, n_iter=2)
    assert [image["is_grid"] for image in job.result["images"]] == [True] + [False] * 4
    assert len({pixels(image["path"]).tobytes() for image in job.result["images"]}) == 5


def test_noise_for_a_border_has_the_colours_of_the_picture():
    values = np.zeros((32, 64, 3))
    values[:, :32] = np.random.default_rng(0).normal((0.2, 0.5, 0.8), 0.05, (32, 32, 3))
    is_new = np.zeros((32, 64), dtype=bool)
    is_new[:, 32:] = True
    result = with_matched_noise(values, is_new)
    assert (result[:, :32] == values[:, :32]).all()
    assert result[:, 32:].mean((0, 1)) == pytest.approx(values[:, :32].mean((0, 1)), abs=0.01)
    assert result[:, 32:].std((0, 1)) == pytest.approx(values[:, :32].std((0, 1)), abs=0.01)


# img2img alternative test


def test_the_picture_comes_back_with_its_own_prompt(made, made_of):
    args = ["", True, True, "a cat", "", True, 40, True, 1.0, 0.0, False]
    through_the_autoencoder = single(made_of(None, None, init_images=[SMALL], denoising_strength=0))
    job = made("img2img alternative test", args, cfg_scale=1, prompt="something else")
    random = made("img2img alternative test", [*args[:9], 1.0, False], cfg_scale=1)
    near, far = (np.abs(single(result) - through_the_autoencoder).mean() for result in (job, random))
    assert near < far / 2 and "Decode steps: 40" in job.result["images"][0]["infotext"]


@pytest.mark.parametrize("settings", [
    {"sd_noise_schedule": "Zero Terminal SNR"}, {"use_downcasted_alpha_bar": True}, {"enable_quantization": True}])
def test_the_noise_is_found_at_the_levels_at_which_the_picture_is_sampled(made, monkeypatch, settings):
    walked = []
    original = passes.inner_denoiser
    for home in (passes, reversal):
        monkeypatch.setattr(home, "inner_denoiser", lambda model, levels, kind: (walked.append(levels), original(model, levels, kind))[1])
    made("img2img alternative test", ["", True, True, "a cat", "", True, 2, True, 1.0, 0.0, False], override_settings=settings)
    back, there = walked
    between = back.sigmas[:-1] * 1.001
    assert (back.sigmas == there.sigmas).all() and (back.t_of_sigma(between) == there.t_of_sigma(between)).all()


# soft inpainting


def test_soft_inpainting_is_off_unless_it_is_switched_on(rt, made_of):
    mask = IN / "mask_128x96.png"
    plain, off, on = (made_of(None, None, init_images=[WIDE], mask=mask, width=128, height=96, inpaint_full_res=False, mask_blur=8, **more)
                      for more in ({}, {"always_on": {"Soft inpainting": [False]}}, {"always_on": {"Soft inpainting": [True]}}))
    assert (single(plain) == single(off)).all() and not (single(plain) == single(on)).all()
    assert "Soft inpainting enabled: True, Soft inpainting schedule bias: 1" in on.result["images"][0]["infotext"]


@pytest.mark.parametrize("only_masked", [False, True])
def test_pixels_that_soft_inpainting_does_not_reach_are_those_of_the_picture(made_of, only_masked):
    job = made_of(None, None, init_images=[WIDE], mask=IN / "mask_small_128x96.png", width=128, height=96, batch_size=2,
                  inpaint_full_res=only_masked, always_on={"Soft inpainting": [True]})
    assert all(image["proof"] == {"applies": True, "changed": 0, "why": ""} for image in job.result["images"] if not image["is_grid"])


def test_a_share_of_nothing_or_all_is_one_of_both_latents():
    original, current = torch.randn(1, 4, 3, 3), torch.randn(1, 4, 3, 3)
    wish = SoftInpainting()
    assert torch.allclose(soft_mask.blended(original, current, torch.zeros(1, 4, 3, 3), wish), original, atol=1e-4)
    assert torch.allclose(soft_mask.blended(original, current, torch.ones(1, 4, 3, 3), wish), current, atol=1e-4)


def test_mixed_latents_are_as_long_as_the_power_mean_of_both():
    original, current = torch.full((1, 4, 1, 1), 1.0), torch.full((1, 4, 1, 1), 3.0)
    mixed = soft_mask.blended(original, current, torch.full((1, 4, 1, 1), 0.5), SoftInpainting(transition_contrast=2))
    assert mixed.flatten().tolist() == pytest.approx([5**0.5] * 4, abs=1e-4)


def test_the_middle_of_the_neighbours_leaves_an_outlier_out():
    values = np.ones((7, 7))
    values[3, 3] = 100
    assert soft_mask.between_percentiles(values, 0.25, 0.75) == pytest.approx(np.ones((7, 7)))
    assert soft_mask.between_percentiles(values, 0.9, 1.0)[3, 3] > 50


def test_a_latent_that_did_not_move_shows_the_original():
    latent, nmask = torch.randn(4, 8, 8), torch.ones(4, 8, 8)
    assert soft_mask.moved_mask(latent, latent, nmask, SoftInpainting()).max() == 0
    assert soft_mask.moved_mask(latent, latent + 100, nmask, SoftInpainting()).min() > 0.99


def test_masks_that_settings_show_beside_pictures_do_not_disturb_scripts(made):
    result = single(made("Outpainting mk2", ["", 64, 0, ["left"], 1.0, 0.05], override_settings={"return_mask": True}))
    assert result.shape == (64, 128, 3) and (result[:, 64:] == pixels(SMALL)).all()
    assert single(made("Poor man's outpainting", [32, 0, "fill", ["left"]], override_settings={"return_mask": True})).shape == (64, 128, 3)
