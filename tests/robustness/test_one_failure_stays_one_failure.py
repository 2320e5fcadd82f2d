"""Promise 4: after any error the next job runs as if nothing had happened: same weights, same settings, memory back."""
import gc
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
import tiny_model
import torch
from PIL import Image
from runtime_parts import running

from modules import txt2img
from modules.generation import outputs, text_to_image
from modules.jobs.job import Job

REQUEST = {"prompt": "a red cube", "steps": 3, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler a", "do_not_save_grid": True}
MIB = 2**20


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("failure") / "data")) as rt:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt


def over(rt: Any, **changes: Any) -> Job:
    rt.conditions.clear()  # so that the text encoder takes part every time
    job = txt2img.submit(rt, {**REQUEST, **changes}, api=True)
    assert job.wait(60)
    return job


def pixels(job: Job) -> bytes:
    assert job.status == "done", job.error
    return b"".join(Image.open(image["path"]).convert("RGB").tobytes() for image in job.result["images"])


def weights(rt: Any) -> dict[str, str]:
    state = rt.models.current.state_dict()
    return {name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest() for name, tensor in state.items()}


PLACES: dict[str, Callable[[Any], tuple[Any, str]]] = {
    "text encoder": lambda rt: (rt.models.current.cond_stage_model, "forward"),
    "U-Net": lambda rt: (rt.models.current.model.diffusion_model, "forward"),
    "sampler": lambda rt: (text_to_image, "sample_from_noise"),
    "VAE": lambda rt: (rt.models.current.first_stage_model, "decode"),
    "saving": lambda rt: (outputs, "save_picture"),
}
ERRORS: dict[str, BaseException] = {
    "a mistake": RuntimeError("boom\nsecond line"), "no memory": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "an exit": SystemExit(3), "too deep": RecursionError("maximum recursion depth exceeded"),
}


PAIRS = [(place, error) for place in PLACES for error in ERRORS]
SOME = [("text encoder", "no memory"), ("U-Net", "a mistake"), ("sampler", "an exit"), ("VAE", "no memory"), ("saving", "too deep")]


@pytest.fixture(scope="module")
def before(rt) -> tuple[bytes, dict[str, str], dict[str, Any]]:
    """The picture, weights and settings of a program in which nothing has failed yet."""
    return pixels(over(rt)), weights(rt), rt.settings.snapshot()


def check_that_the_next_job_is_as_before(rt, monkeypatch, before, place: str, error: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ERRORS[error]

    with monkeypatch.context() as patch:
        patch.setattr(*PLACES[place](rt), fail)
        failed = over(rt, prompt="something else <lora:tinylora:1>", override_settings={"CLIP_stop_at_last_layers": 2})
    assert failed.status == "failed" and failed.error
    assert "\n" not in failed.error and "Traceback" not in failed.error
    assert ("memory" in failed.error and "--medvram" in failed.error) == (error == "no memory")
    assert (pixels(over(rt)), weights(rt), rt.settings.snapshot()) == before


@pytest.mark.parametrize("place, error", SOME)
def test_the_next_job_is_as_if_nothing_had_happened(rt, monkeypatch, before, place, error):
    check_that_the_next_job_is_as_before(rt, monkeypatch, before, place, error)


@pytest.mark.long
@pytest.mark.parametrize("place, error", PAIRS)
def test_the_next_job_is_as_before_after_any_error_anywhere(rt, monkeypatch, before, place, error):
    check_that_the_next_job_is_as_before(rt, monkeypatch, before, place, error)


def test_memory_that_a_failed_job_took_comes_back(rt, monkeypatch):
    def hungry(*_: Any, **__: Any) -> None:
        taken = torch.ones(100 * MIB // 4)
        torch.empty(10**15).copy_(taken)  # more than any machine has

    pixels(over(rt))
    gc.collect()
    before = psutil.Process().memory_info().rss
    with monkeypatch.context() as patch:
        patch.setattr(rt.models.current.model.diffusion_model, "forward", hungry)
        for _ in range(2):
            failed = over(rt, width=512, height=768, batch_size=4, steps=1)
            assert failed.status == "failed" and "a batch size of 2 or 256 x 384 pixels" in failed.error
    assert psutil.Process().memory_info().rss - before < 50 * MIB
    pixels(over(rt))


@pytest.mark.parametrize("place, words", [("U-Net", "network gave numbers"), ("VAE", "VAE gave numbers")])
def test_numbers_that_are_none_are_a_sentence_and_never_a_black_picture(rt, monkeypatch, before, place, words):
    owner, name = PLACES[place](rt)
    real = getattr(owner, name)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, lambda *args, **more: real(*args, **more) * float("nan"))
        failed = over(rt)
    assert failed.status == "failed" and words in failed.error
    assert pixels(over(rt)) == before[0]
