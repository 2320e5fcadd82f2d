"""Parts of networks that are built with the arguments of the `ldm` package, for extensions that build networks beside the U-Net."""
from __future__ import annotations

from typing import Any

from torch import nn

from modules.nn import attention, unet

NORM_GROUPS = 32


class OtherArguments(type):
    """Metaclass of a class that differs from its base, `home`, only by how it is built.

    The parts of the running U-Net are instances of it, and what is replaced on it is replaced there.
    """

    def _home(cls) -> type | None:
        return vars(cls).get("home")  # an extension's own subclasses have none

    def __instancecheck__(cls, instance: Any) -> bool:
        home = cls._home()
        return isinstance(instance, home) if home else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        home = cls._home()
        return issubclass(subclass, home) if home else super().__subclasscheck__(subclass)

    def __setattr__(cls, name: str, value: Any) -> None:
        home = cls._home()
        if home:
            setattr(home, name, value)
        else:
            super().__setattr__(name, value)


class CrossAttention(attention.CrossAttention, metaclass=OtherArguments):
    """Attention of tokens to themselves, or to a context."""

    home = attention.CrossAttention

    def __init__(self, query_dim: int, context_dim: int | None = None, heads: int = 8, dim_head: int = 64, dropout: float = 0.0, **_: Any):
        super().__init__(query_dim, context_dim, heads, dim_head)


class FeedForward(attention.FeedForward, metaclass=OtherArguments):
    """The two-layer network of a transformer block, with a gate whatever `glu` says."""

    home = attention.FeedForward

    def __init__(self, dim: int, dim_out: int | None = None, mult: int = 4, glu: bool = True, dropout: float = 0.0):
        super().__init__(dim, mult)


class BasicTransformerBlock(attention.BasicTransformerBlock, metaclass=OtherArguments):
    """Self attention, attention to the text, feed-forward."""

    home = attention.BasicTransformerBlock

    def __init__(self, dim: int, n_heads: int, d_head: int, dropout: float = 0.0, context_dim: int | None = None, *_: Any,
                 disable_self_attn: bool = False, **__: Any):
        super().__init__(dim, n_heads, d_head, context_dim)
        _only("transformer blocks without self attention", not disable_self_attn)


class SpatialTransformer(attention.SpatialTransformer, metaclass=OtherArguments):
    """Transformer blocks over the pixels of a feature map."""

    home = attention.SpatialTransformer

    def __init__(self, in_channels: int, n_heads: int, d_head: int, depth: int = 1, dropout: float = 0.0, context_dim: Any = None,
                 disable_self_attn: bool = False, use_linear: bool = False, **_: Any):
        _only("transformer blocks without self attention", not disable_self_attn)
        width = context_dim[0] if isinstance(context_dim, (list, tuple)) else context_dim
        super().__init__(in_channels, n_heads, d_head, depth=depth, context_dim=width, norm_groups=NORM_GROUPS, use_linear=use_linear)


class ResBlock(unet.ResBlock, metaclass=OtherArguments):
    """Two convolutions with the time added between them."""

    home = unet.ResBlock

    def __init__(self, channels: int, emb_channels: int, dropout: float = 0.0, out_channels: int | None = None, use_conv: bool = False,
                 use_scale_shift_norm: bool = False, dims: int = 2, use_checkpoint: bool = False, up: bool = False, down: bool = False,
                 **_: Any):
        _only("residual blocks that scale, halve or double", not (use_scale_shift_norm or up or down) and dims == 2)
        super().__init__(channels, emb_channels, out_channels or channels, NORM_GROUPS)


class Downsample(unet.Downsample, metaclass=OtherArguments):
    """Halves the size, by a convolution or by means."""

    home = unet.Downsample

    def __init__(self, channels: int, use_conv: bool = True, dims: int = 2, out_channels: int | None = None, padding: int = 1, **_: Any):
        super().__init__(channels)
        self.op: nn.Module = nn.AvgPool2d(2)
        if use_conv:
            self.op = nn.Conv2d(channels, out_channels or channels, 3, stride=2, padding=padding)


class Upsample(unet.Upsample, metaclass=OtherArguments):
    """Doubles the size by repeating pixels, then smooths by a convolution."""

    home = unet.Upsample

    def __init__(self, channels: int, use_conv: bool = True, dims: int = 2, out_channels: int | None = None, padding: int = 1, **_: Any):
        _only("layers that double the size without smoothing, or into other channels", use_conv and out_channels in (None, channels))
        super().__init__(channels)


def _only(what: str, is_known: bool) -> None:
    """Refuse arguments of networks other than those of Stable Diffusion. Raises ValueError."""
    if not is_known:
        raise ValueError(f"The networks of Stable Diffusion have no {what}.")
