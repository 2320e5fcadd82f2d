"""Extras as a job: the chain of steps, its files and infotexts, batches in which some files are broken, and stopping."""
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imaging.test_upscaler_table import pixel_doubler
from PIL import Image
from runtime_parts import running

from modules import postprocessing, scripts
from modules.errors import NotFound, RequestError, UserError
from modules.imaging.embedded_text import read_infotext
from modules.imaging.encode import png_bytes
from modules.jobs.job import Job
from modules.postprocessing import ExtrasRequest
from modules.runtime import Runtime
from modules.scripts_postprocessing import ScriptPostprocessing, StepOptions

INFOTEXT = "a cat, sitting\nNegative prompt: dog\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 64x64"


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("extras") / "data"
    pixel_doubler(folder / "models" / "ESRGAN" / "2x_plain.pth")
    with running(folder) as parts:
        yield parts


@pytest.fixture
def setting(rt: Runtime) -> Iterator[Any]:
    """setting(key, value) for one test."""
    before: dict[str, Any] = {}

    def change(key: str, value: Any) -> None:
        before.setdefault(key, rt.settings.data[key])
        rt.settings.set(key, value)

    yield change
    for key, value in before.items():
        rt.settings.set(key, value)


def picture(width: int = 48, height: int = 32, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(width).integers(0, 255, (height, width, len(mode)), dtype=np.uint8)
    return Image.fromarray(values.squeeze(), mode)


def done(job: Job) -> Job:
    assert job.wait(60)
    return job


def ran(rt: Runtime, steps: dict[str, dict[str, Any]], given: Any = None, **asked: Any) -> Job:
    job = done(postprocessing.submit(rt, ExtrasRequest(picture=picture() if given is None else given, steps=steps, **asked)))
    assert job.status == "done", job.error
    return job


def results(job: Job) -> list[Image.Image]:
    return [Image.open(row["path"]) for row in (job.result or {})["images"]]


def upscale(**values: Any) -> dict[str, dict[str, Any]]:
    return {"Upscale": {"upscale_by": 2, "upscaler_1_name": "Lanczos", **values}}


def test_a_picture_without_any_step_stays_as_it_is(rt):
    assert results(ran(rt, {}))[0].tobytes() == picture().tobytes()


@pytest.mark.parametrize("name", ["Lanczos", "Nearest", "2x_plain"])
def test_upscaling_is_saved_under_a_number_and_keeps_what_the_picture_said(rt, name):
    job = ran(rt, upscale(upscaler_1_name=name), png_bytes(picture(), INFOTEXT))
    made = results(job)[0]
    assert made.size == (96, 64)
    path = Path(job.result["images"][0]["path"])
    assert path.parent == rt.folders.data / "outputs/extras-images" and path.stem.isdigit()
    assert read_infotext(made) == f"{INFOTEXT}, Postprocess upscale by: 2, Postprocess upscaler: {name}"


def test_scale_to_covers_and_crops_and_says_so(rt):
    steps = upscale(upscale_mode=1, upscale_to_width=96, upscale_to_height=96, upscale_crop=True, upscaler_1_name="Nearest")
    job = ran(rt, steps)
    assert results(job)[0].size == (96, 96)
    assert results(job)[0].getpixel((48, 48)) == picture().getpixel((24, 16))
    assert job.result["images"][0]["infotext"] == ("Postprocess upscale to: 96x96, Postprocess crop to: 96x96, "
                                                   "Postprocess upscaler: Nearest")
    assert results(ran(rt, {"Upscale": steps["Upscale"] | {"upscale_crop": False}}))[0].size == (144, 96)


@pytest.mark.parametrize("visibility", [0.0, 0.5, 1.0])
def test_a_second_upscaler_is_blended_over_the_first(rt, visibility):
    job = ran(rt, upscale(upscaler_2_name="Nearest", upscaler_2_visibility=visibility))
    first, second = (picture().resize((96, 64), filter) for filter in (Image.Resampling.LANCZOS, Image.Resampling.NEAREST))
    assert results(job)[0].tobytes() == Image.blend(first, second, visibility).tobytes()
    assert ("Postprocess upscaler 2: Nearest" in job.result["images"][0]["infotext"]) is (visibility > 0)


@pytest.mark.parametrize("kind", ["RGBA", "L", "16 bit", "one pixel"])
def test_unusual_pictures_come_out_enlarged(rt, kind):
    wide = Image.fromarray(np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16))
    given = {"RGBA": picture(mode="RGBA"), "L": picture(mode="L"), "16 bit": png_bytes(wide, ""),
             "one pixel": Image.new("RGB", (1, 1), "red")}
    made = results(ran(rt, upscale(upscaler_1_name="2x_plain"), given[kind]))[0]
    assert made.size == ((2, 2) if kind == "one pixel" else (96, 64))
    if kind == "RGBA":
        assert made.getchannel("A").tobytes() == picture(mode="RGBA").getchannel("A").resize((96, 64), Image.Resampling.LANCZOS).tobytes()
    elif kind == "16 bit":
        assert made.mode == "L" and abs(made.getpixel((95, 63)) - 255) <= 2 and made.getpixel((0, 0)) <= 2
    else:
        assert made.mode == given[kind].mode


