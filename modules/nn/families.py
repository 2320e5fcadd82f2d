"""The networks that exist as rows of numbers: sizes of the parts, and what cannot be read from a file's shapes."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from modules.nn.clip_text import ClipTextConfig

Family = Literal["sd1", "sd2", "sdxl", "refiner"]
Parameterization = Literal["eps", "v"]
# What a U-Net that works on latents [B, 4, h, w] is shown beside them: nothing, a mask and the masked picture, a depth map, a picture.
Extra = Literal["none", "inpainting", "depth", "instruct"]
# What is told about a picture beside its text, in numbers: (height, width), (top, left), (height, width), score.
PictureFact = Literal["original_size", "crop", "target_size", "aesthetic_score"]
NUMBERS_OF: dict[PictureFact, int] = {"original_size": 2, "crop": 2, "target_size": 2, "aesthetic_score": 1}


@dataclass(frozen=True, kw_only=True)
class BlockDepths:
    """Transformer blocks in each residual block on the way down and up, 0 for none, where levels are not of one kind (distilled XL).

    middle: None where the middle is a single residual block.
    """

    down: tuple[int, ...]
    middle: int | None
    up: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """Sizes of the U-Net; the defaults are SD 1.x. Levels count from the largest feature map.

    transformer_depth: blocks of each transformer, one number for all or one per attention level; the middle has as many as the last.
    block_depths: takes the place of transformer_depth in networks of an uneven build.
    head_width: channels of each attention head; None: every level has num_heads of them.
    linear_projections: how transformers are entered and left, by linear layers or by 1x1 convolutions (the same numbers, other shapes).
    vector_dim: length of the vector that is added to the time embedding, 0 for none (Podell et al. 2023, arXiv:2307.01952, section 2.2).
    guidance_dim: length of the embedding of the guidance scale in latent consistency models, 0 for none (arXiv:2310.04378).
    """

    in_channels: int = 4
    out_channels: int = 4
    model_channels: int = 320
    channel_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    attention_levels: tuple[int, ...] = (0, 1, 2)
    transformer_depth: int | tuple[int, ...] = 1
    block_depths: BlockDepths | None = None
    num_heads: int = 8
    head_width: int | None = None
    context_dim: int = 768
    norm_groups: int = 32
    linear_projections: bool = False
    vector_dim: int = 0
    guidance_dim: int = 0

    @property
    def depths(self) -> BlockDepths:
        """Transformer blocks of every residual block."""
        if self.block_depths is not None:
            return self.block_depths
        levels = [self._depth_at(level) for level in range(len(self.channel_mult))]
        known = self.transformer_depth
        return BlockDepths(
            down=tuple(depth for depth in levels for _ in range(self.num_res_blocks)),
            middle=known if isinstance(known, int) else known[-1],
            up=tuple(depth for depth in reversed(levels) for _ in range(self.num_res_blocks + 1)))

    def _depth_at(self, level: int) -> int:
        if level not in self.attention_levels:
            return 0
        depth = self.transformer_depth
        return depth if isinstance(depth, int) else depth[self.attention_levels.index(level)]

    def heads_of(self, channels: int) -> int:
        """The number of attention heads over so many channels."""
        return self.num_heads if self.head_width is None else channels // self.head_width


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

    second_text: another text encoder, whose hidden states stand beside the first one's. picture_facts: what the vector holds behind
    the pooled text. parameterization: what the U-Net predicts. linear_start, linear_end, timesteps: betas evenly spaced in their
    square roots. is_zero_snr: the noise schedule is rescaled so that nothing of the picture is left at its end.
    """

    family: Family = "sd1"
    unet: UNetConfig = field(default_factory=UNetConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)
    text: ClipTextConfig = field(default_factory=ClipTextConfig)
    second_text: ClipTextConfig | None = None
    picture_facts: tuple[PictureFact, ...] = ()
    parameterization: Parameterization = "eps"
    scale_factor: float = 0.18215
    linear_start: float = 0.00085
    linear_end: float = 0.012
    timesteps: int = 1000
    is_zero_snr: bool = False
    native_size_px: int = 512

    @property
    def texts(self) -> tuple[ClipTextConfig, ...]:
        """The text encoders in order."""
        return (self.text,) if self.second_text is None else (self.text, self.second_text)

    @property
    def text_width(self) -> int:
        """Numbers per token over all text encoders; learned embeddings have as many."""
        return sum(text.hidden_size for text in self.texts)

    @property
    def pooled_dim(self) -> int:
        """Length of the pooled text in the vector."""
        return next((text.projection_dim for text in self.texts if text.gives_pooled), 0)

    @property
    def fact_dim(self) -> int:
        """Sines and cosines for each number of the picture facts: 256 in the published networks."""
        numbers = sum(NUMBERS_OF[fact] for fact in self.picture_facts)
        return (self.unet.vector_dim - self.pooled_dim) // numbers if numbers else 0

    @property
    def extra(self) -> Extra:
        """What the U-Net is shown beside the noisy latent."""
        kinds: dict[int, Extra] = {1: "depth", self.vae.embed_dim: "instruct", self.vae.embed_dim + 1: "inpainting"}
        return kinds.get(self.unet.in_channels - self.vae.embed_dim, "none")

    @property
    def is_inpainting(self) -> bool:
        """Whether the U-Net takes a mask and the masked latent beside the noisy latent."""
        return self.extra == "inpainting"


# Ilharco et al., OpenCLIP: ViT-H/14 and ViT-bigG/14. Stable Diffusion leaves out the last layer, XL also the norm behind it.
VIT_H = ClipTextConfig(
    layout="open_clip", hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, hidden_act="gelu",
    fixed_skip=2, projection_dim=1024)
CLIP_L_XL = ClipTextConfig(fixed_skip=2, has_final_norm=False)
BIG_G_XL = ClipTextConfig(
    layout="open_clip", hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, hidden_act="gelu",
    fixed_skip=2, has_final_norm=False, projection_dim=1280, gives_pooled=True)

SD1 = Architecture()
SD2 = Architecture(family="sd2", unet=UNetConfig(head_width=64, context_dim=1024, linear_projections=True), text=VIT_H)
SDXL = Architecture(
    family="sdxl", text=CLIP_L_XL, second_text=BIG_G_XL, picture_facts=("original_size", "crop", "target_size"),
    unet=UNetConfig(channel_mult=(1, 2, 4), attention_levels=(1, 2), transformer_depth=(2, 10), head_width=64, context_dim=2048,
                    linear_projections=True, vector_dim=2816),
    scale_factor=0.13025, native_size_px=1024)
REFINER = Architecture(
    family="refiner", text=BIG_G_XL, picture_facts=("original_size", "crop", "aesthetic_score"),
    unet=UNetConfig(model_channels=384, attention_levels=(1, 2), transformer_depth=4, head_width=64, context_dim=1280,
                    linear_projections=True, vector_dim=2560),
    scale_factor=0.13025, native_size_px=1024)
FAMILIES: dict[Family, Architecture] = {row.family: row for row in (SD1, SD2, SDXL, REFINER)}
