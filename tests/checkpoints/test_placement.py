"""Where weights lie: whatever the policy, each is brought before its use, and the answers are the same."""
import pytest
import torch
from small_families import SMALL, model_of
from weight_stations import NoWeightsAside, Watched

from modules.checkpoints.execution import CarefulExecution
from modules.checkpoints.files import CheckpointList
from modules.checkpoints.manager import ModelManager, Room
from modules.checkpoints.placement import Placement, moved
from modules.hardware import Hardware, HardwareOptions
from modules.networks.patching import patched
from modules.prompt.conditioning import Conditioning
from modules.prompt.encode import encode

CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))


def answers(model) -> list[torch.Tensor]:
    """What every network of the model says, one after another, the VAE in both directions."""
    unet = model.architecture.unet
    x = torch.linspace(-1, 1, 4 * 64).view(1, 4, 8, 8)
    facts = torch.linspace(0, 1, unet.vector_dim)[None] if unet.vector_dim else None
    text = encode(model.cond_stage_model, ["a (red:1.2) cube"])[0].crossattn
    predicted = model.apply_model(x, torch.tensor([300.0]), Conditioning(crossattn=text, vector=facts))
    pixels = model.decode_first_stage(predicted)
    return [text, predicted, pixels, model.encode_first_stage(pixels).mean]


@pytest.mark.parametrize("policy", ["parts", "modules"])
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_every_weight_is_brought_before_its_use(family, policy):
    model, stations = model_of(SMALL[family]), NoWeightsAside()
    wanted = answers(model)
    placement = Placement(model, stations)
    placement.follow("whole")
    placement.follow(policy)
    assert all(torch.equal(*pair) for pair in zip(answers(model), wanted, strict=True))
    waiting = sum(parameter.numel() == 0 for parameter in model.parameters())
    assert waiting > 0.5 * len(list(model.parameters()))
    placement.follow("whole")
    assert not stations.kept and all(torch.equal(*pair) for pair in zip(answers(model), wanted, strict=True))


def test_the_finer_the_policy_the_less_is_on_the_device():
    most = {}
    for policy in ("whole", "parts", "modules"):
        model, stations = model_of(SMALL["sd1"]), Watched()
        placement = Placement(model, stations)
        placement.follow(policy)
        answers(model)
        most[policy] = stations.most_bytes
    sizes = [sum(p.nbytes for p in part.parameters()) for part in (model.model, model.first_stage_model, model.cond_stage_model)]
    assert most["whole"] == sum(sizes) and most["parts"] == max(sizes) and most["modules"] <= max(sizes)
    assert sizes[0] > most["modules"] - max(sizes[1:])


def test_parts_that_are_kept_on_the_processor_are_never_moved():
    model, stations = model_of(SMALL["sd1"]), Watched()
    Placement(model, stations, at_home=frozenset({"vae"})).follow("parts")
    answers(model)
    assert not any("Autoencoder" in move for move in stations.moves) and "+DiffusionWrapper" in stations.moves


def test_weights_that_were_changed_for_a_while_come_back_wherever_they_were_moved_in_between():
    model, stations = model_of(SMALL["sd1"]), Watched()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    placement = Placement(model, stations)
    placement.follow("parts")
    with patched(model, {"model.diffusion_model.out.2.weight": [lambda weight: weight * 2]}):
        changed = answers(model)
        model.model.to(torch.float64)
        placement.follow("modules")
    model.model.to(torch.float32)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
    assert not torch.equal(answers(model)[1], changed[1])


def test_values_of_every_shape_are_moved_with_their_tensors():
    cond = Conditioning(crossattn=torch.zeros(1, 2, 3), vector=None)
    value = moved(([(1, torch.zeros(2))], {"a": cond, "b": "text"}), torch.device("meta"))
    assert value[0][0][1].is_meta and value[1]["a"].crossattn.is_meta and value[1]["b"] == "text" and value[1]["a"].vector is None


@pytest.fixture
def manager(tiny_data_dir, tmp_path):
    manager = ModelManager(CheckpointList([tiny_data_dir / "models" / "Stable-diffusion"], cache=tmp_path / "hashes.json"), CPU)
    manager.stations = Watched()
    return manager


def test_one_model_is_on_the_device_and_the_others_wait_where_settings_say_so(manager):
    one, two = (manager.checkpoints.find(f"tiny-sd1-s{seed}") for seed in (1, 2))
    is_there = lambda model: {id(parameter) in manager.stations.at_work for parameter in model.parameters()}
    manager.room_of = lambda: Room(models=2, on_device=1)
    first, second = manager.ensure(one), manager.ensure(two)
    assert is_there(first) == {False} and is_there(second) == {True}
    assert manager.ensure(one) is first and is_there(first) == {True} and is_there(second) == {False}
    manager.room_of = lambda: Room(models=2, on_device=2)
    manager.ensure(two)
    manager.ensure(one)
    assert is_there(first) == is_there(second) == {True}
    manager.room_of = lambda: Room(models=1)
    manager.ensure(one)
    assert manager.ensure(one) is first and len(manager.execution.placements) == 1


def test_a_model_that_is_too_large_for_the_device_is_placed_in_parts(manager):
    class Small(Watched):
        def bring(self, module):
            super().bring(module)
            if sum(self.bytes[each] for each in self.at_work) > limit:
                raise torch.OutOfMemoryError("CUDA out of memory.")

    info = manager.checkpoints.find("tiny-sd1-s1")
    limit = sum(parameter.nbytes for parameter in manager.ensure(info).parameters()) - 1
    manager.unload()
    manager.stations = Small()
    model = manager.ensure(info)
    answers(model)
    assert manager.ensure(info) is model and manager.execution.placements[id(model)].policy == "parts"
    assert len(manager.notices) == 1 and "is too large for the device" in manager.notices[0]


def test_the_policy_of_the_arguments_holds_for_every_model(manager):
    manager.policy_of = lambda model: "parts"
    for seed in (1, 2):
        model = manager.ensure(manager.checkpoints.find(f"tiny-sd1-s{seed}"))
        answers(model)
        assert manager.execution.placements[id(model)].policy == "parts"
    assert isinstance(model.execution, CarefulExecution) and model.device == manager.stations.device
