"""The network of CodeFormer (Zhou et al. 2022, arXiv:2206.11253) in the layout of its published file."""
from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = (64, 128, 128, 256, 256, 512)
CODE_CHANNELS = 256
HEADS = 8
# Features of the picture are mixed in at these sizes, named as for a face of 512 px: size -> place in encoder and generator.
ENCODER_PLACES = {"512": 2, "256": 5, "128": 8, "64": 11, "32": 14, "16": 18}
GENERATOR_PLACES = {"16": 6, "32": 9, "64": 12, "128": 15, "256": 18, "512": 21}


def normalized(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int, out_channels: int):
        super().__init__()
        self.norm1, self.norm2 = normalized(channels), normalized(out_channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if channels != out_channels:
            self.conv_out = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return h + (self.conv_out(x) if hasattr(self, "conv_out") else x)  # type: ignore[no-any-return]


class AttentionBlock(nn.Module):
    """Every place looks at every other one, with one head."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = normalized(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (part(h).flatten(2).transpose(1, 2)[:, None] for part in (self.q, self.k, self.v))  # [B, 1, hw, C]
        mixed = F.scaled_dot_product_attention(q, k, v)[:, 0].transpose(1, 2).reshape(x.shape)
        return x + self.proj_out(mixed)  # type: ignore[no-any-return]


class Downsample(nn.Module):
    """Half the size."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))  # type: ignore[no-any-return]


class Upsample(nn.Module):
    """Twice the size."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))  # type: ignore[no-any-return]


class Blocks(nn.Module):
    """A sequence under the name that the file gives it."""

    def __init__(self, blocks: list[nn.Module]):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)


def encoder() -> Blocks:
    """[B, 3, H, W] to [B, 256, H / 32, W / 32]."""
    blocks: list[nn.Module] = [nn.Conv2d(3, CHANNELS[0], 3, padding=1)]
    before = CHANNELS[0]
    for channels in CHANNELS:
        last = channels == CHANNELS[-1]
        for _ in range(2):
            blocks += [ResidualBlock(before, channels), *([AttentionBlock(channels)] if last else [])]
            before = channels
        if not last:
            blocks.append(Downsample(channels))
    return Blocks([*blocks, ResidualBlock(before, before), AttentionBlock(before), ResidualBlock(before, before),
                   normalized(before), nn.Conv2d(before, CODE_CHANNELS, 3, padding=1)])


def generator() -> Blocks:
    """The way back."""
    before = CHANNELS[-1]
    blocks: list[nn.Module] = [nn.Conv2d(CODE_CHANNELS, before, 3, padding=1), ResidualBlock(before, before), AttentionBlock(before),
                               ResidualBlock(before, before)]
    for place, channels in enumerate(reversed(CHANNELS)):
        for _ in range(2):
            blocks += [ResidualBlock(before, channels), *([AttentionBlock(channels)] if place == 0 else [])]
            before = channels
        if place < len(CHANNELS) - 1:
            blocks.append(Upsample(channels))
    return Blocks([*blocks, normalized(before), nn.Conv2d(before, 3, 3, padding=1)])


class TransformerLayer(nn.Module):
    """Attention and a perceptron over [T, B, C], with the positions added to what is compared."""

    def __init__(self, channels: int, inner: int):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(channels, HEADS)
        self.linear1, self.linear2 = nn.Linear(channels, inner), nn.Linear(inner, channels)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        h = self.norm1(x)
        x = x + self.self_attn(h + positions, h + positions, value=h, need_weights=False)[0]
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))  # type: ignore[no-any-return]


class Fusion(nn.Module):
    """Brings features of the picture into those of the generator: scaled and shifted by what both say together."""

    def __init__(self, channels: int):
        super().__init__()
        self.encode_enc = ResidualBlock(2 * channels, channels)
        self.scale, self.shift = (nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2, True),
                                                nn.Conv2d(channels, channels, 3, padding=1)) for _ in range(2))

    def forward(self, of_picture: Tensor, x: Tensor, weight: float) -> Tensor:
        both = self.encode_enc(torch.cat([of_picture, x], 1))
        return x + weight * (x * self.scale(both) + self.shift(both))  # type: ignore[no-any-return]


class Codebook(nn.Module):
    """The vectors from which faces are put together."""

    def __init__(self, count: int):
        super().__init__()
        self.embedding = nn.Embedding(count, CODE_CHANNELS)


class CodeFormer(nn.Module):
    """Faces [B, 3, 512, 512] in -1..1 from damaged ones: a transformer picks codes, the generator draws them.

    The numbers are those of the published file; `of_weights` reads them off another one.
    """

    def __init__(self, *, codes: int = 1024, positions: int = 256, width: int = 512, inner: int = 1024, layers: int = 9,
                 sizes: tuple[str, ...] = ("32", "64", "128", "256")):
        super().__init__()
        self.encoder, self.generator, self.quantize = encoder(), generator(), Codebook(codes)
        self.position_emb = nn.Parameter(torch.zeros(positions, width))
        self.feat_emb = nn.Linear(CODE_CHANNELS, width)
        self.ft_layers = nn.ModuleList(TransformerLayer(width, inner) for _ in range(layers))
        self.idx_pred_layer = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, codes, bias=False))
        channels = dict(zip(ENCODER_PLACES, CHANNELS, strict=True))
        self.fuse_convs_dict = nn.ModuleDict({size: Fusion(channels[size]) for size in sizes})

    @classmethod
    def of_weights(cls, weights: Mapping[str, Tensor]) -> CodeFormer:
        """The network that these tensors fill. Raises KeyError or RuntimeError where they are of another kind."""
        with torch.device("meta"):
            network = cls(
                codes=len(weights["quantize.embedding.weight"]), positions=len(weights["position_emb"]),
                width=weights["position_emb"].shape[1], inner=len(weights["ft_layers.0.linear1.bias"]),
                layers=len({name.split(".")[1] for name in weights if name.startswith("ft_layers.")}),
                sizes=tuple(size for size in ENCODER_PLACES if f"fuse_convs_dict.{size}.scale.0.weight" in weights))
        network.load_state_dict(dict(weights), strict=True, assign=True)
        return network.eval().requires_grad_(False)

    def forward(self, face: Tensor, weight: float = 0.5) -> Tensor:
        """weight: 0..1, how much of the given face is kept; 0 changes it most."""
        kept = {place: size for size, place in ENCODER_PLACES.items() if size in self.fuse_convs_dict}
        features: dict[str, Tensor] = {}
        x = face
        for place, block in enumerate(self.encoder.blocks):
            x = block(x)
            if place in kept:
                features[kept[place]] = x
        x = like(self._codes(x), x)
        mixed = {GENERATOR_PLACES[size]: size for size in features}
        for place, block in enumerate(self.generator.blocks):
            x = block(x)
            if weight > 0 and place in mixed:
                x = self.fuse_convs_dict[mixed[place]](features[mixed[place]], x, weight)
        return x

    def _codes(self, x: Tensor) -> Tensor:
        """The most likely code for every place, [B, 256, h, w]."""
        tokens = self.feat_emb(x.flatten(2).permute(2, 0, 1))  # [hw, B, width]
        for layer in self.ft_layers:
            tokens = layer(tokens, self.position_emb[:, None])
        chosen = self.idx_pred_layer(tokens).argmax(-1).T  # [B, hw]
        return self.quantize.embedding(chosen).transpose(1, 2).reshape(x.shape)  # type: ignore[no-any-return]


def like(x: Tensor, other: Tensor) -> Tensor:
    """`x` with mean and spread of each channel as in `other` (adaptive instance normalization)."""
    def mean_and_spread(y: Tensor) -> tuple[Tensor, Tensor]:
        flat = y.flatten(2)
        return flat.mean(2)[..., None, None], (flat.var(2) + 1e-5).sqrt()[..., None, None]

    (mean, spread), (other_mean, other_spread) = mean_and_spread(x), mean_and_spread(other)
    return (x - mean) / spread * other_spread + other_mean
