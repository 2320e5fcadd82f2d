"""Pieces of networks under the names of `ldm.modules.diffusionmodules.util`."""
import torch
from torch import nn

from modules.nn.layers import ExactGroupNorm as GroupNorm32
from modules.nn.unet import timestep_embedding as _embedding

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_POOLS = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}


def timestep_embedding(timesteps, dim: int, max_period: int = 10000, repeat_only: bool = False):
    """Sines and cosines of timesteps [B]: [B, dim]."""
    return timesteps[:, None].repeat(1, dim) if repeat_only else _embedding(timesteps, dim, max_period)


def conv_nd(dims: int, *args, **kwargs):
    """A convolution over 1, 2 or 3 dimensions."""
    return _CONVOLUTIONS[dims](*args, **kwargs)


def avg_pool_nd(dims: int, *args, **kwargs):
    """A mean over 1, 2 or 3 dimensions."""
    return _POOLS[dims](*args, **kwargs)


def linear(*args, **kwargs):
    """A linear layer."""
    return nn.Linear(*args, **kwargs)


def zero_module(module):
    """The module with all its parameters zero."""
    for parameter in module.parameters():
        parameter.detach().zero_()
    return module


def normalization(channels: int):
    """The norm of residual blocks."""
    return GroupNorm32(32, channels)


def checkpoint(func, inputs, params, flag):
    """func(*inputs); memory is not saved by computing twice."""
    return func(*inputs)


def extract_into_tensor(a, t, x_shape):
    """a[t] as [B, 1, 1, ...]."""
    return a.gather(-1, t).reshape(len(t), *[1] * (len(x_shape) - 1))


def make_beta_schedule(schedule: str, n_timestep: int, linear_start: float = 1e-4, linear_end: float = 2e-2, cosine_s: float = 8e-3):
    """Betas spaced evenly in their square roots, as numpy float64."""
    return (torch.linspace(linear_start**0.5, linear_end**0.5, n_timestep, dtype=torch.float64) ** 2).numpy()


def noise_like(shape, device, repeat: bool = False):
    """Unit noise."""
    if not repeat:
        return torch.randn(shape, device=device)
    return torch.randn((1, *shape[1:]), device=device).repeat(shape[0], *[1] * (len(shape) - 1))
