"""Merging keeps what is alike together and gives every token an answer."""
import pytest
import torch
from torch import nn

from modules.nn.attention import BasicTransformerBlock
from modules.nn.families import UNetConfig
from modules.nn.token_merging import matches, set_merging_ratio
from modules.nn.unet import UNetModel


@pytest.mark.parametrize("height, width, ratio, left", [(4, 4, 0.5, 8), (4, 4, 0.0, 16), (5, 7, 0.4, 21), (4, 4, 0.95, 4)])
def test_the_share_of_tokens_that_joins_is_gone_and_takers_stay(height, width, ratio, left):
    tokens = torch.randn(2, height * width, 6)
    found = matches(tokens, height, width, ratio)
    assert found.merged(tokens).shape == (2, left, 6)
    assert found.unmerged(found.merged(tokens)).shape == tokens.shape


def test_equal_tokens_come_back_unchanged():
    one = torch.randn(4, 5)
    cells = one.view(2, 2, 5).repeat_interleave(2, 0).repeat_interleave(2, 1).reshape(1, 16, 5)  # each cell of 2 x 2 is of one kind
    found = matches(cells, 4, 4, 0.75)
    assert torch.allclose(found.unmerged(found.merged(cells)), cells, atol=1e-6)


def test_a_taker_becomes_the_mean_of_all_that_joined_it():
    tokens = torch.tensor([[[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [0.0, 1.0]]])  # 2 x 2: one taker, the first
    found = matches(tokens, 2, 2, 0.5)
    assert found.merged(tokens)[0].tolist() == [[0.0, 1.0], [pytest.approx(7 / 3), 0.0]]


def test_only_the_largest_maps_of_the_network_merge():
    unet = UNetModel(UNetConfig(model_channels=32, num_heads=2, context_dim=16))
    set_merging_ratio(unet, 0.5)
    merging = [name for name, module in unet.named_modules() if isinstance(module, BasicTransformerBlock) and module.merging_ratio]
    assert {name.rsplit(".transformer", 1)[0] for name in merging} == {
        "input_blocks.1.1", "input_blocks.2.1", "output_blocks.9.1", "output_blocks.10.1", "output_blocks.11.1"}
    set_merging_ratio(unet, 0.0)
    assert not any(getattr(module, "merging_ratio", 0) for module in unet.modules())


def test_a_replaced_attention_of_an_extension_still_works():
    block = BasicTransformerBlock(8, 2, 4, 8)
    seen: list[int] = []
    block.attn1.forward = lambda x, context=None, mask=None: seen.append(x.shape[1]) or x
    block.merging_ratio = 0.5
    block(torch.randn(1, 16, 8), torch.randn(1, 3, 8), size=(4, 4))
    assert seen == [8] and isinstance(block, nn.Module)
