"""Layers that are faster or more exact on a CPU than torch's; elsewhere they are torch's own."""
import platform
from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Below this many multiplications the longer call costs more than the faster product saves (measured: 10 us a call).
_WORTHWHILE = 1 << 19
# Up to so many pixels a convolution is faster as one product: oneDNN rearranges its weights at every call.
_FEW_PIXELS = 16
# Maps of up to so many numbers are worked on with more care by norms and by the last convolution, since that costs nothing there.
_NORMED_EXACTLY, _CONVOLVED_EXACTLY = 1 << 14, 1 << 12


@lru_cache(maxsize=1)
def _onednn_linear() -> Callable | None:
    """oneDNN's float32 product for plain tensors, or None where it is missing or wrong.

    torch's default is MKL, which on AMD processors does not use their widest registers: oneDNN needs 0.43 of its time there.
    """
    if platform.machine().lower() not in ("x86_64", "amd64") or not torch.backends.mkldnn.is_available():
        return None
    x, weight = torch.linspace(-1, 1, 64).view(8, 8), torch.linspace(1, -2, 32).view(4, 8)
    try:
        linear = torch.ops.mkldnn._linear_pointwise
        agrees = torch.allclose(linear(x, weight, None, "none", [], ""), x @ weight.T, atol=1e-5)
    except (AttributeError, RuntimeError):  # a build of torch without the operator, or without it for this processor
        return None
    return linear if agrees else None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [..., K], weight [N, K] -> x weight^T + bias [..., N]."""
    if (x.numel() * len(weight) >= _WORTHWHILE and x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32
            and not torch.is_grad_enabled() and (product := _onednn_linear()) is not None):
        return product(x.contiguous(), weight, bias, "none", [], "")
    return F.linear(x, weight, bias)


class Linear(nn.Linear):
    """nn.Linear by the fastest route."""

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias)


class Conv3x3(nn.Conv2d):
    """A convolution with a 3x3 kernel that keeps the size; over a handful of pixels it is one product of matrices."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, h, w] -> [B, out_channels, h, w]."""
        batch, channels, height, width = x.shape
        if (batch * height * width > _FEW_PIXELS or x.device.type != "cpu" or torch.is_grad_enabled() or self.padding_mode != "zeros"
                or not self.weight.is_contiguous(memory_format=torch.channels_last)):
            return super().forward(x)
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).contiguous()  # [B, h + 2, w + 2, C]
        image, row, pixel, _ = padded.stride()
        windows = padded.as_strided((batch, height, width, 3, 3, channels), (image, row, pixel, row, pixel, 1))
        weight = self.weight.permute(0, 2, 3, 1).reshape(self.out_channels, -1)  # [out, 9 C]; no copy
        return F.linear(windows.reshape(batch, height, width, -1), weight, self.bias).permute(0, 3, 1, 2)


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution: a linear layer over the channels of every pixel."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or not x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        return linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class ExactGroupNorm(nn.GroupNorm):
    """nn.GroupNorm that is exact to the last digit for small maps in channels-last memory on a CPU.

    torch's kernel for that layout takes E[x^2] - E[x]^2 and loses a digit; the one for the other layout does not, and for small
    maps copying there and back costs nothing (2,048 numbers: 11 instead of 9 us).
    """

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, h, w] -> the same shape and memory format."""
        if x.device.type != "cpu" or x.shape[1:].numel() > _NORMED_EXACTLY or not x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)


class ExactConv3x3(nn.Conv2d):
    """A 3x3 convolution to a few channels that is computed in double precision for small maps on a CPU.

    It is the last layer: its rounding is most of the rounding of the whole network, and guidance multiplies it by ten.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, h, w] -> [B, out_channels, h, w]."""
        if x.device.type != "cpu" or x.dtype != torch.float32 or x.shape[1:].numel() > _CONVOLVED_EXACTLY or torch.is_grad_enabled():
            return super().forward(x)
        bias = None if self.bias is None else self.bias.double()
        return self._conv_forward(x.double(), self.weight.double(), bias).float()


def layout(device: torch.device) -> torch.memory_format:
    """How feature maps and convolution weights of the U-Net are best laid out on a device."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last
