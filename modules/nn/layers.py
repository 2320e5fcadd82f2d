"""Layers that are faster or more exact on a CPU than torch's; elsewhere they are torch's own."""
import math
import platform
from collections.abc import Callable
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Below this many multiplications the longer call costs more than the faster product saves (measured: 10 us a call).
_WORTHWHILE = 1 << 20
# Up to so many pixels a convolution is faster as one product: oneDNN rearranges its weights at every call.
_FEW_PIXELS = 16
# Up to so many numbers, copying a map to the other memory layout and back is faster than sums over strided memory.
_CHEAPLY_COPIED = 2**21


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
    except (AttributeError, RuntimeError, NotImplementedError):
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
    """nn.GroupNorm with exact sums in channels-last memory on a CPU, where torch's own kernel loses one to two digits.

    That one adds up squares and sums in a row and takes E[x^2] - E[x]^2; torch's kernel for the other layout is exact. This one
    needs 3 to 18 times as long for large maps.
    """

    # Maps with more numbers than this are left to torch.
    largest: float = math.inf

    def forward(self, x: Tensor) -> Tensor:
        """x [B, C, h, w] -> the same shape and memory format."""
        numbers = x.shape[1:].numel()
        if (x.device.type != "cpu" or x.dtype != torch.float32 or x.ndim != 4 or numbers > self.largest or x.is_contiguous()
                or not x.is_contiguous(memory_format=torch.channels_last)):
            return super().forward(x)
        if numbers <= _CHEAPLY_COPIED:
            return super().forward(x.contiguous()).contiguous(memory_format=torch.channels_last)
        batch, channels = x.shape[:2]
        in_group = channels // self.num_groups
        grouped = x.permute(0, 2, 3, 1).reshape(batch, -1, self.num_groups, in_group)  # [B, h w, G, C / G]
        variance, mean = torch.var_mean(grouped, dim=(1, 3), correction=0)  # [B, G]
        scale = (variance + self.eps).rsqrt().repeat_interleave(in_group, 1) * self.weight  # [B, C]
        shift = self.bias - mean.repeat_interleave(in_group, 1) * scale
        return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None])


class CheapExactGroupNorm(ExactGroupNorm):
    """Exact only for maps so small that it costs nothing (measured: 11 instead of 9 us; for larger ones torch loses one digit)."""

    largest = 2**14


def layout(device: torch.device) -> torch.memory_format:
    """How pictures and the weights of convolutions are best laid out on a device."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last
