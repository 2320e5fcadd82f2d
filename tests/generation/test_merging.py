"""Merging as a job of the running program."""
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from modules import merging
from modules.errors import NotFound, UserError
from modules.merging import MergeRequest


def finished(runtime, **values):
    job = merging.submit(runtime, MergeRequest(**values))
    job.wait(60)
    return job


def names(runtime):
    return {path.name for path in runtime.folders.checkpoints.iterdir()}


def test_a_merged_checkpoint_lies_beside_the_others_is_listed_and_carries_its_recipe(runtime):
    job = finished(runtime, primary="tiny-sd1-s1", secondary="tiny-sd1-s2", multiplier=0.25)
    assert job.status == "done", job.error
    assert runtime.checkpoints.find("0.75(tiny-sd1-s1) + 0.25(tiny-sd1-s2)").path.is_file()
    assert "tiny-sd1.yaml" not in names(runtime) and "0.75(tiny-sd1-s1) + 0.25(tiny-sd1-s2).yaml" in names(runtime)
    with safe_open(job.result["path"], "pt") as file:
        metadata = file.metadata()
    recipe = json.loads(metadata["sd_merge_recipe"])
    assert recipe["multiplier"] == 0.25 and recipe["primary_model_hash"] == runtime.checkpoints.find("tiny-sd1-s1").sha256
    assert len(json.loads(metadata["sd_merge_models"])) == 2


def test_the_merged_checkpoint_makes_pictures_and_a_name_in_use_gets_a_number(runtime):
    from modules import txt2img

    paths = [finished(runtime, primary="tiny-sd1-s1", method="No interpolation", half=True, custom_name="mine",
                      file_format=kind).result["path"] for kind in ("safetensors", "safetensors", "ckpt")]
    assert [path.rpartition("/")[2] for path in paths] == ["mine.safetensors", "mine-1.safetensors", "mine.ckpt"]
    job = txt2img.submit(runtime, {"steps": 1, "width": 64, "height": 64, "override_settings": {"sd_model_checkpoint": "mine.ckpt"}})
    job.wait(60)
    assert job.status == "done", job.error


def test_a_merge_that_is_interrupted_leaves_no_file(runtime):
    before = names(runtime)
    runtime.queue.pause()
    job = merging.submit(runtime, MergeRequest(primary="tiny-sd1-s1", secondary="tiny-sd1-s2"))
    merge_progress = merging.progress_into

    def interrupting(state):
        progress = merge_progress(state)

        def stop_at_five(done, of):
            if done == 5:
                runtime.queue.interrupt(job.id)
            progress(done, of)
        return stop_at_five

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "progress_into", interrupting)
        runtime.queue.resume()
        job.wait(60)
    assert job.status == "interrupted"
    assert names(runtime) == before


REFUSED = [
    ({"primary": ""}, "primary model"),
    ({"primary": "tiny-sd1-s1"}, "secondary model"),
    ({"primary": "tiny-sd1-s1", "secondary": "tiny-sd1-s2", "method": "Add difference"}, "tertiary model"),
    ({"primary": "tiny-sd1-s1", "secondary": "tiny-sd1-s2", "method": "Blend"}, "no choice for method"),
    ({"primary": "tiny-sd1-s1", "secondary": "tiny-sd1-s2", "block_weights": "1, a"}, "numbers between commas"),
    ({"primary": "tiny-sd1-s1", "secondary": "tiny-sd1-s2", "metadata_json": "{"}, "no JSON"),
    ({"primary": "tiny-sd1-s1", "secondary": "tiny-sd1-s2", "vae": "../x"}, "no VAE named"),
]


def test_what_cannot_be_merged_is_refused_before_a_job_exists(runtime):
    for values, sentence in REFUSED:
        with pytest.raises(UserError, match=sentence):
            merging.submit(runtime, MergeRequest(**values))
    with pytest.raises(NotFound):
        merging.submit(runtime, MergeRequest(primary="nobody"))


def test_a_pickled_checkpoint_is_converted_on_request_with_every_weight_as_it_was(runtime):
    original = runtime.folders.checkpoints / "tiny-sd1-s1.safetensors"
    pickled = finished(runtime, primary="tiny-sd1-s1", method="No interpolation", custom_name="old", file_format="ckpt").result["path"]
    path = finished(runtime, primary=Path(pickled).name, method="No interpolation", custom_name="new").result["path"]
    before, after = load_file(original), load_file(path)
    assert path.endswith("new.safetensors") and before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) and tensor.dtype == after[name].dtype for name, tensor in before.items())
