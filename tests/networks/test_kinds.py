"""Every kind of network changes a weight as peft, or the published formula, does."""
import pytest
import torch
from diffusers_peer import relative_error
from peft_peer import peft, randomly_adapted
from torch import nn

from modules.networks.file_keys import read_key
from modules.networks.kinds import KINDS, QUALIFIERS, changed

OUT, IN, RANK = 12, 8, 2
KERNEL = (OUT, IN, 3, 3)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


def made(tensors, weight, multiplier=1.0):
    """The weight with all kinds in the tensors added."""
    kinds = [kind for kind in KINDS if kind.is_in(tensors)]
    assert set(tensors) <= set(QUALIFIERS).union(*(kind.names for kind in kinds))
    for kind in kinds:
        weight = changed(kind, tensors, weight, multiplier)
    return weight


def closed(outcome, expected, weight):
    """The changes agree relative 1e-5, and are there."""
    assert not torch.allclose(expected, weight) and relative_error(outcome - weight, expected - weight) < 1e-5


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.conv = nn.Linear(IN, OUT), nn.Conv2d(IN, OUT, 3)


TARGETS = {"target_modules": ["linear", "conv"], "r": RANK}
PEFT = {
    "LoRA": lambda: peft().LoraConfig(**TARGETS, lora_alpha=5),
    "DoRA": lambda: peft().LoraConfig(**TARGETS, lora_alpha=5, use_dora=True),
    "LoHa": lambda: peft().LoHaConfig(**TARGETS, alpha=5),
    "LoHa with cores": lambda: peft().LoHaConfig(**TARGETS, alpha=5, use_effective_conv2d=True),
    "LoKr of whole matrices": lambda: peft().LoKrConfig(**TARGETS, alpha=RANK),
    "LoKr": lambda: peft().LoKrConfig(**TARGETS | {"r": 1}, alpha=5),
    "LoKr with cores": lambda: peft().LoKrConfig(**TARGETS | {"r": 1}, alpha=5, use_effective_conv2d=True),
    "LoKr of four": lambda: peft().LoKrConfig(**TARGETS | {"r": 1}, alpha=5, decompose_both=True)}


@pytest.mark.parametrize("kind", PEFT)
def test_weights_are_those_of_peft(kind):
    before, file, after = randomly_adapted(Layers(), PEFT[kind]())
    for name, weight in before.items():
        keys = {key: read_key(key) for key in file}
        tensors = {meaning.tensor: file[key] for key, meaning in keys.items() if meaning.module == "lora_unet_" + name}
        if "magnitude" in tensors:
            tensors["dora_scale"] = tensors.pop("magnitude").flatten()
        closed(made({**tensors, "alpha": torch.tensor(5.0)}, weight), after[name], weight)


@pytest.mark.parametrize("shape", [(OUT, 1, 1, 1), (1, IN, 1, 1)], ids=["rows", "columns"])
def test_dora_gives_rows_or_columns_the_lengths_in_the_file(shape):
    weight, up, down = torch.randn(KERNEL), torch.randn(OUT, RANK), torch.randn(RANK, IN, 3, 3)
    lengths = torch.rand(shape) + 1
    along = [i for i in range(4) if shape[i] == 1]
    expected = weight + torch.einsum("or,rihw->oihw", up.double(), down.double())
    expected *= lengths / expected.square().sum(along, keepdim=True).sqrt()
    closed(made({"up": up, "down": down, "dora_scale": lengths}, weight), expected.float(), weight)


def test_a_part_of_a_dora_lies_on_the_way_to_the_whole():
    weight = torch.randn(OUT, IN)
    tensors = {"up": torch.randn(OUT, RANK), "down": torch.randn(RANK, IN), "dora_scale": torch.rand(OUT, 1) + 1}
    closed(made(tensors, weight, 0.25), weight + 0.25 * (made(tensors, weight) - weight), weight)


def test_the_middle_of_a_convolution_is_between_two_products():
    weight, up, mid, down = torch.randn(KERNEL), torch.randn(OUT, RANK, 1, 1), torch.randn(RANK, RANK, 3, 3), torch.randn(RANK, IN, 1, 1)
    picture = torch.randn(1, IN, 9, 9)
    added = nn.functional.conv2d(nn.functional.conv2d(nn.functional.conv2d(picture, down), mid), up) * 3 / RANK
    difference = made({"up": up, "mid": mid, "down": down, "alpha": torch.tensor(3.0)}, weight) - weight
    assert relative_error(nn.functional.conv2d(picture, difference), added) < 1e-5


