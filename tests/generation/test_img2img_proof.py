"""Outside the mask not one pixel changes, and each picture says so or why nothing can be said."""
import random

import numpy as np
import pytest
import tiny_model
from PIL import Image, ImageDraw
from runtime_parts import running

from modules import img2img
from modules.generation.pasting import NO_OVERLAY
from modules.imaging.masks import gaussian_kernel

SMALL = {"prompt": "a cat", "steps": 2, "denoising_strength": 0.3, "sampler_name": "Euler", "do_not_save_grid": True, "cfg_scale": 1}


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("proof") / "data")) as rt:
        rt.settings.set("live_previews_enable", False)
        yield rt


def noise_picture(width: int, height: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def random_mask(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Dots, strokes or boxes, sometimes grey."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for _ in range(rng.randint(1, 3)):
        a = (rng.randrange(size[0]), rng.randrange(size[1]))
        b = (rng.randint(a[0], size[0]), rng.randint(a[1], size[1]))
        shape = rng.choice((draw.rectangle, draw.ellipse, draw.line))
        shape([a, b], fill=rng.choice((255, 255, 128, 3)))
    return mask


def grown(area: np.ndarray, reach: int) -> np.ndarray:
    """`area` [H, W] and all that is at most `reach` px away from it along both axes."""
    rows = np.stack([np.roll(np.pad(area, ((reach, reach), (0, 0))), shift, axis=0) for shift in range(-reach, reach + 1)]).any(axis=0)
    area = rows[reach:reach + len(area)]
    columns = np.stack([np.roll(np.pad(area, ((0, 0), (reach, reach))), shift, axis=1) for shift in range(-reach, reach + 1)]).any(axis=0)
    return columns[:, reach:reach + area.shape[1]]


def made(rt, **values) -> tuple[np.ndarray, dict]:
    """Pixels and entry of the one picture of a job."""
    job = img2img.submit(rt, {**SMALL, "seed": 1, **values})
    assert job.wait(120) and job.status == "done", job.error
    [entry] = job.result["images"]
    return np.asarray(Image.open(entry["path"]).convert("RGB")), entry


@pytest.mark.parametrize("part", range(4))
def test_hundred_random_masks_and_modes_leave_the_rest_untouched(rt, part):
    for number in range(part * 25, part * 25 + 25):
        rng = random.Random(number)
        size = rng.choice(((64, 64), (72, 64), (96, 64)))
        picture, mask, blur = noise_picture(*size, number), random_mask(size, rng), rng.choice((0, 1, 4, 12))
        inverted, only_masked = rng.random() < 0.3, rng.random() < 0.5
        target = (64, 64) if only_masked else size
        pixels, entry = made(rt, init_images=[picture], mask=mask, mask_blur=blur, inpaint_full_res=only_masked, width=target[0],
                             height=target[1], inpaint_full_res_padding=rng.choice((0, 8, 32)), inpainting_fill=rng.randrange(4),
                             inpainting_mask_invert=int(inverted), resize_mode=rng.randrange(3))
        assert entry["proof"] == {"applies": True, "changed": 0, "why": ""}, number
        assert "Changed outside mask: 0" in entry["infotext"]
        if pixels.shape == np.asarray(picture).shape:
            levels = np.asarray(mask)
            reach = len(gaussian_kernel(blur)) // 2 if blur else 0
            outside = ~grown(levels < 255 if inverted else levels > 0, reach)
            assert np.array_equal(pixels[outside], np.asarray(picture)[outside]), number


@pytest.mark.parametrize("settings, why", [
    ({"samples_format": "jpg"}, "jpg"), ({"samples_format": "webp"}, "webp"), ({"overlay_inpaint": False}, NO_OVERLAY),
])
def test_where_nothing_can_be_promised_it_says_why(rt, settings, why):
    picture, mask = noise_picture(64, 64, 1), Image.new("L", (64, 64))
    mask.paste(255, (20, 20, 40, 40))
    _, entry = made(rt, init_images=[picture], mask=mask, inpaint_full_res=False, width=64, height=64, override_settings=settings)
    assert not entry["proof"]["applies"] and why in entry["proof"]["why"] and "Changed outside" not in entry["infotext"]


def test_a_lossless_webp_is_read_back_and_counted(rt):
    mask = Image.new("L", (64, 64))
    mask.paste(255, (20, 20, 40, 40))
    _, entry = made(rt, init_images=[noise_picture(64, 64, 1)], mask=mask, inpaint_full_res=False, width=64, height=64,
                    override_settings={"samples_format": "webp", "webp_lossless": True})
    assert entry["path"].endswith(".webp") and entry["proof"] == {"applies": True, "changed": 0, "why": ""}


def test_without_a_mask_there_is_no_proof(rt):
    _, entry = made(rt, init_images=[noise_picture(64, 64, 1)], width=64, height=64)
    assert "proof" not in entry


def test_the_proof_finds_a_single_changed_pixel(rt, monkeypatch):
    from modules.generation import pasting

    original = pasting.put_back

    def with_a_flaw(*arguments):
        whole = original(*arguments)
        whole.putpixel((0, 0), (1, 2, 3))
        return whole

    monkeypatch.setattr(pasting, "put_back", with_a_flaw)
    mask = Image.new("L", (64, 64))
    mask.paste(255, (40, 40, 50, 50))
    _, entry = made(rt, init_images=[noise_picture(64, 64, 1)], mask=mask, inpaint_full_res=False, width=64, height=64)
    assert entry["proof"] == {"applies": True, "changed": 1, "why": ""} and "Changed outside mask: 1" in entry["infotext"]


def test_an_interrupted_picture_is_put_back_too(rt):
    mask = Image.new("L", (64, 64))
    mask.paste(255, (20, 20, 40, 40))
    picture = noise_picture(64, 64, 1)
    job = img2img.submit(rt, {**SMALL, "init_images": [picture], "mask": mask, "width": 64, "height": 64, "mask_blur": 0, "seed": 1,
                              "steps": 900, "denoising_strength": 1.0})
    while rt.state.sampling_step < 3 or not job.started:
        assert not job.wait(0.01)
    rt.queue.interrupt(job.id)
    assert job.wait(10) and job.status == "interrupted"
    [entry] = job.result["images"]
    outside = np.asarray(mask) == 0
    assert np.array_equal(np.asarray(Image.open(entry["path"]))[outside], np.asarray(picture)[outside])
    assert entry["proof"]["applies"] and entry["proof"]["changed"] == 0
