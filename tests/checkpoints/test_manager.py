"""The owner of the models: loads, keeps, falls back, changes VAEs and brings them back bit for bit."""
import gc
import shutil
import weakref

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.checkpoints.files import CheckpointList
from modules.checkpoints.manager import ModelManager
from modules.checkpoints.problems import WeightsError
from modules.hardware import Hardware, HardwareOptions

CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))


@pytest.fixture
def folder(tiny_data_dir):
    return tiny_data_dir / "models" / "Stable-diffusion"


@pytest.fixture
def manager(folder, tiny_checkpoint, tmp_path):
    return ModelManager(CheckpointList([folder], demo=tiny_checkpoint(2), cache=tmp_path / "hashes.json"), CPU)


def vae_state(model):
    return {name: value.clone() for name, value in model.first_stage_model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_model_is_loaded_once_and_knows_its_file_and_hash(manager):
    info = manager.checkpoints.find("tiny-sd1-s1")
    model = manager.ensure(info)
    assert manager.ensure(info) is model is manager.current and model.checkpoint is info
    assert info.title == "tiny-sd1-s1.safetensors [cebd47c6c9]"


def test_with_room_for_one_the_model_before_is_let_go(manager):
    first = weakref.ref(manager.ensure(manager.checkpoints.find("tiny-sd1-s1")))
    manager.ensure(manager.checkpoints.find("tiny-sd1-s2"))
    gc.collect()
    assert first() is None


def test_with_room_for_two_the_one_used_last_stays(manager, tiny_checkpoint, folder):
    manager.keep = 2
    shutil.copyfile(tiny_checkpoint(1), folder / "third.safetensors")
    shutil.copyfile(tiny_checkpoint(1).with_suffix(".yaml"), folder / "third.yaml")
    manager.checkpoints.refresh()
    one, two, three = (manager.checkpoints.find(name) for name in ("tiny-sd1-s1", "tiny-sd1-s2", "third"))
    first, second = manager.ensure(one), manager.ensure(two)
    manager.ensure(one)
    manager.ensure(three)
    assert manager.ensure(one) is first and manager.ensure(two) is not second


def test_fresh_models_are_announced_and_a_failing_listener_stops_nothing(manager):
    seen = []
    manager.on_loaded += [lambda model: 1 / 0, seen.append]
    model = manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    assert seen == [model]


def test_a_checkpoint_that_vanished_is_replaced_by_the_demo_model_with_a_notice(manager, folder):
    info = manager.checkpoints.find("tiny-sd1-s1")
    (folder / "tiny-sd1-s1.safetensors").unlink()
    assert manager.ensure(info).checkpoint.title == "easel-demo"
    assert "tiny-sd1-s1.safetensors" in manager.notices[0] and "easel-demo is used instead" in manager.notices[0]


def test_a_checkpoint_that_is_loaded_works_on_when_its_file_is_gone(manager, folder):
    info = manager.checkpoints.find("tiny-sd1-s1")
    model = manager.ensure(info)
    (folder / "tiny-sd1-s1.safetensors").unlink()
    assert manager.ensure(info) is model and not manager.notices


def test_a_broken_checkpoint_can_be_refused_while_the_current_model_stays(manager, folder, tiny_checkpoint):
    model = manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    tensors = load_file(tiny_checkpoint(1))
    tensors["model.diffusion_model.out.2.bias"][0] = float("nan")
    save_file(tensors, folder / "spoiled.safetensors")
    manager.checkpoints.refresh()
    with pytest.raises(WeightsError, match="NaN"):
        manager.ensure(manager.checkpoints.find("spoiled"), fall_back=False)
    assert manager.current is model
    assert [broken.name for broken in manager.checkpoints.broken] == ["spoiled.safetensors"]


def test_a_replaced_file_is_another_model(manager, folder, tiny_checkpoint):
    first = manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    path = folder / "tiny-sd1-s1.safetensors"
    path.unlink()
    shutil.copyfile(tiny_checkpoint(2), path)
    manager.checkpoints.refresh()
    second = manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    assert second is not first and second.checkpoint.short_hash == "ea4d79fae5"


def test_another_vae_is_used_and_the_own_one_comes_back_bit_for_bit(manager, tiny_checkpoint):
    model = manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    own, latent = vae_state(model), torch.randn(1, 4, 8, 8)
    before = model.decode_first_stage(latent)
    manager.ensure_vae(tiny_checkpoint(2))
    manager.ensure_vae(tiny_checkpoint(2))
    assert not same(vae_state(model), own) and not torch.equal(model.decode_first_stage(latent), before)
    manager.ensure_vae(None)
    assert same(vae_state(model), own) and torch.equal(model.decode_first_stage(latent), before)


def test_a_vae_that_does_not_fit_leaves_the_one_in_use(manager, tmp_path):
    model = manager.ensure(manager.checkpoints.find("tiny-sd1-s1"))
    own = vae_state(model)
    save_file({"decoder.conv_in.weight": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    for path in (tmp_path / "other.safetensors", tmp_path / "missing.safetensors"):
        with pytest.raises(WeightsError):
            manager.ensure_vae(path)
    assert same(vae_state(model), own)


def test_after_unload_nothing_is_left(manager):
    model = weakref.ref(manager.ensure(manager.checkpoints.find("tiny-sd1-s1")))
    manager.unload()
    gc.collect()
    assert model() is None and manager.current is None
