"""The autoencoder one tile at a time: what it gives for the whole picture, in the memory of a tile.

Maps of full size wait in main memory. Every layer goes over them tile by tile, and sees so many pixels around a tile as its kernel
needs; group norms take mean and variance over all tiles. So no seam can come to be, and nothing is blended: the result differs from
that in one piece by rounding alone (measured: below 1e-4 of the range -1..1 in float32).
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modules.nn.vae import AutoencoderKL, Decoder, Downsample, Encoder, Posterior, ResnetBlock, nonlinearity, posterior_of

# (tiles done, all tiles), before each tile; it may raise to cancel.
OnTile = Callable[[int, int], None]


@dataclass(frozen=True)
class Area:
    """A part of a map: rows top..bottom, columns left..right, ends not included."""

    top: int
    bottom: int
    left: int
    right: int


def areas(height: int, width: int, side: int) -> list[Area]:
    """A map of height x width cut into parts of at most side x side, of about the same size."""
    cuts = lambda length: [length * i // -(-length // side) for i in range(-(-length // side) + 1)]
    rows, columns = cuts(height), cuts(width)
    return [Area(top, bottom, left, right) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]


def decode_in_tiles(vae: AutoencoderKL, latent: Tensor, tile_px: int, on_tile: OnTile = lambda done, count: None) -> Tensor:
    """As `vae.decode`: latent [1, embed_dim, h, w] -> pixels [1, 3, 8 h, 8 w] on the latent's device, in tiles of tile_px pixels."""
    decoder = vae.decoder
    tiles = _Tiles(latent.device, on_tile)
    tiles.expect(_sizes_of_decoder(decoder, latent.shape[-2:], tile_px))
    x = tiles.kept(decoder.mid(decoder.conv_in(vae.post_quant_conv(latent.to(vae.dtype)))))
    side = max(1, tile_px >> decoder.num_resolutions - 1)
    for level in reversed(decoder.up):
        for block in level.block:
            x = _residual(tiles, block, x, side)
        if hasattr(level, "upsample"):
            side *= 2
            x = _doubled(tiles, level.upsample.conv, x, side)
    return _convolved(tiles, decoder.norm_out, decoder.conv_out, x, side).to(latent.device)