def test_a_target_of_30000_px_is_made_where_it_is_narrow_and_refused_in_a_sentence_where_it_is_not(rt):
    narrow = upscale(upscale_mode=1, upscale_to_width=30_000, upscale_to_height=16, upscale_crop=False, upscaler_1_name="Nearest")
    assert results(ran(rt, narrow, Image.new("RGB", (1875, 1))))[0].size == (30_000, 16)
    large = upscale(upscale_mode=1, upscale_to_width=30_000, upscale_to_height=30_000)
    job = done(postprocessing.submit(rt, ExtrasRequest(picture=picture(), steps=large)))
    assert job.status == "failed" and "limit is 400 megapixels" in job.error and "\n" not in job.error


def test_a_batch_of_fifty_with_three_broken_files_leaves_those_out_and_names_them(rt, tmp_path):
    files = []
    for number in range(50):
        path = tmp_path / f"photo {number:02d}.png"
        path.write_bytes(b"no picture" if number in (7, 31) else b"" if number == 49 else png_bytes(picture(16, 16), INFOTEXT))
        files.append(str(path))
    job = done(postprocessing.submit(rt, ExtrasRequest(files=files, steps=upscale())))
    assert job.status == "done" and job.result["batch"] == {"files": 50, "pictures": 47}
    assert [note.split(" was left out")[0] for note in job.result["notes"]] == ["photo 07.png", "photo 31.png", "photo 49.png"]
    assert Path(job.result["images"][0]["path"]).name == "photo 00.png" and len(job.pictures) == 47
    assert all(image.size == (32, 32) for image in results(job))


