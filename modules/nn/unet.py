"""The U-Net of Stable Diffusion (Rombach et al. 2022, arXiv:2112.10752), laid out as the checkpoints name it."""
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modules.nn.attention import SpatialTransformer
from modules.nn.families import UNetConfig
from modules.nn.layers import Conv3x3, ExactConv3x3, ExactGroupNorm, Linear, PointwiseConv2d, layout


class _Torch:
    """torch, with functions that extensions may replace here without replacing them everywhere."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


th = _Torch()


def timestep_embedding(timesteps: Tensor, dim: int, max_period: float = 10000.0) -> Tensor:
    """Cosines, then sines, of the (fractional) timesteps at `dim // 2` frequencies. timesteps [B] -> float32 [B, dim].

    Vaswani et al. 2017 (arXiv:1706.03762), section 3.5.
    """
    half = dim // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, dtype=torch.float32, device=timesteps.device) / half)
    angles = timesteps[:, None].float() * frequencies
    embedding = torch.cat([angles.cos(), angles.sin()], dim=-1)
    return F.pad(embedding, (0, dim % 2))


def guidance_embedding(scale: float, dim: int) -> Tensor:
    """Sines, then cosines, of 1000 (scale - 1) at `dim // 2` frequencies: float32 [1, dim].

    Luo et al. 2023 (arXiv:2310.04378), section 4.2.
    """
    half = dim // 2
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / (half - 1))
    angles = 1000.0 * (scale - 1) * frequencies
    return F.pad(torch.cat([angles.sin(), angles.cos()])[None], (0, dim % 2))


class Downsample(nn.Module):
    """Halves the size by a strided convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    """Doubles the size by repeating pixels, then smooths by a convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        self.conv = Conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class ResBlock(nn.Module):
    """Two convolutions with the time added between them, on top of the input."""

    def __init__(self, channels: int, emb_channels: int, out_channels: int, norm_groups: int):
        super().__init__()
        self.channels = channels
        self.out_channels = out_channels
        self.in_layers = nn.Sequential(
            ExactGroupNorm(norm_groups, channels), nn.SiLU(), Conv3x3(channels, out_channels))
        self.emb_layers = nn.Sequential(nn.SiLU(), Linear(emb_channels, out_channels))
        self.out_layers = nn.Sequential(
            ExactGroupNorm(norm_groups, out_channels), nn.SiLU(), nn.Dropout(0.0), Conv3x3(out_channels, out_channels))
        self.skip_connection = nn.Identity() if channels == out_channels else PointwiseConv2d(channels, out_channels)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """x [B, C, h, w], emb [B, E] -> [B, out_channels, h, w]."""
        h = self.in_layers(x) + self.emb_layers(emb)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(h)


class TimestepEmbedSequential(nn.Sequential):
    """A sequence that hands the time to its residual blocks and the text to its transformers."""

    def forward(self, x: Tensor, emb: Tensor, context: Tensor | None = None) -> Tensor:
        for layer in self:
            if isinstance(layer, ResBlock):
                x = layer(x, emb)
            elif isinstance(layer, SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


class TimeEmbedding(nn.Sequential):
    """Two layers over the embedded timestep, to which latent consistency models add the embedded guidance scale."""

    def __init__(self, width: int, emb_channels: int, guidance_dim: int = 0):
        super().__init__(Linear(width, emb_channels), nn.SiLU(), Linear(emb_channels, emb_channels))
        self.guidance_dim = guidance_dim
        if guidance_dim:
            # Not one of the layers in order, though the file names it beside them.
            self.cond_proj = Linear(guidance_dim, width, bias=False)

    def forward(self, embedded: Tensor, guidance: Tensor | None = None) -> Tensor:
        """embedded [B, C], guidance [B, guidance_dim] or None -> [B, E]."""
        if guidance is not None:
            embedded = embedded + self.cond_proj(guidance)
        first, activation, last = list(self.children())[:3]
        return last(activation(first(embedded)))


class UNetModel(nn.Module):
    """Predicts noise (or velocity) from a noisy latent, a timestep and a text."""

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        self.in_channels = config.in_channels
        self.out_channels = config.out_channels
        self.model_channels = config.model_channels
        self.num_classes = "sequential" if config.vector_dim else None
        emb = config.model_channels * 4
        self.time_embed = TimeEmbedding(config.model_channels, emb, config.guidance_dim)
        if config.vector_dim:
            self.label_emb = nn.Sequential(nn.Sequential(Linear(config.vector_dim, emb), nn.SiLU(), Linear(emb, emb)))
        self.input_blocks, skips = _input_blocks(config, emb)
        deepest = config.model_channels * config.channel_mult[-1]
        middle: list[nn.Module] = [ResBlock(deepest, emb, deepest, config.norm_groups)]
        if (depth := config.depths.middle) is not None:
            middle += [_transformer(config, deepest, depth), ResBlock(deepest, emb, deepest, config.norm_groups)]
        self.middle_block = TimestepEmbedSequential(*middle)
        self.output_blocks = _output_blocks(config, emb, skips)
        self.out = nn.Sequential(
            ExactGroupNorm(config.norm_groups, config.model_channels), nn.SiLU(),
            ExactConv3x3(config.model_channels, config.out_channels))
        self.to(memory_format=torch.channels_last)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights."""
        return self.time_embed[0].weight.dtype

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None, **_: object) -> Tensor:
        """x [B, in_channels, h, w], timesteps [B] (fractions allowed), context [B, S, D] -> [B, out_channels, h, w].

        y [B, vector_dim + guidance_dim]: facts about the picture, then the embedded guidance scale, where the network takes them.
        """
        h = x.to(self.dtype, memory_format=layout(x.device))
        emb = self._embedded(timestep_embedding(timesteps, self.model_channels).to(h.dtype), y)
        context = None if context is None else context.to(h.dtype)
        skips = []
        for block in self.input_blocks:
            h = block(h, emb, context)
            skips.append(h)
        h = self.middle_block(h, emb, context)
        for block in self.output_blocks:
            h = block(_joined(h, skips.pop()), emb, context)
        return self.out(h)

    def _embedded(self, time: Tensor, y: Tensor | None) -> Tensor:
        """time [B, model_channels] and y as what all residual blocks are told [B, E]."""
        if y is None:
            return self.time_embed(time)
        facts, guidance = y.to(time.dtype).tensor_split([self.config.vector_dim], dim=1)
        emb = self.time_embed(time, guidance if self.config.guidance_dim else None)
        return emb + self.label_emb(facts) if self.config.vector_dim else emb