def encode_in_tiles(vae: AutoencoderKL, pixels: Tensor, tile_px: int, on_tile: OnTile = lambda done, count: None) -> Posterior:
    """As `vae.encode`: pixels [1, 3, H, W] in -1..1 -> distribution over latents [1, embed_dim, H/8, W/8], in tiles of tile_px pixels."""
    encoder = vae.encoder
    tiles = _Tiles(pixels.device, on_tile)
    tiles.expect(_sizes_of_encoder(encoder, pixels.shape[-2:], tile_px))
    side = tile_px
    x = _convolved(tiles, None, encoder.conv_in, tiles.kept(pixels.to(vae.dtype)), side)
    for level in encoder.down:
        for block in level.block:
            x = _residual(tiles, block, x, side)
        if hasattr(level, "downsample"):
            side = max(1, side // 2)
            x = _halved(tiles, level.downsample, x, side)
    x = encoder.mid(x.to(pixels.device))
    return posterior_of(vae.quant_conv(encoder.conv_out(nonlinearity(encoder.norm_out(x)))))


class _Tiles:
    """The device that does the work, and the count of its tiles."""

    def __init__(self, device: torch.device, on_tile: OnTile):
        self.device, self.on_tile = device, on_tile
        self.done = self.count = 0

    def expect(self, sizes: Iterator[tuple[int, int, int]]) -> None:
        """Count the tiles of all layers from (height, width, side) of their maps."""
        self.count = sum(len(areas(*size)) for size in sizes)

    def of(self, size: Sequence[int], side: int) -> Iterator[Area]:
        """The parts of a map of this height and width, each told before its turn."""
        for area in areas(size[0], size[1], side):
            self.on_tile(self.done, self.count)
            self.done += 1
            yield area

    @staticmethod
    def kept(x: Tensor) -> Tensor:
        """A whole map where there is room for it."""
        return x.to("cpu")

    def cut(self, x: Tensor, area: Area, margin: int, *, wraps: bool) -> Tensor:
        """The area with `margin` pixels around it, on the device; beyond the map's edge there is nothing, or its other side."""
        height, width = x.shape[-2:]
        if wraps:
            rows = torch.arange(area.top - margin, area.bottom + margin) % height
            columns = torch.arange(area.left - margin, area.right + margin) % width
            return x[:, :, rows][..., columns].to(self.device)
        return x[:, :, max(0, area.top - margin):area.bottom + margin, max(0, area.left - margin):area.right + margin].to(self.device)


def _sizes_of_decoder(decoder: Decoder, size: torch.Size, tile_px: int) -> Iterator[tuple[int, int, int]]:
    height, width = size
    side = max(1, tile_px >> decoder.num_resolutions - 1)
    for level in reversed(decoder.up):
        yield from [(height, width, side)] * (2 * len(level.block))
        if hasattr(level, "upsample"):
            height, width, side = height * 2, width * 2, side * 2
            yield height, width, side
    yield height, width, side


def _sizes_of_encoder(encoder: Encoder, size: torch.Size, tile_px: int) -> Iterator[tuple[int, int, int]]:
    (height, width), side = size, tile_px
    yield height, width, side
    for level in encoder.down:
        yield from [(height, width, side)] * (2 * len(level.block))
        if hasattr(level, "downsample"):
            height, width, side = height // 2, width // 2, max(1, side // 2)
            yield height, width, side


def _residual(tiles: _Tiles, block: ResnetBlock, x: Tensor, side: int) -> Tensor:
    """ResnetBlock.forward over the whole map x; x is used up."""
    h = _convolved(tiles, block.norm1, block.conv1, x, side)
    norm, conv = _norm_of(block.norm2, h), block.conv2
    is_same = block.in_channels == block.out_channels
    out = x if is_same else h.new_empty(h.shape)
    for area in tiles.of(x.shape[-2:], side):
        here = (..., slice(area.top, area.bottom), slice(area.left, area.right))
        straight = tiles.cut(x, area, 0, wraps=False)
        straight = straight if is_same else block.nin_shortcut(straight)
        out[here] = straight + _tile_of(tiles, norm, conv, h, area)
    return out


def _convolved(tiles: _Tiles, norm: nn.GroupNorm | None, conv: nn.Conv2d, x: Tensor, side: int) -> Tensor:
    """conv(silu(norm(x))) over the whole map, or conv(x)."""
    normed = None if norm is None else _norm_of(norm, x)
    out = x.new_empty(len(x), conv.out_channels, *x.shape[-2:])
    for area in tiles.of(x.shape[-2:], side):
        out[..., area.top:area.bottom, area.left:area.right] = _tile_of(tiles, normed, conv, x, area)
    return out


def _doubled(tiles: _Tiles, conv: nn.Conv2d, x: Tensor, side: int) -> Tensor:
    """Upsample.forward over the whole map: every pixel twice, then the convolution."""
    height, width = x.shape[-2] * 2, x.shape[-1] * 2
    out = x.new_empty(len(x), conv.out_channels, height, width)
    for area in tiles.of((height, width), side):
        # Cut to whole pixels of the smaller map; what that is too much is cut off after the convolution.
        source = Area(area.top // 2, -(-area.bottom // 2), area.left // 2, -(-area.right // 2))
        small = tiles.cut(x, source, 1, wraps=conv.padding_mode == "circular")
        large = conv(F.interpolate(small, scale_factor=2, mode="nearest"))
        around = _before(source.top * 2, 2, conv), _before(source.left * 2, 2, conv)
        top, left = area.top - source.top * 2 + around[0], area.left - source.left * 2 + around[1]
        out[..., area.top:area.bottom, area.left:area.right] = large[
            ..., top:top + area.bottom - area.top, left:left + area.right - area.left]
    return out


def _halved(tiles: _Tiles, layer: Downsample, x: Tensor, side: int) -> Tensor:
    """Downsample.forward over the whole map: zeros at the right and bottom, then every second pixel of the convolution."""
    height, width = x.shape[-2:]
    out = x.new_empty(len(x), layer.conv.out_channels, height // 2, width // 2)
    for area in tiles.of((height // 2, width // 2), side):
        bottom, right = area.bottom * 2 + 1, area.right * 2 + 1
        piece = x[..., area.top * 2:bottom, area.left * 2:right].to(tiles.device)
        piece = F.pad(piece, (0, max(0, right - width), 0, max(0, bottom - height)))
        out[..., area.top:area.bottom, area.left:area.right] = layer.conv(piece)
    return out


def _tile_of(tiles: _Tiles, norm: Callable[[Tensor], Tensor] | None, conv: nn.Conv2d, x: Tensor, area: Area) -> Tensor:
    """What the convolution makes of an area, on the device."""
    piece = tiles.cut(x, area, 1, wraps=conv.padding_mode == "circular")
    made = conv(piece if norm is None else nonlinearity(norm(piece)))
    top, left = _before(area.top, 1, conv), _before(area.left, 1, conv)
    return made[..., top:top + area.bottom - area.top, left:left + area.right - area.left]


def _before(start: int, margin: int, conv: nn.Conv2d) -> int:
    """So many pixels stand before an area that begins at `start`: the margin, or none at the edge of the map."""
    return margin if start or conv.padding_mode == "circular" else 0


def _norm_of(norm: nn.GroupNorm, x: Tensor) -> Callable[[Tensor], Tensor]:
    """`norm` with the mean and variance of the whole map x [1, C, H, W], for parts of it."""
    values = x.unflatten(1, (norm.num_groups, -1)).flatten(2)  # [1, groups, C / groups * H * W]
    mean = torch.stack([_mean(group) for group in values[0]])
    variance = torch.stack([_mean(group, around=middle) for group, middle in zip(values[0], mean, strict=True)])
    each = x.shape[1] // norm.num_groups
    scale = (1 / (variance + norm.eps).sqrt()).repeat_interleave(each).float()
    middle = mean.repeat_interleave(each).float()

    def normed(piece: Tensor) -> Tensor:
        factor = scale.to(piece.device) * norm.weight.float()
        shift = norm.bias.float() - middle.to(piece.device) * factor
        return torch.addcmul(shift[:, None, None], piece.float(), factor[:, None, None]).to(piece.dtype)

    return normed


def _mean(values: Tensor, around: Tensor | None = None) -> Tensor:
    """The mean of numbers [N], or of their squared distances from `around`: a scalar in float64.

    A million at a time, since an exact copy of them all would take the memory that tiles save.
    """
    parts = (part.double() for part in values.split(1 << 20))
    return torch.stack([(part if around is None else (part - around) ** 2).sum() for part in parts]).sum() / len(values)
