"""The autoencoder of Stable Diffusion: pixels to latents and back, laid out as the checkpoints name it."""
from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modules.nn.attention import attend
from modules.nn.families import VaeConfig
from modules.nn.layers import PointwiseConv2d

_LOGVAR_RANGE = (-30.0, 20.0)


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """A normal distribution over latents. mean, logvar: [B, z, h, w]."""

    mean: Tensor
    logvar: Tensor

    @property
    def std(self) -> Tensor:
        return torch.exp(0.5 * self.logvar)

    def sample(self, noise: Tensor | None = None) -> Tensor:
        """A latent drawn from it. `noise` [B, z, h, w] of unit variance makes the draw repeatable."""
        return self.mean + self.std * (torch.randn_like(self.mean) if noise is None else noise)

    def mode(self) -> Tensor:
        """The most likely latent."""
        return self.mean

    def scaled(self, factor: float) -> Posterior:
        """The distribution of factor * latent."""
        return Posterior(mean=self.mean * factor, logvar=self.logvar + 2 * math.log(abs(factor)))


def posterior_of(moments: Tensor) -> Posterior:
    """The distribution that the encoder describes by moments [B, 2 z, h, w]."""
    mean, logvar = moments.chunk(2, dim=1)
    return Posterior(mean=mean, logvar=logvar.clamp(*_LOGVAR_RANGE))


def nonlinearity(x: Tensor) -> Tensor:
    """x * sigmoid(x)."""
    return F.silu(x)


class ResnetBlock(nn.Module):
    """Two convolutions on top of the input."""

    def __init__(self, in_channels: int, out_channels: int, norm_groups: int):
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.use_conv_shortcut = False
        self.norm1 = nn.GroupNorm(norm_groups, in_channels, eps=1e-6)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(norm_groups, out_channels, eps=1e-6)
        self.dropout = nn.Dropout(0.0)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if in_channels != out_channels:
            self.nin_shortcut = PointwiseConv2d(in_channels, out_channels)

    def forward(self, x: Tensor, temb: Tensor | None = None) -> Tensor:
        h = self.conv1(nonlinearity(self.norm1(x)))
        h = self.conv2(self.dropout(nonlinearity(self.norm2(h))))
        return h + (x if self.in_channels == self.out_channels else self.nin_shortcut(x))


class AttnBlock(nn.Module):
    """Self attention over all pixels with one head."""

    def __init__(self, in_channels: int, norm_groups: int):
        super().__init__()
        self.in_channels = in_channels
        self.norm = nn.GroupNorm(norm_groups, in_channels, eps=1e-6)
        self.q = PointwiseConv2d(in_channels, in_channels)
        self.k = PointwiseConv2d(in_channels, in_channels)
        self.v = PointwiseConv2d(in_channels, in_channels)
        self.proj_out = PointwiseConv2d(in_channels, in_channels)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v))  # [B, 1, h * w, C]
        h = attend(q, k, v)[:, 0].transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.proj_out(h)


class Downsample(nn.Module):
    """Halves the size; the padding is at the right and bottom only."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Doubles the size by repeating pixels, then smooths by a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class _Level(nn.Module):
    """The blocks of one size; `downsample` or `upsample` where the size changes after them."""

    def __init__(self, blocks: list[ResnetBlock], *, downsample: nn.Module | None = None, upsample: nn.Module | None = None):
        super().__init__()
        self.block = nn.ModuleList(blocks)
        self.attn = nn.ModuleList()
        if downsample is not None:
            self.downsample = downsample
        if upsample is not None:
            self.upsample = upsample


class _Middle(nn.Module):
    """The smallest size: residual, attention, residual."""

    def __init__(self, channels: int, norm_groups: int):
        super().__init__()
        self.block_1 = ResnetBlock(channels, channels, norm_groups)
        self.attn_1 = AttnBlock(channels, norm_groups)
        self.block_2 = ResnetBlock(channels, channels, norm_groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Encoder(nn.Module):
    """Pixels [B, 3, H, W] in -1..1 -> [B, 2 z, H/8, W/8]."""

    def __init__(self, config: VaeConfig):
        super().__init__()
        self.num_resolutions = len(config.ch_mult)
        self.num_res_blocks = config.num_res_blocks
        self.conv_in = nn.Conv2d(config.image_channels, config.ch, 3, padding=1)
        self.down = nn.ModuleList()
        channels = config.ch
        for level, mult in enumerate(config.ch_mult):
            widths = [channels] + [config.ch * mult] * config.num_res_blocks
            blocks = [ResnetBlock(before, after, config.norm_groups) for before, after in pairwise(widths)]
            channels = widths[-1]
            self.down.append(_Level(blocks, downsample=Downsample(channels) if level < self.num_resolutions - 1 else None))
        self.mid = _Middle(channels, config.norm_groups)
        self.norm_out = nn.GroupNorm(config.norm_groups, channels, eps=1e-6)
        self.conv_out = nn.Conv2d(channels, 2 * config.z_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.down:
            for block in level.block:
                h = block(h)
            if hasattr(level, "downsample"):
                h = level.downsample(h)
        return self.conv_out(nonlinearity(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    """Latents [B, z, h, w] -> pixels [B, 3, 8 h, 8 w], nominally in -1..1."""

    def __init__(self, config: VaeConfig):
        super().__init__()
        self.num_resolutions = len(config.ch_mult)
        self.num_res_blocks = config.num_res_blocks
        channels = config.ch * config.ch_mult[-1]
        self.conv_in = nn.Conv2d(config.z_channels, channels, 3, padding=1)
        self.mid = _Middle(channels, config.norm_groups)
        levels = []
        for level, mult in reversed(list(enumerate(config.ch_mult))):
            widths = [channels] + [config.ch * mult] * (config.num_res_blocks + 1)
            blocks = [ResnetBlock(before, after, config.norm_groups) for before, after in pairwise(widths)]
            channels = widths[-1]
            levels.append(_Level(blocks, upsample=Upsample(channels) if level > 0 else None))
        self.up = nn.ModuleList(reversed(levels))
        self.norm_out = nn.GroupNorm(config.norm_groups, channels, eps=1e-6)
        self.conv_out = nn.Conv2d(channels, config.image_channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            for block in level.block:
                h = block(h)
            if hasattr(level, "upsample"):
                h = level.upsample(h)
        return self.conv_out(nonlinearity(self.norm_out(h)))


class AutoencoderKL(nn.Module):
    """Encoder and decoder with the 1x1 convolutions between them and the latent space; latents here are not scaled.

    Everything is laid out plainly, not channels last: torch's norms and convolutions are exact to two more bits so, which decides
    how pixels are rounded, and encoding is even faster.
    """

    def __init__(self, config: VaeConfig):
        super().__init__()
        self.config = config
        self.embed_dim = config.embed_dim
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = PointwiseConv2d(2 * config.z_channels, 2 * config.embed_dim)
        self.post_quant_conv = PointwiseConv2d(config.embed_dim, config.z_channels)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights."""
        return self.quant_conv.weight.dtype

    def encode(self, pixels: Tensor) -> Posterior:
        """pixels [B, 3, H, W] in -1..1 -> distribution over latents [B, embed_dim, H/8, W/8]."""
        return posterior_of(self.quant_conv(self.encoder(pixels.to(self.dtype))))

    def decode(self, latent: Tensor) -> Tensor:
        """latent [B, embed_dim, h, w] -> pixels [B, 3, 8 h, 8 w], nominally in -1..1."""
        return self.decoder(self.post_quant_conv(latent.to(self.dtype)))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.decode(self.encode(pixels).mode())
