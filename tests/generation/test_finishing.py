"""What settings do to finished pictures, in jobs on the tiny checkpoint."""
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules import txt2img
from modules.errors import RequestError, UserError
from modules.generation.fields import TXT2IMG_FIELDS
from modules.generation.from_infotext import values_from_infotext
from modules.imaging.infotext import parse, read_fields
from modules.imaging.watermark import watermark_in_file
from modules.ui.paste import form_values

REQUEST = {"prompt": "a red cube", "steps": 1, "width": 256, "height": 256, "seed": 5, "sampler_name": "Euler", "do_not_save_grid": True}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


def made(runtime, settings=None, **changes):
    job = txt2img.submit(runtime, {**REQUEST, **changes, "override_settings": settings or {}}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return job.result


def content(result) -> bytes:
    return Path(result["images"][0]["path"]).read_bytes()


def test_a_watermark_is_added_and_named_in_the_infotext_only_when_the_setting_is_on(runtime):
    marked = made(runtime, {"invisible_watermark": True, "invisible_watermark_text": "of Easel"})
    assert watermark_in_file(content(marked)) == "of Easel"
    assert read_fields(marked["images"][0]["infotext"])["Invisible watermark"] == "of Easel"
    plain = made(runtime)
    assert watermark_in_file(content(plain)) == "" and "watermark" not in plain["images"][0]["infotext"]


@pytest.mark.parametrize("changes, settings, words", [
    ({"width": 64, "height": 64}, {}, "64x64 pixels"), ({}, {"invisible_watermark_text": "ab"}, "4 to 32")], ids=["small", "text"])
def test_where_none_can_be_written_the_picture_stays_and_a_note_says_so(runtime, changes, settings, words):
    plain, result = made(runtime, **changes), made(runtime, {"invisible_watermark": True, **settings}, **changes)
    assert any(words in note for note in result["notes"])
    assert np.array_equal(*(np.asarray(Image.open(each["images"][0]["path"])) for each in (plain, result)))


@pytest.fixture
def faces(runtime, monkeypatch):
    """A restoration that turns every picture into its negative, unless it is told to fail; gives the calls."""
    calls: list[tuple] = []

    def restored(image, name, *, weight, visibility=1.0):
        calls.append((name, weight))
        if weight == 0.99:
            raise UserError("The network broke.")
        if weight == 0.98:
            runtime.state.interrupt()
            runtime.state.check()
        return image.point(lambda value: 255 - value)

    monkeypatch.setattr(runtime.faces, "missing", lambda name: None)
    monkeypatch.setattr(runtime.faces, "restored", restored)
    return calls


def pixels(result) -> np.ndarray:
    return np.asarray(Image.open(result["images"][0]["path"]).convert("RGB"))


SMALL = {"width": 64, "height": 64}


def test_faces_are_restored_when_the_request_or_the_setting_asks_for_it(runtime, faces):
    plain = pixels(made(runtime, **SMALL))
    asked = made(runtime, {"face_restoration_model": "GFPGAN"}, restore_faces=True, **SMALL)
    assert np.array_equal(pixels(asked), 255 - plain)
    fields = read_fields(asked["images"][0]["infotext"])
    assert fields["Face restoration"] == "GFPGAN" and list(fields).index("Face restoration") == list(fields).index("Seed") + 1
    by_setting = made(runtime, {"face_restoration": True, "code_former_weight": 0.2}, **SMALL)
    assert read_fields(by_setting["images"][0]["infotext"])["CodeFormer weight"] == "0.2"
    assert np.array_equal(pixels(made(runtime, {"face_restoration": True}, restore_faces=False, **SMALL)), plain)
    assert faces == [("GFPGAN", 0.5), ("CodeFormer", 0.2)]


def test_a_restoration_that_fails_costs_the_faces_and_not_the_picture(runtime, faces):
    plain, failed = made(runtime, **SMALL), made(runtime, {"code_former_weight": 0.99}, restore_faces=True, **SMALL)
    assert np.array_equal(pixels(plain), pixels(failed)) and "Face restoration" not in failed["images"][0]["infotext"]
    assert any("Faces were not restored. The network broke." in note for note in failed["notes"])


def test_a_stop_while_faces_are_restored_keeps_the_picture_as_it_is(runtime, faces):
    job = txt2img.submit(runtime, {**REQUEST, **SMALL, "restore_faces": True, "override_settings": {"code_former_weight": 0.98}}, api=True)
    assert job.wait(60) and job.status == "interrupted" and len(job.pictures) == 1


def test_a_copy_from_before_is_kept_when_a_setting_says_so(runtime, faces):
    before = made(runtime, **SMALL)
    result = made(runtime, {"save_images_before_face_restoration": True}, restore_faces=True, **SMALL)
    [copy] = Path(result["images"][0]["path"]).parent.glob("*-before-face-restoration.png")
    assert np.array_equal(np.asarray(Image.open(copy)), pixels(before)) and len(result["images"]) == 1


def test_a_request_that_lacks_a_file_is_refused_before_a_job_exists(runtime):
    with pytest.raises(RequestError, match=r"codeformer-v0\.1\.0\.pth in models/Codeformer") as caught:
        txt2img.submit(runtime, {**REQUEST, "restore_faces": True}, api=True)
    assert caught.value.field == "restore_faces"
    result = made(runtime, {"face_restoration": True}, **SMALL)  # the setting counts for all pictures: they are made, with a note
    assert any("codeformer-v0.1.0.pth" in note for note in result["notes"])


def test_restored_faces_come_back_from_an_infotext(runtime):
    text = "a cat\nSteps: 3, Sampler: Euler, CFG scale: 7, Seed: 1, Face restoration: GFPGAN, Size: 64x64"
    values = values_from_infotext(runtime, TXT2IMG_FIELDS, text)
    assert values["restore_faces"] is True and values["override_settings"]["face_restoration_model"] == "GFPGAN"
    assert form_values(TXT2IMG_FIELDS, parse(text))[0]["restore_faces"] is True
    assert form_values(TXT2IMG_FIELDS, parse(text.replace("Face restoration: GFPGAN, ", "")))[0]["restore_faces"] is False


def test_a_picture_that_the_safety_checker_objects_to_is_hidden_and_never_lost(runtime, monkeypatch):
    plain = pixels(made(runtime, **SMALL))
    monkeypatch.setattr(runtime.safety, "flags", lambda image: True)
    assert np.array_equal(pixels(made(runtime, **SMALL)), plain)  # off by default
    result = made(runtime, {"safety_filter": True}, **SMALL)
    [original] = runtime.folders.hidden.glob("*.png")
    assert np.array_equal(np.asarray(Image.open(original)), plain) and "a red cube" in Image.open(original).info["parameters"]
    assert not np.array_equal(pixels(result), plain) and "Safety filter: hidden" in result["images"][0]["infotext"]
    assert any("hid picture 1" in note for note in result["notes"]) and original.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(runtime.safety, "flags", lambda image: False)
    assert np.array_equal(pixels(made(runtime, {"safety_filter": True}, **SMALL)), plain)


def test_without_its_file_the_safety_filter_says_that_nothing_was_checked(runtime):
    result = made(runtime, {"safety_filter": True}, **SMALL)
    assert any("not checked" in note and "safety_checker.safetensors" in note for note in result["notes"])