def test_a_folder_keeps_its_sub_folders_and_names_and_nothing_is_replaced(rt, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    for name in ("a.png", "deep/b.webp"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        picture().save(source / name)
    asked = ExtrasRequest(input_dir=str(source), output_dir=str(target), steps=upscale(), show=False)
    for _ in range(2):
        assert done(postprocessing.submit(rt, asked)).result["images"] == []
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*.png")) == ["a-1.png", "a.png", "deep/b-1.png", "deep/b.png"]


def test_what_cannot_work_is_refused_before_a_job_exists(rt, tmp_path):
    for asked, error in ((ExtrasRequest(), RequestError), (ExtrasRequest(picture=b"x"), RequestError),
                         (ExtrasRequest(input_dir=str(tmp_path / "none")), RequestError),
                         (ExtrasRequest(picture=picture(), steps={"Nothing": {}}), NotFound)):
        with pytest.raises(error):
            postprocessing.submit(rt, asked)


def test_an_upscaler_whose_file_is_broken_fails_one_picture_with_its_name(rt):
    path = rt.folders.models / "ESRGAN" / "broken.pth"
    path.write_bytes(b"PK\x03\x04 and no more")
    job = done(postprocessing.submit(rt, ExtrasRequest(picture=picture(), steps=upscale(upscaler_1_name="broken"))))
    path.unlink()
    assert job.status == "failed" and job.error.startswith("Cannot load broken.pth.") and "Traceback" not in job.error


def test_steps_that_make_several_pictures_save_them_all(rt):
    job = ran(rt, {"Create flipped copies": {"enable": True, "option": ["Horizontal", "Both"]}})
    plain, mirrored, both = results(job)
    assert mirrored.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes() == plain.tobytes()
    assert both.transpose(Image.Transpose.ROTATE_180).tobytes() == plain.tobytes()
    assert len({row["path"] for row in job.result["images"]}) == 3


def test_a_long_picture_is_split_into_overlapping_ones_of_the_size_that_upscaling_names(rt):
    split = {"Split oversized images": {"enable": True, "split_threshold": 0.5, "overlap_ratio": 0.2}}
    size = upscale(upscale_mode=1, upscale_to_width=64, upscale_to_height=64, upscale_crop=False, upscaler_1_name="Nearest")
    parts = results(ran(rt, size | split, picture(32, 128)))
    assert [part.size for part in parts] == [(64, 64)] * 5
    assert parts[0].getpixel((9, 3)) == picture(32, 128).getpixel((4, 1))
    assert parts[4].getpixel((9, 63)) == picture(32, 128).getpixel((4, 127))
    note = ran(rt, split).result["notes"][0]
    assert "no size is given" in note


def test_auto_sized_crop_takes_the_best_multiple_of_64(rt):
    step = {"enable": True, "mindim": 64, "maxdim": 256, "minarea": 4096, "maxarea": 65536, "threshold": 0.12}
    assert results(ran(rt, {"Auto-sized crop": step}, picture(300, 200)))[0].size == (256, 192)
    best = {"Auto-sized crop": step | {"objective": "Minimize error"}}
    assert results(ran(rt, best, picture(300, 150)))[0].size == (256, 128)
    job = ran(rt, {"Auto-sized crop": step | {"threshold": 0.0}}, picture(301, 200))
    assert results(job)[0].size == (301, 200) and "left 301x200 px as it is" in job.result["notes"][0]


def test_focal_crop_follows_what_is_in_the_picture(rt):
    plain = Image.new("RGB", (200, 50), "grey")
    plain.paste(picture(40, 40), (150, 5))
    steps = upscale(upscale_mode=1, upscale_to_width=50, upscale_to_height=50, upscale_crop=False, upscaler_1_name="None")
    focal = {"Auto focal point crop": {"enable": True, "face_weight": 0.0, "debug": True}}
    crop, debug = results(ran(rt, steps | focal, plain))
    assert crop.size == (50, 50) and debug.size == (200, 50)
    assert np.asarray(crop)[25, 25].std() + np.asarray(crop).std() > 20


def test_the_order_of_steps_is_a_setting_and_steps_can_be_switched_off(rt, setting):
    steps = upscale(upscale_by=4) | {"Auto-sized crop": {"enable": True, "mindim": 64, "maxdim": 64, "minarea": 4096, "threshold": 1}}
    assert results(ran(rt, steps))[0].size == (64, 64)
    setting("postprocessing_operation_order", ["Auto-sized crop"])
    assert results(ran(rt, steps))[0].size == (256, 256)
    setting("postprocessing_disable_in_extras", ["Auto-sized crop"])
    assert results(ran(rt, steps))[0].size == (192, 128)


def test_names_follow_the_settings(rt, setting, tmp_path):
    path = tmp_path / "holiday.png"
    picture().save(path)
    setting("use_upscaler_name_as_suffix", True)
    named = done(postprocessing.submit(rt, ExtrasRequest(files=[str(path)], steps=upscale())))
    assert Path(named.result["images"][0]["path"]).stem == "holiday-Lanczos"
    setting("use_original_name_batch", False)
    numbered = done(postprocessing.submit(rt, ExtrasRequest(files=[str(path)], steps=upscale())))
    assert Path(numbered.result["images"][0]["path"]).stem[:5].isdigit()


class Captioned(ScriptPostprocessing):
    name, order = "Captioned", 5000

    def process(self, pp: Any, **values: Any) -> None:
        pp.caption = f"a picture of {pp.image.width} px"
        pp.notes.append("Captioned.")


class Failing(ScriptPostprocessing):
    name, order = "Failing", 100
    error: Exception = ZeroDivisionError("division by zero")

    def process(self, pp: Any, **values: Any) -> None:
        raise self.error


@pytest.fixture
def step(rt: Runtime) -> Iterator[Any]:
    """step(object): a further step for one test."""
    runner = scripts.scripts_postproc
    before = list(runner.scripts)

    def add(one: ScriptPostprocessing) -> None:
        one.controls = {}
        runner.scripts.append(one)

    runner.ensure_controls()
    yield add
    runner.scripts = before


@pytest.mark.parametrize("action, text", [("Ignore", "a picture of 48 px"), ("Prepend", "red a picture of 48 px"),
                                          ("Append", "a picture of 48 px red"), ("Keep", "red")])
def test_a_caption_lies_beside_the_picture_joined_with_the_one_before(rt, setting, step, tmp_path, action, text):
    step(Captioned())
    setting("postprocessing_existing_caption_action", action)
    picture().save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("red\n")
    asked = ExtrasRequest(input_dir=str(tmp_path), output_dir=str(tmp_path / "out"), steps={"Captioned": {}})
    job = done(postprocessing.submit(rt, asked))
    assert (tmp_path / "out" / "a.txt").read_text() == f"{text}\n" and job.result["notes"] == ["a.png: Captioned."]


def test_a_step_that_fails_is_named_and_costs_one_picture_of_a_batch(rt, step, tmp_path):
    failing = Failing()
    step(failing)
    picture().save(tmp_path / "a.png")
    job = done(postprocessing.submit(rt, ExtrasRequest(picture=picture(), steps={"Failing": {}})))
    assert job.status == "failed" and job.error.startswith("The step Failing") and "division by zero" in job.error
    failing.error = UserError("No face.")
    job = done(postprocessing.submit(rt, ExtrasRequest(files=[str(tmp_path / "a.png")], steps={"Failing": {}})))
    assert job.status == "done" and job.result["notes"] == ["a.png was left out: No face."]


class Waiting(ScriptPostprocessing):
    name, order = "Waiting", 100

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def process(self, pp: Any, **values: Any) -> None:
        self.reached.set()
        assert self.go_on.wait(30)


@pytest.mark.parametrize("signal", ["interrupt", "skip"])
def test_stop_keeps_what_is_finished_and_skip_goes_on_with_the_next(rt, step, tmp_path, signal):
    waiting = Waiting()
    step(waiting)
    for number in range(3):
        picture().save(tmp_path / f"{number}.png")
    steps = upscale(upscaler_1_name="2x_plain") | {"Waiting": {}}
    asked = ExtrasRequest(input_dir=str(tmp_path), output_dir=str(tmp_path / "out"), steps=steps)
    job = postprocessing.submit(rt, asked)
    assert waiting.reached.wait(30)
    getattr(rt.queue.state, signal)()
    waiting.go_on.set()
    assert done(job).status == ("interrupted" if signal == "interrupt" else "done")
    assert len(job.result["images"]) == (0 if signal == "interrupt" else 2)
    assert not list((tmp_path / "out").glob("*")) or signal == "skip"


def test_a_resumed_batch_makes_only_what_is_missing(rt, tmp_path):
    for number in range(3):
        picture().save(tmp_path / f"{number}.png")
    first = done(postprocessing.submit(rt, ExtrasRequest(input_dir=str(tmp_path), output_dir=str(tmp_path / "out"), steps=upscale())))
    again = Job(id="again", kind=postprocessing.KIND, request=first.request, settings=first.settings, pictures=first.pictures[:2])
    with rt.queue.turn:
        result = postprocessing.run(again, rt.queue.state)
    assert [Path(row["path"]).name for row in result["images"]] == ["0.png", "1.png", "2-1.png"]


def test_a_full_folder_ends_the_job_and_keeps_the_picture(rt, setting, tmp_path):
    (tmp_path / "file").write_text("")
    setting("outdir_extras_samples", str(tmp_path / "file" / "below"))
    job = done(postprocessing.submit(rt, ExtrasRequest(picture=picture(), steps=upscale())))
    assert job.status == "failed" and job.error.startswith("Cannot save the picture")
    assert Image.open(job.pictures[0].path).size == (96, 64)


def test_the_bundled_steps_stand_in_their_order(rt):
    names = [step.name for step in scripts.scripts_postproc.in_order(StepOptions())]
    expected = ["Upscale", "GFPGAN", "CodeFormer", "Split oversized images", "Auto focal point crop", "Auto-sized crop",
                "Create flipped copies", "Caption"]
    assert names == [name for name in expected if name in names] and "Simple Upscale" not in names
