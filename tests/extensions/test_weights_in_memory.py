"""A model of weights that an extension made: `load_model` with tensors by name, under the names of a copied entry of the list."""
import copy
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_model import tiny_checkpoint

from modules import sd_models, shared
from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound

SHA256 = "ab" * 32


@pytest.fixture
def weights():
    """Those halfway between two models."""
    first, second = (load_file(tiny_checkpoint(seed)) for seed in (1, 2))
    return {name: (first[name] + second[name]) / 2 if first[name].is_floating_point() else first[name] for name in first}


@pytest.fixture
def merged():
    """A copy of an entry with other names, as extensions make it."""
    info = copy.deepcopy(sd_models.get_closet_checkpoint_match("tiny-sd1-s1"))
    info.name, info.model_name, info.sha256 = "half and half.safetensors", "half and half", SHA256
    info.title, info.metadata = f"{info.name} [{SHA256[:10]}]", {"sd_merge_models": {"a": 1}}
    return info


@pytest.fixture
def picture(rt, made):
    """The pixels of a job's picture and its infotext."""
    def make():
        job = made(prompt="halfway", save_images=True)
        with Image.open(job.result["images"][0]["path"]) as image:
            return image.convert("RGB").tobytes(), image.text["parameters"]
    yield make
    rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
    sd_models.unload_model_weights()


def test_a_copied_entry_takes_other_names_and_the_entry_keeps_its_own(rt, merged):
    original = rt.checkpoints.find("tiny-sd1-s1")
    assert (merged.short_hash, merged.calculate_shorthash(), str(merged)) == (SHA256[:10],) * 2 + (merged.title,)
    assert original.model_name == "tiny-sd1-s1" and original.metadata != merged.metadata and merged.filename == original.filename
    assert copy.deepcopy(merged).title == merged.title
    with pytest.raises(AttributeError):
        original.sha256 = SHA256


def test_weights_in_memory_make_the_pictures_of_the_same_weights_in_a_file(rt, weights, merged, picture):
    plain, _ = picture()
    model = sd_models.load_model(merged, already_loaded_state_dict=weights)
    assert shared.sd_model is model is sd_models.model_data.sd_model and shared.opts.sd_model_checkpoint == merged.title
    from_memory, infotext = picture()
    assert f"Model hash: {SHA256[:10]}, Model: half and half" in infotext
    save_file(weights, rt.folders.checkpoints / "in a file.safetensors")
    shutil.copy(Path(merged.filename).with_suffix(".yaml"), rt.folders.checkpoints / "in a file.yaml")
    sd_models.list_models()
    assert merged.title in sd_models.checkpoints_list, "it is listed as long as it is in memory"
    rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("in a file").title)
    from_file, _ = picture()
    assert from_memory == from_file != plain


def test_what_changes_in_the_given_weights_afterwards_changes_no_picture(rt, weights, merged, picture):
    sd_models.load_model(merged, already_loaded_state_dict=weights)
    before, _ = picture()
    for tensor in weights.values():
        tensor.zero_()
    assert picture()[0] == before


def test_weights_under_the_names_of_a_file_have_a_hash_of_their_own(rt, weights, picture):
    info = rt.checkpoints.find("tiny-sd1-s1")
    held = sd_models.load_model(info, already_loaded_state_dict=weights).checkpoint
    assert held.title != info.title and len(held.sha256) == 64 and held.sha256 != info.sha256
    assert rt.checkpoints.find(held.title) is held and rt.checkpoints.find(info.title) is info
    assert f"Model hash: {held.short_hash}" in picture()[1]


def test_weights_that_left_the_memory_are_missed_by_their_name(rt, weights, merged, picture):
    held = sd_models.load_model(merged, already_loaded_state_dict=weights).checkpoint
    sd_models.unload_model_weights()
    assert merged.title not in sd_models.checkpoints_list
    with pytest.raises(NotFound, match=r"half and half.*no file holds them"):
        rt.checkpoints.find(merged.title)
    with pytest.raises(WeightsError, match="no file holds them"):
        rt.models.ensure(held, fall_back=False)
    assert sd_models.load_model(merged, already_loaded_state_dict=weights).checkpoint.title == merged.title


def test_weights_that_are_missing_are_named_and_nothing_else_changes(rt, weights, merged, picture):
    incomplete = {name: tensor for name, tensor in weights.items() if not name.startswith("first_stage_model.decoder.")}
    chosen = shared.opts.sd_model_checkpoint
    with pytest.raises(WeightsError, match=r"half and half.*not complete.*its VAE"):
        sd_models.load_model(merged, already_loaded_state_dict=incomplete)
    with pytest.raises(WeightsError, match="not a number"):
        sd_models.load_model(merged, already_loaded_state_dict=weights | {"first_stage_model.decoder.conv_in.bias":
                             torch.full_like(weights["first_stage_model.decoder.conv_in.bias"], torch.nan)})
    assert merged.title not in sd_models.checkpoints_list and shared.opts.sd_model_checkpoint == chosen
