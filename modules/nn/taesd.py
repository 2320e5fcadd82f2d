"""Small decoders for previews: TAESD's, and the convolutions called Approx NN, in the key layouts of their files."""
from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

TAESD_WIDTH = 64
APPROX_CHANNELS = (4, 8, 16, 32, 64, 32, 16, 8, 3)
APPROX_KERNELS = (7, 5, 3, 3, 3, 3, 3, 3)


class TaesdBlock(nn.Module):
    """Three convolutions beside a way past them."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Sequential(_conv(width, width), nn.ReLU(), _conv(width, width), nn.ReLU(), _conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x) + x)


class TaesdClamp(nn.Module):
    """Keeps latents softly within -3..3."""

    def forward(self, x: Tensor) -> Tensor:
        return (x / 3).tanh() * 3


class TaesdDecoder(nn.Sequential):
    """Latents [B, 4, h, w] as the U-Net has them to pixels [B, 3, 8 h, 8 w] in -1..1. The numbers of the layers are the file's keys."""

    def __init__(self) -> None:
        width = TAESD_WIDTH
        layers: list[nn.Module] = [TaesdClamp(), _conv(4, width), nn.ReLU()]
        for _ in range(3):
            layers += [*(TaesdBlock(width) for _ in range(3)), nn.Upsample(scale_factor=2), _conv(width, width, bias=False)]
        super().__init__(*layers, TaesdBlock(width), _conv(width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 2 - 1


def _conv(before: int, after: int, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1, bias=bias)


class ApproxDecoder(nn.Module):
    """Latents [B, 4, h, w] as the U-Net has them to pixels [B, 3, 2 h, 2 w], about -1..1: eight convolutions conv1 … conv8."""

    def __init__(self) -> None:
        super().__init__()
        for number, ((before, after), kernel) in enumerate(zip(pairwise(APPROX_CHANNELS), APPROX_KERNELS, strict=True), 1):
            self.add_module(f"conv{number}", nn.Conv2d(before, after, kernel))

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2)
        margin = sum(kernel // 2 for kernel in APPROX_KERNELS)  # what the convolutions, which have no padding, take away
        x = F.pad(x, (margin, margin, margin, margin))
        for layer in self.children():
            x = F.leaky_relu(layer(x), 0.1)
        return x