def cayley(blocks):
    skew = blocks - blocks.transpose(1, 2)
    return skew, lambda skew: torch.block_diag(*(torch.linalg.solve(torch.eye(3) - s, torch.eye(3) + s, left=False) for s in skew))


@pytest.mark.parametrize("alpha, bound", [(0.0, None), (0.01, 0.12), (1e3, None)])
@pytest.mark.parametrize("shape", [(OUT, IN), KERNEL])
def test_oft_turns_the_outputs_by_cayleys_rotations(shape, alpha, bound):
    weight, blocks, strength = torch.randn(shape), torch.randn(4, 3, 3), 0.7
    skew, rotation = cayley(blocks)
    turn = rotation(skew if bound is None else skew * bound / skew.norm())
    assert torch.allclose(turn @ turn.T, torch.eye(OUT), atol=1e-5)
    outputs = strength * turn + (1 - strength) * torch.eye(OUT)  # y = x W^T R, as kohya's layer computes it
    expected = (outputs.T @ weight.flatten(1)).reshape(shape)
    closed(made({"oft_blocks": blocks, "alpha": torch.tensor(alpha)}, weight, strength), expected, weight)


def test_oft_may_rescale_the_turned_rows():
    weight, blocks, rescale = torch.randn(OUT, IN), torch.randn(4, 3, 3), torch.rand(OUT, 1) + 0.5
    skew, rotation = cayley(blocks)
    closed(made({"oft_blocks": blocks, "rescale": rescale}, weight), rescale * (rotation(skew).T @ weight), weight)


@pytest.mark.parametrize("shape", [(OUT, IN), KERNEL])
@pytest.mark.parametrize("on_input", [False, True])
def test_ia3_multiplies_inputs_or_outputs(shape, on_input):
    weight, factors = torch.randn(shape), torch.randn(IN if on_input else OUT)
    along = torch.einsum("oi...,i->oi...", weight, factors) if on_input else torch.einsum("oi...,o->oi...", weight, factors)
    closed(made({"weight": factors, "on_input": torch.tensor(int(on_input))}, weight, 0.5), weight + 0.5 * along, weight)


@pytest.mark.parametrize("shape", [(OUT, IN), KERNEL])
@pytest.mark.parametrize("names", [("a1", "a2", "b1", "b2"), ("a2", "a1", "b2", "b1")], ids=["new", "old"])
def test_glora_mixes_the_inputs_and_adds_a_lora(shape, names):
    weight, kernel = torch.randn(shape), (1,) * (len(shape) - 2)
    factors = (torch.randn(IN, RANK, *kernel), torch.randn(RANK, IN, *kernel), torch.randn(OUT, RANK, *kernel),
               torch.randn(RANK, *shape[1:]))
    mixed, added = (torch.einsum("oi...,ij->oj...", weight, factors[0].flatten(1) @ factors[1].flatten(1)),
                    torch.einsum("or,r...->o...", factors[2].flatten(1), factors[3]))
    tensors = dict(zip(names, factors)) | {"alpha": torch.tensor(3.0)}
    closed(made(tensors, weight, 0.5), weight + 0.5 * 3 / RANK * (mixed + added), weight)


@pytest.mark.parametrize("name, shape", [("diff", KERNEL), ("diff_b", (OUT,)), ("w_norm", (OUT,)), ("b_norm", (OUT,))])
def test_stored_differences_are_added(name, shape):
    weight, difference = torch.randn(shape), torch.randn(shape)
    closed(made({name: difference, "alpha": torch.tensor(3.0)}, weight, 0.5), weight + 0.5 * difference, weight)


def test_a_lokr_of_two_whole_matrices_has_no_use_for_alpha():
    weight, first, second = torch.randn(OUT, IN), torch.randn(3, 2), torch.randn(4, 4)
    closed(made({"lokr_w1": first, "lokr_w2": second, "alpha": torch.tensor(9.0)}, weight), weight + torch.kron(first, second), weight)


@pytest.mark.parametrize("tensors", [
    {"up": torch.zeros(IN, RANK), "down": torch.zeros(RANK, OUT)}, {"oft_blocks": torch.zeros(5, 3, 3)}, {"diff": torch.zeros(OUT)},
    {"up": torch.zeros(OUT, RANK), "down": torch.zeros(RANK, IN), "mid": torch.zeros(RANK, RANK, 3, 3)}])
def test_what_does_not_fit_is_an_error(tensors):
    with pytest.raises((ValueError, RuntimeError)):
        made(tensors, torch.zeros(OUT, IN))
