"""The networks that exist as rows of numbers: sizes of the parts, and what cannot be read from a file's shapes."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from modules.nn.clip_text import ClipTextConfig

Family = Literal["sd1"]
Parameterization = Literal["eps", "v"]


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """Sizes of the U-Net; the defaults are SD 1.x. Levels count from the largest feature map."""

    in_channels: int = 4
    out_channels: int = 4
    model_channels: int = 320
    channel_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    attention_levels: tuple[int, ...] = (0, 1, 2)
    transformer_depth: int = 1
    num_heads: int = 8
    context_dim: int = 768
    norm_groups: int = 32


@dataclass(frozen=True, kw_only=True)
class VaeConfig:
    """Sizes of the autoencoder; the defaults are those of SD 1.x to XL."""

    image_channels: int = 3
    ch: int = 128
    ch_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    z_channels: int = 4
    embed_dim: int = 4
    norm_groups: int = 32

    @property
    def downscale(self) -> int:
        """Pixels per latent pixel along one side."""
        return 2 ** (len(self.ch_mult) - 1)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Everything needed to build a model; the defaults are SD 1.5.

    parameterization: what the U-Net predicts. linear_start, linear_end, timesteps: betas evenly spaced in their square roots.
    """

    family: Family = "sd1"
    unet: UNetConfig = field(default_factory=UNetConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)
    text: ClipTextConfig = field(default_factory=ClipTextConfig)
    parameterization: Parameterization = "eps"
    scale_factor: float = 0.18215
    linear_start: float = 0.00085
    linear_end: float = 0.012
    timesteps: int = 1000
    native_size_px: int = 512

    @property
    def is_inpainting(self) -> bool:
        """Whether the U-Net takes a mask and the masked latent beside the noisy latent."""
        return self.unet.in_channels == self.vae.embed_dim * 2 + 1


SD1 = Architecture()
