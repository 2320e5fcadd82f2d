"""Jobs of img2img: pictures of every kind, sizes, batches, resuming, replay, and what is refused."""
import io
import os
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from PIL import Image
from runtime_parts import running

from modules import img2img, txt2img
from modules.errors import RequestError
from modules.generation import replay
from modules.generation.fields import IMG2IMG_FIELDS
from modules.generation.from_infotext import values_from_infotext
from modules.generation.inputs import inputs_folder, open_input, remove_old_inputs, store_input

IN = tiny_model.GOLDENS / "images" / "in"
SMALL = {"prompt": "a cat", "steps": 4, "denoising_strength": 0.5, "sampler_name": "Euler a", "width": 64, "height": 64, "seed": 5,
         "init_images": [IN / "init_64x64.png"], "do_not_save_grid": True}


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("img2img") / "data")) as rt:
        yield rt


def finished(rt, **values):
    job = img2img.submit(rt, {**SMALL, **values})
    assert job.wait(120) and job.status == "done", job.error
    return job


def pictures(rt, **values) -> list[np.ndarray]:
    return [np.asarray(Image.open(image["path"]).convert("RGB")) for image in finished(rt, **values).result["images"]]


def box_mask(size=(64, 64), box=(16, 16, 40, 40)) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def as_file(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


# Pictures as a person expects them

def test_a_photo_taken_upright_stays_upright(rt):
    lying = Image.open(IN / "init_128x96.png").convert("RGB").rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise
    name = store_input(rt, as_file(lying, "PNG", exif=exif))
    assert open_input(rt, name).size == (128, 96)
    assert np.array_equal(np.asarray(open_input(rt, name)), np.asarray(Image.open(IN / "init_128x96.png").convert("RGB")))


def test_transparent_places_take_the_background_colour(rt):
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    red = pictures(rt, init_images=[clear], override_settings={"img2img_background_color": "#ff0000"})[0]
    white = pictures(rt, init_images=[clear])[0]
    assert np.array_equal(red, pictures(rt, init_images=[Image.new("RGB", (64, 64), "#ff0000")])[0])
    assert np.array_equal(white, pictures(rt, init_images=[Image.new("RGB", (64, 64), "white")])[0])


@pytest.mark.parametrize("kind, content", [
    ("16 bit", as_file(Image.fromarray(np.full((64, 64), 128 * 257, dtype=np.uint16)), "PNG")),
    ("CMYK", as_file(Image.new("CMYK", (64, 64), (127, 127, 127, 0)), "JPEG", quality=100)),
    ("palette", as_file(Image.new("RGB", (64, 64), (128, 128, 128)).quantize(4), "PNG")),
    ("grey", as_file(Image.new("L", (64, 64), 128), "PNG")),
    ("animated", as_file(Image.new("RGB", (64, 64), (128, 128, 128)), "GIF", save_all=True,
                         append_images=[Image.new("RGB", (64, 64), "red")])),
])
def test_every_kind_of_picture_is_read_in_eight_bits_of_red_green_blue(rt, kind, content):
    picture = np.asarray(open_input(rt, store_input(rt, content)).convert("RGB")).astype(int)
    assert picture.shape == (64, 64, 3) and np.abs(picture - 128).max() <= 2, kind


@pytest.mark.parametrize("mode", range(4))
@pytest.mark.parametrize("size", [(1, 1), (3, 200)])
def test_the_smallest_pictures_are_brought_to_size(rt, size, mode):
    assert pictures(rt, init_images=[Image.new("RGB", size, "green")], resize_mode=mode)[0].shape == (64, 64, 3)


def test_the_file_is_kept_as_it_came_once(rt):
    content = (IN / "init_64x64.png").read_bytes()
    name = store_input(rt, content)
    assert store_input(rt, IN / "init_64x64.png") == name and (inputs_folder(rt) / name).read_bytes() == content


def test_pictures_that_nobody_needs_any_more_are_removed_after_a_month(rt):
    old = [store_input(rt, Image.new("RGB", (8, 8), colour)) for colour in ("#111111", "#222222")]
    new = store_input(rt, Image.new("RGB", (8, 8), "#333333"))
    for name in old:
        os.utime(inputs_folder(rt) / name, (0, 0))
    rt.queue.pause()
    job = img2img.submit(rt, SMALL)
    job.request["init_images"] = [old[0]]
    remove_old_inputs(rt)
    kept = {path.name for path in inputs_folder(rt).iterdir()}
    rt.queue.cancel(job.id)
    rt.queue.resume()
    assert {old[0], new} <= kept and old[1] not in kept


# Sizes, steps, noise

@pytest.mark.parametrize("factor, size", [(0.5, (64, 48)), (1.1, (136, 104)), (1.0, (128, 96))])
def test_resize_by_rounds_down_to_whole_latents(rt, factor, size):
    image = finished(rt, init_images=[IN / "init_128x96.png"], resize_by=True, scale_by=factor).result["images"][0]
    assert (image["width"], image["height"]) == size


def test_words_of_the_page_stand_for_numbers(rt):
    words = {"resize_mode": "Crop and resize", "inpainting_fill": "latent noise", "inpaint_full_res": "Only masked",
             "inpainting_mask_invert": "Inpaint not masked"}
    request = img2img.checked_request(rt, SMALL | words)
    assert [request[name] for name in words] == [1, 2, True, 1]


def test_an_infotext_holds_what_was_chosen(rt):
    job = finished(rt, mask=box_mask(), inpaint_full_res=True, inpaint_full_res_padding=12, inpainting_fill=0, mask_blur=3,
                   inpainting_mask_invert=1, override_settings={"initial_noise_multiplier": 0.9})
    values = values_from_infotext(rt, IMG2IMG_FIELDS, job.result["images"][0]["infotext"])
    expected = {"inpaint_full_res": True, "inpaint_full_res_padding": 12, "inpainting_fill": 0, "mask_blur": 3, "inpainting_mask_invert": 1,
                "denoising_strength": 0.5}
    assert {name: values[name] for name in expected} == expected
    assert values["override_settings"]["initial_noise_multiplier"] == 0.9


def test_exact_steps_and_noise_multiplier_change_the_picture(rt):
    plain = pictures(rt)[0]
    assert not np.array_equal(plain, pictures(rt, override_settings={"img2img_fix_steps": True})[0])
    multiplied = pictures(rt, initial_noise_multiplier=0.8)[0]
    assert not np.array_equal(plain, multiplied)
    assert np.array_equal(multiplied, pictures(rt, override_settings={"initial_noise_multiplier": 0.8})[0])


def test_full_strength_with_latent_nothing_forgets_the_picture_under_the_mask(rt):
    everything = Image.new("L", (64, 64), 255)
    made = [pictures(rt, init_images=[Image.new("RGB", (64, 64), colour)], mask=everything, inpainting_fill=3, denoising_strength=1,
                     mask_blur=0)[0] for colour in ("red", "blue")]
    assert np.array_equal(*made)


# Batches and resuming

def test_a_picture_is_the_same_alone_and_in_a_batch(rt):
    whole = pictures(rt, batch_size=2, n_iter=2, mask=box_mask(), inpainting_fill=2)
    for i in (1, 3):
        difference = np.abs(whole[i].astype(int) - pictures(rt, seed=5 + i, mask=box_mask(), inpainting_fill=2)[0])
        assert difference.max() <= 2  # matrices of another size round otherwise


def test_a_batch_may_have_a_picture_for_each_of_its_places(rt):
    both = [IN / "init_64x64.png", Image.new("RGB", (64, 64), "red")]
    pair = pictures(rt, init_images=both, batch_size=2, denoising_strength=0.2)
    alone = pictures(rt, init_images=both[1:], seed=6, denoising_strength=0.2)
    assert np.abs(pair[1].astype(int) - alone[0]).max() <= 2


def test_pictures_of_a_batch_may_differ_in_size(rt):
    both = [Image.new("RGB", (64, 64), "red"), Image.new("RGB", (96, 80), "blue")]
    for values in ({}, {"mask": box_mask()}, {"mask": box_mask(), "inpaint_full_res": True}, {"mask": box_mask(), "resize_mode": 3}):
        assert [picture.shape for picture in pictures(rt, init_images=both, batch_size=2, **values)] == [(64, 64, 3)] * 2


def test_a_resumed_job_makes_only_what_is_missing_and_the_same(rt):
    values = {**SMALL, "batch_size": 2, "n_iter": 2, "mask": box_mask(), "mask_blur": 2}
    whole = img2img.submit(rt, values)
    assert whole.wait(120) and whole.status == "done", whole.error
    from modules.jobs.job import FinishedPicture, Job

    rest = Job(id="resumed", kind="img2img", request=whole.request, settings=whole.settings)
    rest.pictures = [FinishedPicture(index=0, path=whole.pictures[0].path)]
    with rt.queue.turn:
        result = img2img.run(rest, rt.state)
    assert len(result["images"]) == 4 and result["images"][0]["path"] == whole.pictures[0].path
    assert all(image["proof"] == {"applies": True, "changed": 0, "why": ""} for image in result["images"])
    for again, before in zip(result["images"], whole.result["images"], strict=True):
        difference = np.abs(np.asarray(Image.open(again["path"])).astype(int) - np.asarray(Image.open(before["path"])))
        assert difference.max() <= 2


@pytest.mark.parametrize("changes", [
    {}, {"batch_size": 2}, {"mask": box_mask(), "mask_blur": 0}, {"mask": box_mask(), "inpaint_full_res": True, "inpainting_fill": 2},
    {"resize_mode": 2, "init_images": [IN / "init_rgba_128x96.png"]}, {"override_settings": {"img2img_color_correction": True}},
])
def test_every_picture_comes_back_identical_in_a_replay(rt, changes):
    for image in finished(rt, **changes).result["images"]:
        report = replay.replay(rt, Path(image["path"]))
        assert report.identical and report.why == [], report


def test_a_replay_says_when_the_picture_it_began_with_is_gone(rt):
    job = finished(rt, init_images=[Image.new("RGB", (64, 64), "#123456")])
    (inputs_folder(rt) / job.request["init_images"][0]).unlink()
    report = replay.replay(rt, Path(job.result["images"][0]["path"]))
    assert report.verdict == "impossible" and "not kept" in report.why[0]


# What settings ask for

def test_masks_and_copies_are_saved_and_shown_where_settings_ask(rt):
    wishes = ("save_mask", "save_mask_composite", "return_mask", "return_mask_composite", "save_init_img", "img2img_color_correction",
              "save_images_before_color_correction")
    job = finished(rt, mask=box_mask(), override_settings=dict.fromkeys(wishes, True))
    folder = Path(job.result["images"][0]["path"]).parent
    assert len(job.result["images"]) == 3 and "Init image hash" in job.result["images"][0]["infotext"]
    for suffix in ("-mask.png", "-mask-composite.png", "-before-color-correction.png"):
        assert list(folder.glob(f"*{suffix}")), suffix
    assert list((rt.folders.data / rt.settings.outdir_init_images).glob("*.png"))


def test_pictures_of_img2img_have_a_folder_of_their_own(rt):
    assert "img2img-images" in finished(rt).result["images"][0]["path"]


# What is refused, or said

@pytest.mark.parametrize("values, words", [
    ({"init_images": None}, "no picture"), ({"init_images": []}, "no picture"), ({"init_images": [None]}, "no picture"),
    ({"init_images": [b"hello"]}, "cannot be read"), ({"init_images": [b""]}, "empty"),
    ({"init_images": [Path("nowhere.png")]}, "cannot be read"),
    ({"init_images": [as_file(Image.new("1", (20000, 20000)), "PNG")]}, "megapixels"),
    ({"init_images": [(IN / "init_128x96.png").read_bytes()[:900]]}, "damaged"),
    ({"mask": b"hello"}, "cannot be read"),
    ({"init_images": [Image.new("RGB", (8, 8))] * 3, "batch_size": 2}, "3 pictures"),
    ({"resize_by": True, "scale_by": 0.05, "init_images": [Image.new("RGB", (64, 64))]}, "8 to"),
])
def test_what_cannot_be_is_refused_before_a_job_exists(rt, values, words):
    before = len(rt.queue.jobs())
    with pytest.raises(RequestError, match=words):
        img2img.submit(rt, SMALL | values)
    assert len(rt.queue.jobs()) == before


def test_an_empty_mask_repaints_nothing_and_says_so(rt):
    job = finished(rt, mask=Image.new("L", (64, 64)), inpaint_full_res=True)
    assert "empty" in job.result["notes"][0]
    made = np.asarray(Image.open(job.result["images"][0]["path"]))
    assert np.array_equal(made, np.asarray(Image.open(IN / "init_64x64.png").convert("RGB")))


def test_a_mask_of_another_size_is_brought_to_the_picture_and_says_so(rt):
    job = finished(rt, mask=box_mask((128, 128), (32, 32, 80, 80)))
    assert "128x128" in job.result["notes"][0]
    assert np.array_equal(pictures(rt, mask=box_mask((128, 128), (32, 32, 80, 80)))[0], pictures(rt, mask=box_mask())[0])


def test_a_picture_that_is_gone_ends_the_job_with_a_sentence(rt):
    rt.queue.pause()
    job = img2img.submit(rt, SMALL | {"init_images": [Image.new("RGB", (64, 64), "#010203")]})
    from modules.generation import inputs

    inputs._decoded._images.clear()
    (inputs_folder(rt) / job.request["init_images"][0]).unlink()
    rt.queue.resume()
    assert job.wait(60) and job.status == "failed" and "not there any more" in job.error


def test_txt2img_is_as_it_was(rt):
    job = txt2img.submit(rt, {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1})
    assert job.wait(60) and job.status == "done" and "proof" not in job.result["images"][0]
