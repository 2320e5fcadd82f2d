"""Hypernetworks stand before the keys and values of every attention, and are gone after their scope."""
import pytest
import torch
from torch import nn

from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound
from modules.networks.hypernetwork import Hypernetwork, HypernetworkCatalog, HypernetworkUse, before_attention, read_hypernetwork
from modules.nn.attention import CrossAttention

WIDTH = 6


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def module(*, activation=None, norm=False, dropout=False, last=False, middle=12):
    """The network as it is trained: its steps stand in a row under the name `linear`."""
    steps = []
    for number, (inside, outside) in enumerate([(WIDTH, middle), (middle, WIDTH)]):
        steps.append(nn.Linear(inside, outside))
        if activation and (number == 0 or last):
            steps.append(activation())
        if norm:
            steps.append(nn.LayerNorm(outside))
        if dropout and number == 0:
            steps.append(nn.Dropout(0.3))
    network = nn.Module()
    network.linear = nn.Sequential(*steps).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network


def written(path, keys, values, **notes):
    torch.save({WIDTH: (keys.state_dict(), values.state_dict()), "name": "other", "step": 100, **notes}, path)
    return path


@pytest.mark.parametrize("layout, notes", [
    ({}, {}), ({"activation": nn.ReLU}, {"activation_func": "relu", "activate_output": False}),
    ({"activation": nn.Hardswish, "last": True}, {"activation_func": "swish"}),
    ({"activation": nn.Tanh, "norm": True, "dropout": True, "last": True},
     {"activation_func": "tanh", "activate_output": True, "is_layer_norm": True, "use_dropout": True}),
    ({"norm": True, "middle": 24}, {"activation_func": "linear", "is_layer_norm": True, "layer_structure": [1, 4, 1]})])
def test_layers_of_a_file_compute_what_was_trained(layout, notes, tmp_path):
    keys, values = module(**layout), module(**layout)
    read = read_hypernetwork(written(tmp_path / "some.pt", keys, values, **notes))
    x = torch.randn(2, 3, WIDTH)
    assert read.name == "some"
    for ours, theirs in zip(read.pairs[WIDTH], (keys, values)):
        assert torch.allclose(ours(x), theirs.linear(x), atol=1e-6)


def test_files_of_the_first_kind_have_other_names(tmp_path):
    keys = module()
    state = {name.replace("linear.0", "linear1").replace("linear.1", "linear2"): value for name, value in keys.state_dict().items()}
    torch.save({WIDTH: (state, state)}, tmp_path / "old.pt")
    x = torch.randn(2, 3, WIDTH)
    assert torch.allclose(read_hypernetwork(tmp_path / "old.pt").pairs[WIDTH][0](x), keys.linear(x))


def attended(attention, x, keys_from, values_from):
    """Attention written out, with keys and values of different texts."""
    q, k, v = attention.to_q(x), attention.to_k(keys_from), attention.to_v(values_from)
    q, k, v = (t.unflatten(-1, (2, -1)).transpose(1, 2) for t in (q, k, v))
    mixed = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1]**0.5, -1) @ v
    return attention.to_out(mixed.transpose(1, 2).flatten(2))


@torch.no_grad()
def test_keys_and_values_come_from_the_changed_context_and_networks_follow_each_other():
    attention = CrossAttention(4, WIDTH, heads=2, dim_head=3)
    x, context = torch.randn(1, 5, 4), torch.randn(1, 7, WIDTH)
    pairs = [(module().linear, module().linear) for _ in range(2)]
    uses = [HypernetworkUse(network=Hypernetwork(name="n", pairs={WIDTH: pair}), multiplier=strength)
            for pair, strength in zip(pairs, (0.5, -0.25))]
    before = attention(x, context)
    texts = []
    for number in range(2):
        text = context + 0.5 * pairs[0][number](context)
        texts.append(text - 0.25 * pairs[1][number](text))
    expected = attended(attention, x, *texts)
    with before_attention(attention, uses):
        assert torch.allclose(attention(x, context), expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(attention(x, context), before)


@torch.no_grad()
def test_attention_is_as_before_whatever_fails_inside():
    attention, x = CrossAttention(WIDTH, heads=2, dim_head=3), torch.randn(1, 5, WIDTH)
    use = HypernetworkUse(network=Hypernetwork(name="n", pairs={WIDTH: (module().linear, module().linear)}))
    before = attention(x)
    with pytest.raises(KeyboardInterrupt), before_attention(attention, [use]):
        assert not torch.equal(attention(x), before)
        raise KeyboardInterrupt
    assert torch.equal(attention(x), before)


@torch.no_grad()
def test_contexts_of_another_width_pass_unchanged():
    attention, x = CrossAttention(4, heads=2, dim_head=3), torch.randn(1, 5, 4)
    before = attention(x)
    use = HypernetworkUse(network=Hypernetwork(name="n", pairs={WIDTH: (module().linear, module().linear)}))
    with before_attention(attention, [use]):
        assert torch.equal(attention(x), before)


class Evil:
    def __reduce__(self):
        return print, ("it ran",)


@pytest.mark.parametrize("contents", [
    [1], {}, {"step": 1}, {WIDTH: ({}, {})}, {WIDTH: 5}, {WIDTH: ({"other": torch.ones(1)},) * 2}, {"x": Evil()},
    {WIDTH: ({"linear.0.weight": torch.ones(4, WIDTH)},) * 2}, {WIDTH: ({"linear.0.weight": torch.ones(6, 5)},) * 2},
    {WIDTH: ({"linear.0.weight": torch.ones(6, 6)},) * 2, "activation_func": "unheard"}])
def test_what_is_no_hypernetwork_is_refused_and_nothing_in_it_runs(contents, tmp_path, capsys):
    torch.save(contents, tmp_path / "no.pt")
    with pytest.raises(WeightsError, match=r"no\.pt"):
        read_hypernetwork(tmp_path / "no.pt")
    assert "it ran" not in capsys.readouterr().out


def test_files_are_found_by_name_and_folder_and_read_again_when_they_change(tmp_path):
    (tmp_path / "sub").mkdir()
    catalog = HypernetworkCatalog([tmp_path])
    written(tmp_path / "sub" / "net.pt", module(), module())
    first = catalog.find("net")
    assert catalog.find("sub/net") is first
    written(tmp_path / "sub" / "net.pt", module(middle=24), module(middle=24))
    assert catalog.find("net") is not first
    with pytest.raises(NotFound, match="missing"):
        catalog.find("missing")
