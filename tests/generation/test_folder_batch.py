"""A folder of pictures as one job: names, masks, parameters inside the pictures, broken files, resuming."""
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import tiny_model
from PIL import Image
from runtime_parts import running

from modules import img2img
from modules.errors import RequestError
from modules.generation import folder_batch
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.limits import admission
from modules.generation.request import SCRIPTS
from modules.imaging.encode import png_bytes
from modules.jobs.job import Job

SMALL = {"prompt": "a cat", "steps": 2, "denoising_strength": 0.5, "sampler_name": "Euler", "width": 64, "height": 64, "seed": 5}


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("batch") / "data")) as rt:
        yield rt


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two pictures, one of them in a sub-folder, a file that is none, and one that is broken."""
    place = tmp_path / "in"
    (place / "sub").mkdir(parents=True)
    (place / "b.png").write_bytes(png_bytes(Image.new("RGB", (64, 64), "blue"), ""))
    (place / "sub" / "a [seed].png").write_bytes(png_bytes(Image.new("RGB", (64, 64), "red"), ""))
    (place / "notes.txt").write_text("no picture")
    (place / "broken.png").write_bytes(b"\x89PNG and nothing else")
    return place


def finished(rt, **values):
    job = folder_batch.submit(rt, SMALL | values)
    assert job.wait(120) and job.status == "done", job.error
    return job


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_results_keep_the_names_of_their_pictures_and_a_broken_file_is_named(rt, folder, tmp_path):
    job = finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out"))
    assert names(tmp_path / "out") == ["b.png", "sub/a [seed].png"]
    assert any(note.startswith("broken.png was left out: ") for note in job.result["notes"])
    assert len(job.pictures) == 2 and job.result["batch"] == {"files": 3, "pictures": 2}


def test_each_result_is_what_the_picture_alone_would_give(rt, folder, tmp_path):
    finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out"))
    alone = img2img.submit(rt, SMALL | {"init_images": [folder / "b.png"]})
    assert alone.wait(60)
    wanted = np.asarray(Image.open(alone.result["images"][0]["path"]))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "b.png")), wanted)


def test_several_results_of_a_picture_are_numbered(rt, folder, tmp_path):
    job = finished(rt, input_dir=str(folder / "sub"), output_dir=str(tmp_path / "out"), n_iter=2)
    assert names(tmp_path / "out") == ["a [seed]-1.png", "a [seed]-2.png"]
    assert [picture.index for picture in job.pictures] == [0, 1]


def test_pictures_that_have_a_result_are_left_out_on_request(rt, folder, tmp_path):
    out = tmp_path / "out"
    finished(rt, input_dir=str(folder), output_dir=str(out))
    before = {name: (out / name).stat().st_mtime_ns for name in names(out)}
    job = finished(rt, input_dir=str(folder), output_dir=str(out), skip_done=True)
    assert {name: (out / name).stat().st_mtime_ns for name in names(out)} == before and not job.pictures


def test_masks_come_from_a_folder_by_name_or_are_the_only_one_there(rt, folder, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "b.png").write_bytes(png_bytes(Image.new("L", (64, 64)), ""))
    job = finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out"), mask_dir=str(masks))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "b.png")), np.asarray(Image.new("RGB", (64, 64), "blue")))
    (masks / "c.png").write_bytes(png_bytes(Image.new("L", (64, 64)), ""))
    job = finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out2"), mask_dir=str(masks))
    assert any("no mask called a [seed]" in note for note in job.result["notes"]) and names(tmp_path / "out2") == ["b.png"]


def test_parameters_inside_a_picture_are_added_or_replace(rt, tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    text = "a dog\nNegative prompt: bad\nSteps: 3, Sampler: DPM++ 2M Karras, CFG scale: 5, Seed: 77, Size: 64x64"
    (place / "a.png").write_bytes(png_bytes(Image.new("RGB", (64, 64), "red"), text))
    job = finished(rt, input_dir=str(place), use_png_info=True, png_info_props=["Prompt", "Negative prompt", "Seed", "Sampler"])
    found = job.result["images"][0]["infotext"]
    assert found.startswith("a cat a dog\nNegative prompt: bad\nSteps: 2, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 77")


def test_each_picture_may_be_scaled_by_its_own_size(rt, tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    for size in (64, 128):
        (place / f"{size}.png").write_bytes(png_bytes(Image.new("RGB", (size, size)), ""))
    job = finished(rt, input_dir=str(place), resize_by=True, scale_by=0.5 + 0.5)
    assert sorted(image["width"] for image in job.result["images"]) == [64, 128]


def test_a_resumed_batch_makes_only_what_is_missing(rt, folder, tmp_path):
    whole = finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out"))
    rest = Job(id="resumed-batch", kind=folder_batch.KIND, request=whole.request, settings=whole.settings)
    rest.pictures = whole.pictures[:1]
    made = []
    rt.queue.note_picture, original = lambda job, index, path, text: made.append(index), rt.queue.note_picture
    try:
        with rt.queue.turn:
            result = folder_batch.run(rest, rt.state)
    finally:
        rt.queue.note_picture = original
    assert len(result["images"]) == 2 and made == [whole.pictures[1].index]


def test_uploaded_pictures_keep_their_names(rt, folder, tmp_path):
    job = finished(rt, files=[folder / "b.png", folder / "broken.png"], output_dir=str(tmp_path / "out"))
    assert names(tmp_path / "out") == ["b.png"] and "broken.png was left out" in job.result["notes"][0]


def test_only_so_many_results_are_shown_as_settings_say(rt, folder):
    with rt.settings.overriding({"img2img_batch_show_results_limit": 1}):
        job = finished(rt, input_dir=str(folder))
    assert len(job.result["images"]) == 1 and len(job.pictures) == 2


@pytest.mark.parametrize("values, field", [
    ({"input_dir": "no/such/folder"}, "input_dir"), ({}, "input_dir"), ({"input_dir": "models"}, "input_dir"),
    ({"mask_dir": "no/such/folder", "input_dir": "."}, "mask_dir"), ({"png_info_props": ["Hat"], "input_dir": "."}, "png_info_props"),
    ({"skip_done": True, "input_dir": "."}, "skip_done"),
], ids=str)
def test_a_folder_that_is_not_there_or_empty_is_refused(rt, values, field):
    with pytest.raises(RequestError) as refusal:
        folder_batch.submit(rt, SMALL | values)
    assert refusal.value.field == field


def test_skip_gives_up_one_picture_and_the_others_are_made(rt, folder, tmp_path, monkeypatch):
    begin, begun = StableDiffusionProcessingImg2Img.init, []

    def skipped_at_first(p, *args):
        begun.append(p.kept_name)
        assert rt.queue.skip() or len(begun) > 1
        rt.state.skipped = len(begun) == 1
        begin(p, *args)

    monkeypatch.setattr(StableDiffusionProcessingImg2Img, "init", skipped_at_first)
    job = finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out"))
    assert begun == ["b", "a [seed]"] and names(tmp_path / "out") == ["sub/a [seed].png"] and len(job.pictures) == 1


def test_a_batch_that_leaves_out_what_is_done_is_whole_after_a_restart(rt, folder, tmp_path):
    whole = finished(rt, input_dir=str(folder / "sub"), output_dir=str(tmp_path / "out"), skip_done=True, n_iter=3)
    Path(whole.pictures[2].path).unlink()
    rest = Job(id="resumed", kind=folder_batch.KIND, request=whole.request, settings=whole.settings, pictures=whole.pictures[:2])
    with rt.queue.turn:
        folder_batch.run(rest, rt.state)
    assert names(tmp_path / "out") == ["a [seed]-1.png", "a [seed]-2.png", "a [seed]-3.png"]


@pytest.mark.parametrize("files, stems, done", [
    (["a.png"], ["a", "a-2"], "a"), (["a-1.png", "a-2.jpg"], ["a"], "a"), (["a-2.png"], ["a", "a-2"], "a-2"),
    (["a-b.png", "a-b-3.png"], ["a", "a-b"], "a-b"), (["ab.png"], ["a"], "ab")], ids=str)
def test_a_result_belongs_to_the_picture_of_its_name_or_of_the_name_before_a_number(files, stems, done):
    assert folder_batch.stems_with_result(map(Path, files), set(stems)) == {done}


def test_limits_of_the_server_count_every_file_and_look_at_each_size(rt, tmp_path, monkeypatch):
    place = tmp_path / "in"
    place.mkdir()
    for size in (64, 128):
        (place / f"{size}.png").write_bytes(png_bytes(Image.new("RGB", (size, size)), ""))
    monkeypatch.setattr(rt.queue, "admit", admission(Namespace(limit_pictures=3, limit_pixels=64 * 64)))
    with pytest.raises(RequestError, match="4 pictures in a job"):
        folder_batch.submit(rt, SMALL | {"input_dir": str(place), "n_iter": 2})
    job = finished(rt, input_dir=str(place), resize_by=True, scale_by=1.0)
    assert [image["width"] for image in job.result["images"]] == [64]
    assert any(note.startswith("128.png was left out: ") and "limit is 4,096" in note for note in job.result["notes"])


def test_folders_of_masks_and_results_are_listed_once(rt, folder, tmp_path, monkeypatch):
    (folder / "broken.png").unlink()
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "any.png").write_bytes(png_bytes(Image.new("L", (64, 64)), ""))
    listed, rglob = [], Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, pattern: listed.append(path) or rglob(path, pattern))
    finished(rt, input_dir=str(folder), output_dir=str(tmp_path / "out"), mask_dir=str(masks))
    assert [path for path in listed if path.is_relative_to(tmp_path)] == [folder, masks]


def test_a_selected_script_runs_for_each_file_and_its_pictures_are_the_jobs(rt, folder):
    loops = {"selected": "Loopback", "args": {"Loopback": [2, 0.5, "Linear", "None"]}}
    job = finished(rt, input_dir=str(folder), **{SCRIPTS: loops})
    files = sorted({picture.index // folder_batch.PLACES_OF_A_SCRIPT for picture in job.pictures})
    assert files == [0, 2] and len(job.pictures) == 4