def _joined(h: Tensor, skip: Tensor) -> Tensor:
    """Both in one, by channel. Where an odd size was halved they differ: the skip decides, the main path repeats pixels to fit."""
    if h.shape[-2:] != skip.shape[-2:]:
        h = F.interpolate(h, skip.shape[-2:], mode="nearest")
    return th.cat([h, skip], dim=1)


def _transformer(config: UNetConfig, channels: int, depth: int) -> SpatialTransformer:
    heads = config.heads_of(channels)
    return SpatialTransformer(
        channels, heads, channels // heads, depth=depth, context_dim=config.context_dim, norm_groups=config.norm_groups,
        use_linear=config.linear_projections)


def _input_blocks(config: UNetConfig, emb: int) -> tuple[nn.ModuleList, list[int]]:
    """The way down, and the widths it leaves for the way up."""
    channels = config.model_channels
    blocks = nn.ModuleList([TimestepEmbedSequential(nn.Conv2d(config.in_channels, channels, 3, padding=1))])
    skips = [channels]
    depths = iter(config.depths.down)
    for level, mult in enumerate(config.channel_mult):
        for _ in range(config.num_res_blocks):
            layers: list[nn.Module] = [ResBlock(channels, emb, config.model_channels * mult, config.norm_groups)]
            channels = config.model_channels * mult
            if depth := next(depths):
                layers.append(_transformer(config, channels, depth))
            blocks.append(TimestepEmbedSequential(*layers))
            skips.append(channels)
        if level < len(config.channel_mult) - 1:
            blocks.append(TimestepEmbedSequential(Downsample(channels)))
            skips.append(channels)
    return blocks, skips


def _output_blocks(config: UNetConfig, emb: int, skips: list[int]) -> nn.ModuleList:
    """The way up, each block taking one of the widths `skips` from the end."""
    skips = list(skips)
    channels = skips[-1]
    blocks = nn.ModuleList()
    depths = iter(config.depths.up)
    for level, mult in reversed(list(enumerate(config.channel_mult))):
        for i in range(config.num_res_blocks + 1):
            layers: list[nn.Module] = [ResBlock(channels + skips.pop(), emb, config.model_channels * mult, config.norm_groups)]
            channels = config.model_channels * mult
            if depth := next(depths):
                layers.append(_transformer(config, channels, depth))
            if level > 0 and i == config.num_res_blocks:
                layers.append(Upsample(channels))
            blocks.append(TimestepEmbedSequential(*layers))
    return blocks
