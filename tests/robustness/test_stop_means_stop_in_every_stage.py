"""Promise 3 in the stages of a real job: text encoder, both passes, VAE on the way in and out, upscaler, script."""
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tiny_model
from PIL import Image
from runtime_parts import running

from modules import img2img, txt2img
from modules.jobs.job import Job

EVALUATION_S = 0.25
MOST_S = 0.5
REQUEST = {"prompt": "a cat BREAK a dog", "steps": 12, "width": 64, "height": 64, "seed": 1, "sampler_name": "Heun", "n_iter": 8,
           "do_not_save_grid": True, "override_settings": {"live_previews_enable": False}}
HIRES = {**REQUEST, "enable_hr": True, "hr_scale": 2, "denoising_strength": 0.7, "steps": 1}


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("stop") / "data")) as rt:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        rt.models.ensure(rt.chosen_checkpoint())
        yield rt


def from_picture(rt: Any) -> Job:
    return img2img.submit(rt, {**REQUEST, "init_images": [Image.new("RGB", (64, 64), "red")], "batch_size": 1})


STAGES: dict[str, tuple[Callable[[Any], tuple[Any, str]], Callable[[Any], Job]]] = {
    "text encoder": (lambda rt: (rt.models.current.cond_stage_model, "forward"), lambda rt: txt2img.submit(rt, REQUEST)),
    "first pass": (lambda rt: (rt.models.current.model.diffusion_model, "forward"), lambda rt: txt2img.submit(rt, REQUEST)),
    "second pass": (lambda rt: (rt.models.current.model.diffusion_model, "forward"), lambda rt: txt2img.submit(rt, {**HIRES, "steps": 20})),
    "decoding": (lambda rt: (rt.models.current.first_stage_model, "decode"), lambda rt: txt2img.submit(rt, {**HIRES, "batch_size": 4})),
    "encoding": (lambda rt: (rt.models.current.first_stage_model, "encode"), from_picture),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stop_in_the_middle_of_an_evaluation_is_over_within_the_next(rt, monkeypatch, stage):
    place, submit = STAGES[stage]
    owner, name = place(rt)
    real, begun, ended = getattr(owner, name), [], []

    def slow(*args: Any, **more: Any) -> Any:
        begun.append(time.process_time())
        time.sleep(EVALUATION_S)
        answer = real(*args, **more)
        ended.append(time.process_time())
        return answer

    monkeypatch.setattr(owner, name, slow)
    rt.conditions.clear()
    job = submit(rt)
    while not begun:
        time.sleep(0.005)
    assert rt.queue.interrupt(job.id) and job.wait(60)
    # Processor seconds: on a machine with other work the clock on the wall says nothing about this program.
    evaluation_s = max(end - begin for begin, end in zip(begun, ended))
    assert job.status == "interrupted" and time.process_time() - ended[0] < evaluation_s + MOST_S and len(begun) <= 2
