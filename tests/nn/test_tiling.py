"""Tiled networks see the opposite edge, and are as before afterwards."""
import pytest
import torch
from torch import nn

from modules.nn.tiling import tiled


def test_a_shifted_picture_gives_a_shifted_result():
    network = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.SiLU(), nn.Conv2d(3, 2, 3, padding=1)).requires_grad_(False)
    x = torch.randn(1, 2, 8, 6)
    with tiled(network):
        shifted = network(x.roll((3, 2), (2, 3)))
        assert torch.allclose(shifted, network(x).roll((3, 2), (2, 3)), atol=1e-6)
    assert not torch.allclose(network(x.roll(3, 2)), network(x).roll(3, 2), atol=1e-3)


def test_every_convolution_is_as_before_also_after_an_error():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"))
    with pytest.raises(KeyError), tiled(network):
        raise KeyError
    assert [layer.padding_mode for layer in network] == ["zeros", "reflect"]
