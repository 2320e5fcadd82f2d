"""Fast routes give what torch's own layers give."""
import pytest
import torch
import torch.nn.functional as F
from diffusers_peer import relative_error
from torch import nn

from modules.nn.attention import attend
from modules.nn.layers import Conv3x3, ExactConv3x3, ExactGroupNorm, Linear, PointwiseConv2d, linear


@pytest.mark.parametrize("rows, width, out", [(3, 8, 5), (2048, 64, 96)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_layers_are_equal_for_small_and_large_inputs(rows, width, out, bias):
    layer, x = Linear(width, out, bias=bias).requires_grad_(False), torch.randn(2, rows, width)
    with torch.no_grad():
        assert relative_error(layer(x), F.linear(x, layer.weight, layer.bias)) < 1e-6


def test_gradients_flow_where_they_are_asked_for():
    weight = torch.randn(96, 64, requires_grad=True)
    linear(torch.randn(2048, 64), weight).sum().backward()
    assert weight.grad is not None


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_pointwise_convolutions_are_equal_in_both_memory_formats(memory_format):
    layer, x = PointwiseConv2d(24, 40).requires_grad_(False), torch.randn(2, 24, 17, 31).to(memory_format=memory_format)
    with torch.no_grad():
        ours = layer(x)
    assert relative_error(ours, F.conv2d(x, layer.weight, layer.bias)) < 1e-6
    assert ours.is_contiguous(memory_format=memory_format) and isinstance(layer, nn.Conv2d)


@pytest.mark.parametrize("heads, width, tokens", [(8, 4, 300), (8, 4, 16), (2, 16, 300), (1, 40, 77)])
def test_attention_is_the_softmax_of_scaled_products_whatever_the_head_size(heads, width, tokens):
    q, k, v = torch.randn(3, 2, heads, tokens, width)
    expected = (q @ k.transpose(-1, -2) / width**0.5).softmax(-1) @ v
    assert relative_error(attend(q, k, v), expected) < 1e-6


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_the_exact_group_norm_is_exact_in_both_memory_formats(memory_format):
    layer, x = ExactGroupNorm(8, 64), (torch.randn(2, 64, 20, 12) * 3 + 20).to(memory_format=memory_format)
    nn.init.normal_(layer.weight), nn.init.normal_(layer.bias)
    expected = F.group_norm(x.double(), 8, layer.weight.double(), layer.bias.double(), layer.eps)
    with torch.no_grad():
        ours = layer(x)
    assert relative_error(ours.double(), expected) < 1e-6 and ours.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("height, width", [(1, 1), (2, 2), (2, 3), (1, 7), (9, 5)])
@pytest.mark.parametrize("weights", [torch.contiguous_format, torch.channels_last])
def test_convolutions_over_few_pixels_are_equal(height, width, weights):
    layer = Conv3x3(24, 40).requires_grad_(False).to(memory_format=weights)
    x = torch.randn(2, 24, height, width).to(memory_format=torch.channels_last)
    with torch.no_grad():
        assert relative_error(layer(x), F.conv2d(x, layer.weight, layer.bias, padding=1)) < 1e-6


@pytest.mark.parametrize("size", [8, 80])
@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_the_last_convolution_is_exact_for_small_maps_and_right_for_large_ones(size, padding):
    layer, x = ExactConv3x3(32, 4).requires_grad_(False), torch.randn(2, 32, size, size)
    layer.padding_mode = padding
    padded = F.pad(x.double(), (1, 1, 1, 1), mode="circular" if padding == "circular" else "constant")
    with torch.no_grad():
        error = relative_error(layer(x).double(), F.conv2d(padded, layer.weight.double(), layer.bias.double()))
    assert error < (5e-8 if size == 8 else 1e-6)
