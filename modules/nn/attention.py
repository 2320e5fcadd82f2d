"""Attention: softmax(q k^T / sqrt(d)) v, with the one switch that chooses its implementation."""
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modules.nn.layers import ExactGroupNorm, Linear, PointwiseConv2d
from modules.nn.token_merging import matches

Implementation = Literal["sdpa", "matmul"]

_implementation: Implementation = "sdpa"
_SHORT = 64
_NARROW = 16
_LONG = 256


def use_implementation(name: Implementation) -> None:
    """Choose for the whole process: "sdpa" (torch's fused kernels) or "matmul" (plain products, the form of the paper)."""
    global _implementation
    _implementation = name


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """q [B, heads, T, d], k and v [B, heads, S, d] -> [B, heads, T, d]. `mask` is added to the scores, or boolean with True = look at."""
    # For few tokens plain products take the CPU as long as the fused kernel, and round as in pictures that exist.
    if _implementation == "matmul" or (q.device.type == "cpu" and q.shape[-2] <= _SHORT):
        return _plain(q, k, v, mask)
    width = q.shape[-1]
    if q.device.type == "cpu" and width < _NARROW and min(q.shape[-2], k.shape[-2]) >= _LONG:
        # The fused CPU kernel works on 16 numbers at once: heads of 4 take half the time when filled up with zeros.
        q, k, v = (F.pad(t, (0, _NARROW - width)) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=width**-0.5)[..., :width]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _plain(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    scores = q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)  # [B, heads, T, S]
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1).to(v.dtype) @ v


class CrossAttention(nn.Module):
    """Attention of tokens to themselves, or to a context; names and attributes as extensions know them."""

    def __init__(self, query_dim: int, context_dim: int | None = None, heads: int = 8, dim_head: int = 64):
        super().__init__()
        inner = heads * dim_head
        context_dim = query_dim if context_dim is None else context_dim
        self.heads = heads
        self.dim_head = dim_head
        self.scale = dim_head**-0.5
        self.to_q = Linear(query_dim, inner, bias=False)
        self.to_k = Linear(context_dim, inner, bias=False)
        self.to_v = Linear(context_dim, inner, bias=False)
        self.to_out = nn.Sequential(Linear(inner, query_dim), nn.Dropout(0.0))

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """x [B, T, C], context [B, S, D] (default: x itself) -> [B, T, C]."""
        context = x if context is None else context
        q, k, v = (self._by_head(t) for t in (self.to_q(x), self.to_k(context), self.to_v(context)))
        out = attend(q, k, v, mask)  # [B, heads, T, d]
        return self.to_out(out.transpose(1, 2).flatten(2))

    def _by_head(self, t: Tensor) -> Tensor:
        return t.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, d]


class GEGLU(nn.Module):
    """A linear layer gated by the GELU of another one (Shazeer 2020, arXiv:2002.05202); both stand in one matrix."""

    def __init__(self, dim_in: int, dim_out: int):
        super().__init__()
        self.proj = Linear(dim_in, dim_out * 2)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """The two-layer network of a transformer block."""

    def __init__(self, dim: int, mult: int = 4):
        super().__init__()
        self.net = nn.Sequential(GEGLU(dim, dim * mult), nn.Dropout(0.0), Linear(dim * mult, dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class BasicTransformerBlock(nn.Module):
    """Self attention, attention to the text, feed-forward; each added to its input.

    merging_ratio: share of the tokens that self attention sees merged into others (modules/nn/token_merging.py).
    """

    merging_ratio = 0.0
    disable_self_attn = False  # read by extensions

    def __init__(self, dim: int, n_heads: int, d_head: int, context_dim: int | None = None):
        super().__init__()
        self.attn1 = CrossAttention(dim, None, n_heads, d_head)
        self.ff = FeedForward(dim)
        self.attn2 = CrossAttention(dim, context_dim, n_heads, d_head)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.norm3 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, context: Tensor | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """x [B, h * w, C], context [B, S, D], size (h, w) -> [B, h * w, C]."""
        # Extensions replace _forward on a block by one that knows nothing of the size.
        return self._forward(x, context=context) if size is None or "_forward" in vars(self) else self._forward(x, context, size)

    def _forward(self, x: Tensor, context: Tensor | None = None, size: tuple[int, int] | None = None) -> Tensor:
        x = self._self_attention(x, size) + x
        x = self.attn2(self.norm2(x), context=context) + x
        return self.ff(self.norm3(x)) + x

    def _self_attention(self, x: Tensor, size: tuple[int, int] | None) -> Tensor:
        if not self.merging_ratio or size is None:
            return self.attn1(self.norm1(x))
        found = matches(x, *size, self.merging_ratio)
        return found.unmerged(self.attn1(found.merged(self.norm1(x))))


class SpatialTransformer(nn.Module):
    """Transformer blocks over the pixels of a feature map, between two 1x1 convolutions (SD1) or linear layers (SD2 and later)."""

    def __init__(
        self, channels: int, n_heads: int, d_head: int, *, depth: int, context_dim: int, norm_groups: int, use_linear: bool = False,
    ):
        super().__init__()
        inner = n_heads * d_head
        self.in_channels = channels
        self.use_linear = use_linear
        self.norm = ExactGroupNorm(norm_groups, channels, eps=1e-6)
        self.proj_in = Linear(channels, inner) if use_linear else PointwiseConv2d(channels, inner)
        self.transformer_blocks = nn.ModuleList(BasicTransformerBlock(inner, n_heads, d_head, context_dim) for _ in range(depth))
        self.proj_out = Linear(inner, channels) if use_linear else PointwiseConv2d(inner, channels)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """x [B, C, h, w], context [B, S, D] -> [B, C, h, w]."""
        height, width = x.shape[2:]
        h = self.norm(x) if self.use_linear else self.proj_in(self.norm(x))
        h = h.flatten(2).transpose(1, 2)  # [B, h * w, C]; no copy when x is channels last
        h = self.proj_in(h) if self.use_linear else h
        for block in self.transformer_blocks:
            # The size only where it is needed: extensions put blocks here that know nothing of it.
            h = block(h, context=context, size=(height, width)) if getattr(block, "merging_ratio", 0) else block(h, context=context)
        h = self.proj_out(h) if self.use_linear else h
        h = h.transpose(1, 2).unflatten(2, (height, width))
        return (h if self.use_linear else self.proj_out(h)) + x
