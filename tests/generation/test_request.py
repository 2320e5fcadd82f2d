"""What can be judged from a request alone is refused before a job exists, with the field and the way out."""
import pytest

from modules import txt2img
from modules.errors import NotFound, RequestError, UserError
from modules.generation.request import chosen_sampler

SMALL = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "sampler_name": "Euler"}
HIRES = {"enable_hr": True, "denoising_strength": 0.5}


@pytest.mark.parametrize("sampler, schedule, expected", [
    ("DPM++ 2M Karras", "Automatic", ("DPM++ 2M", "Karras")),
    ("dpm++ 2m", "Automatic", ("DPM++ 2M", "Automatic")),
    ("DPM++ 2M", None, ("DPM++ 2M", "Uniform")),
    ("DPM++ 2M", "karras", ("DPM++ 2M", "Karras")),
    ("Euler a", None, ("Euler a", "Automatic")),
    ("Restart", None, ("Restart", "Automatic")),
])
def test_sampler_and_schedule_are_told_apart_in_every_accepted_form(sampler, schedule, expected):
    assert chosen_sampler(sampler, schedule) == expected


@pytest.mark.parametrize("wrong", [
    {"sampler_name": "Nope"}, {"scheduler": "Nope"}, {"styles": ["Nope"]}, {"steps": 0}, {"steps": 10**9}, {"width": 10**9},
    {"override_settings": {"sd_model_checkpoint": "Nope"}}, {"override_settings": {"CLIP_stop_at_last_layers": 99}},
    {"refiner_checkpoint": "Nope"}, HIRES | {"hr_upscaler": "Nope"}, HIRES | {"hr_sampler_name": "Nope"},
    HIRES | {"hr_scheduler": "Nope"}, HIRES | {"hr_checkpoint_name": "Nope"}, HIRES | {"hr_resize_x": 1},
], ids=str)
def test_a_value_that_cannot_be_is_refused_before_a_job_exists(runtime, wrong):
    with pytest.raises((RequestError, NotFound)) as refusal:
        txt2img.submit(runtime, SMALL | wrong)
    assert len(str(refusal.value)) > 20
    assert not runtime.queue.jobs()


def test_a_job_holds_the_settings_of_the_moment_when_it_was_made(runtime):
    runtime.queue.pause()
    job = txt2img.submit(runtime, SMALL | {"seed": 1})
    runtime.settings.set("CLIP_stop_at_last_layers", 2)
    runtime.queue.resume()
    assert job.wait(60) and job.status == "done", job.error
    assert "Clip skip" not in job.result["images"][0]["infotext"]


def test_an_unknown_override_is_left_out_and_said(runtime):
    job = txt2img.submit(runtime, SMALL | {"override_settings": {"no_such_setting": 1}})
    assert job.wait(60) and "no_such_setting" in job.result["notes"][0]


def test_a_size_that_is_rounded_down_is_said(runtime):
    job = txt2img.submit(runtime, SMALL | {"width": 71})
    assert job.wait(60) and "71" in job.result["notes"][0] and job.result["images"][0]["width"] == 64


def test_a_folder_that_cannot_be_written_ends_the_job_and_keeps_the_picture(runtime):
    blocked = runtime.folders.data / "blocked"
    blocked.write_text("a file where a folder should be")
    runtime.settings.set("outdir_txt2img_samples", str(blocked))
    job = txt2img.submit(runtime, SMALL)
    assert job.wait(60) and job.status == "failed"
    assert str(blocked) in job.error and job.pictures[0].path.endswith(".png")
    runtime.settings.set("outdir_txt2img_samples", "outputs/again")
    again = txt2img.submit(runtime, SMALL)
    assert again.wait(60) and again.status == "done"


def test_an_empty_prompt_makes_a_picture(runtime):
    job = txt2img.submit(runtime, SMALL | {"prompt": ""})
    assert job.wait(60) and job.status == "done" and isinstance(job.error, (str, type(None)))


def test_errors_of_requests_are_sentences(runtime):
    with pytest.raises(UserError) as refusal:
        txt2img.submit(runtime, SMALL | {"sampler_name": "DPM++ 2X"})
    assert "DPM++ 2M" in str(refusal.value)
