"""What cells of a plot have in common is made once: evaluations as planned, pixels as those of single jobs."""
import numpy as np
import pytest
from PIL import Image

from modules import scripts, txt2img
from modules.generation.fields import TXT2IMG_FIELDS, validated
from modules.generation.shared_passes import SharedPasses, pass_key
from modules.nn.latent_diffusion import LatentDiffusion
from modules.processing import StableDiffusionProcessingTxt2Img

PLOT = "X/Y/Z plot"
TINY = {"prompt": "a cat", "steps": 4, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "scheduler": "Automatic",
        "do_not_save_grid": True, "do_not_save_samples": True}
HIRES = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.5}


def args_of(*axes, cells=True, keep_random=False):
    rows = [*axes, *[("Nothing", "")] * (3 - len(axes))]
    return [*(value for label, text in rows for value in (label, text, [])), False, cells, False, keep_random, False, False, False, 0,
            True, ""]


@pytest.fixture
def rows(monkeypatch):
    """Width of the latent -> rows that a network was asked for."""
    found, original = {}, LatentDiffusion.apply_model

    def apply_model(self, x, *args, **named):
        found[x.shape[-1]] = found.get(x.shape[-1], 0) + len(x)
        return original(self, x, *args, **named)

    monkeypatch.setattr(LatentDiffusion, "apply_model", apply_model)
    return found


def planned(args, **values):
    script = scripts.scripts_txt2img.script(PLOT)
    return script.planned(StableDiffusionProcessingTxt2Img(**validated(TXT2IMG_FIELDS, TINY | values)), *args)


def pixels(image):
    return np.asarray(Image.open(image["path"]).convert("RGB"))


HIRES_PLOT = args_of(("Hires upscaler", "Latent, Lanczos"), ("Denoising", "0.3, 0.5, 0.7"))


def test_a_plot_of_second_passes_has_one_first_pass(made, rows):
    made(PLOT, HIRES_PLOT, **TINY | HIRES)
    assert rows[8] == 4 * 2 and rows[12] > 6 * 2


@pytest.mark.parametrize("args, values", [
    (HIRES_PLOT, HIRES),
    (args_of(("Steps", "2,3"), ("Hires steps", "2,5"), ("CFG Scale", "1,7")), HIRES),
    (args_of(("Sampler", "Euler,Heun,DPM++ 2M Karras"), ("Prompt S/R", "cat,cat AND dog")), {}),
    (args_of(("Seed", "1-3"), ("VAE", "Automatic,None")), {"n_iter": 2, "batch_size": 2}),
    (args_of(("Hires sampler", "Euler,Heun"), ("Seed", "1,1")), HIRES | {"refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5}),
    (args_of(("Hires CFG scale", "3,7"), ("Var. strength", "0,0.1")), HIRES | {"n_iter": 2}),
    (args_of(("CFG Scale", "1,3,5"), ("Prompt S/R", "cat,dog")), {"sampler_name": "Heun"}),
    (args_of(("Prompt S/R", "0.25,0.5,0.75"), ("Seed", "1,2")), {"prompt": "a [cat:dog:0.25]", "steps": 8, "batch_size": 2}),
    (args_of(("Refiner switch at", "0.25,0.5,0.75"),), {"refiner_checkpoint": "tiny-sd1-s2", "steps": 8, "sampler_name": "Euler a"}),
    (args_of(("Prompt S/R", "one,two"), ("CFG Scale", "2,4")), {"prompt": "{a|b} one"}),
])
def test_planned_evaluations_are_those_that_happen(made, rows, args, values):
    made(PLOT, args, **TINY | values)
    assert f" {sum(rows.values()):,} network evaluations." in planned(args, **values)


def test_cells_that_share_a_first_pass_have_the_pixels_of_single_jobs(rt, made):
    job = made(PLOT, HIRES_PLOT, **TINY | HIRES | {"sampler_name": "Euler a", "n_iter": 2})
    cells = [image for image in job.result["images"] if not image["is_grid"]]
    requests = [{"hr_upscaler": upscaler, "denoising_strength": strength}
                for strength in (0.3, 0.5, 0.7) for upscaler in ("Latent", "Lanczos")]
    for cell, request in zip(cells, requests, strict=True):
        single = txt2img.submit(rt, TINY | HIRES | {"sampler_name": "Euler a"} | request)
        assert single.wait(60) and (pixels(cell) == pixels(single.result["images"][0])).all(), request


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M", "DPM++ SDE", "Heun"])
def test_common_first_steps_are_made_once_and_give_the_same_pixels(rt, made, rows, sampler):
    values = TINY | {"prompt": "a [cat:dog:0.25]", "steps": 8, "sampler_name": sampler}
    job = made(PLOT, args_of(("Prompt S/R", "0.25,0.5,0.75")), **values)
    together = sum(rows.values())
    cells = [image for image in job.result["images"] if not image["is_grid"]]
    rows.clear()
    for cell, when in zip(cells, ("0.25", "0.5", "0.75"), strict=True):
        single = txt2img.submit(rt, values | {"prompt": f"a [cat:dog:{when}]"})
        assert single.wait(60) and (pixels(cell) == pixels(single.result["images"][0])).all(), when
    assert together < 0.8 * sum(rows.values())


# what a first pass depends on


def key_of(**values):
    p = StableDiffusionProcessingTxt2Img(**TINY | values)
    p.fill_lists()
    p.settle_lists()
    p.take_batch(0)
    return pass_key(p)


@pytest.mark.parametrize("values, is_same", [
    ({"denoising_strength": 0.9}, True), ({"hr_scale": 3}, True), ({"override_settings": {"sd_vae": "None"}}, True),
    ({"cfg_scale": 3}, False), ({"seed": 2}, False), ({"prompt": "b"}, False),
    ({"override_settings": {"CLIP_stop_at_last_layers": 2}}, False), ({"width": 128}, False), ({"s_churn": 1}, False),
    ({"n_iter": 2}, True), ({"batch_size": 2}, False), ({"subseed_strength": 0.5, "subseed": 3}, False)])
def test_only_what_it_depends_on_makes_another_first_pass(rt, values, is_same):
    assert (key_of(**values) == key_of()) == is_same


def test_a_refiner_and_listening_extensions_end_the_sharing(rt, monkeypatch):
    from modules import script_callbacks

    assert key_of(refiner_checkpoint="tiny-sd1-s2", refiner_switch_at=0.5) is None
    monkeypatch.setattr(script_callbacks, "has", lambda event: event == "cfg_denoiser")
    assert key_of() is None


def test_the_oldest_passes_go_when_too_many_are_kept(rt):
    import torch

    kept, calls = SharedPasses(most_bytes=2 * 4 * 64), []
    for seed in (1, 2, 3, 1):
        p = StableDiffusionProcessingTxt2Img(**TINY | {"seed": seed})
        p.fill_lists()
        p.settle_lists()
        p.take_batch(0)
        kept.latents(p, lambda seed=seed: calls.append(seed) or torch.zeros(64))
    assert calls == [1, 2, 3, 1]
