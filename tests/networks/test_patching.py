"""Weights change inside the scope and are bit-exact after it."""
import pytest
import torch
from torch import nn

from modules.networks.patching import patched


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(4, 8, 3), nn.Linear(8, 8)).requires_grad_(False)


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def add_one(weight):
    return weight + 1


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one) and one.keys() == other.keys()


def test_changes_add_up_in_the_scope_and_are_gone_after_it(model):
    before, parameter = state(model), model[1].weight
    with patched(model, {"1.weight": [add_one, add_one]}):
        assert torch.equal(model[1].weight, before["1.weight"] + 1 + 1)
        assert torch.equal(model[0].weight, before["0.weight"])
    assert same(state(model), before) and model[1].weight is parameter


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_weights_come_back_after_an_error_or_a_stop_inside(model, error):
    before = state(model)
    with pytest.raises(error), patched(model, {"0.weight": [add_one]}):
        raise error
    assert same(state(model), before)


def test_weights_come_back_when_somebody_changes_them_in_place_inside(model):
    before = state(model)
    with patched(model, {"0.weight": [add_one]}):
        model[0].weight.data.zero_()
    assert same(state(model), before)


def test_weights_come_back_when_the_second_of_two_changes_fails(model):
    def fails(weight):
        raise MemoryError

    before = state(model)
    with pytest.raises(MemoryError), patched(model, {"0.weight": [add_one], "1.weight": [fails]}):
        pass
    assert same(state(model), before)


def test_scopes_nest(model):
    before = state(model)
    with patched(model, {"1.weight": [add_one]}), patched(model, {"1.weight": [add_one]}):
        assert torch.equal(model[1].weight, before["1.weight"] + 1 + 1)
    assert same(state(model), before)


def test_a_change_that_does_nothing_still_does_not_touch_the_pristine_tensor(model):
    before = state(model)
    with patched(model, {"1.weight": [lambda weight: weight]}):
        model[1].weight.data.zero_()
    assert same(state(model), before)


def test_a_name_that_is_not_there_or_a_wrong_shape_changes_nothing(model):
    before = state(model)
    with pytest.raises(KeyError), patched(model, {"1.weight": [add_one], "9.weight": [add_one]}):
        pass
    with pytest.raises(ValueError), patched(model, {"1.weight": [lambda weight: weight[:2]]}):
        pass
    assert same(state(model), before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_weights_of_few_bits_are_changed_in_single_precision(dtype):
    model = nn.Linear(4, 4).to(dtype).requires_grad_(False)
    before = model.weight.float()
    with patched(model, {"weight": [lambda w: w + 1e-5, lambda w: w - 1e-5]}):
        assert torch.equal(model.weight.float(), before) and model.weight.dtype == dtype


def test_the_memory_format_of_convolutions_is_kept(model):
    model.to(memory_format=torch.channels_last)
    with patched(model, {"0.weight": [lambda weight: weight.contiguous() * 2]}):
        assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
