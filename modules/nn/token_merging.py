"""Token merging: self attention over fewer tokens, after the most similar ones were averaged (Bolya & Hoffman, arXiv:2303.17604)."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELL = 2  # one token of each cell of 2 x 2 takes the others in


@dataclass(frozen=True, kw_only=True)
class Matches:
    """Which tokens of a map join which, for each row of a batch.

    takers [T]: positions of the tokens that take others in. kept [B, K]: positions of the others that stay alone. joined [B, R]:
    positions of those that join; into [B, R]: the number of their taker.
    """

    takers: Tensor
    kept: Tensor
    joined: Tensor
    into: Tensor

    def merged(self, tokens: Tensor) -> Tensor:
        """tokens [B, N, C] -> [B, K + T, C]: those that stay alone, then the takers, averaged with all that joined them."""
        taken = tokens[:, self.takers].scatter_reduce(1, _wide(self.into, tokens), _picked(tokens, self.joined), "mean")
        return torch.cat([_picked(tokens, self.kept), taken], dim=1)

    def unmerged(self, tokens: Tensor) -> Tensor:
        """tokens [B, K + T, C] -> [B, N, C]: every joined token gets what its taker has."""
        alone, taken = tokens.split([self.kept.shape[1], len(self.takers)], dim=1)
        count = self.kept.shape[1] + len(self.takers) + self.joined.shape[1]
        out = tokens.new_empty(len(tokens), count, tokens.shape[2])
        out[:, self.takers] = taken
        out.scatter_(1, _wide(self.kept, tokens), alone)
        return out.scatter_(1, _wide(self.joined, tokens), _picked(taken, self.into))


def matches(tokens: Tensor, height: int, width: int, ratio: float) -> Matches:
    """The share `ratio` (below 1) of tokens [B, height * width, C] that joins, the most similar pairs first.

    The upper left token of each cell is a taker; the others compare themselves with all takers by the cosine. At most all of them join.
    """
    grid = torch.arange(height * width, device=tokens.device).view(height, width)
    is_taker = torch.zeros(height, width, dtype=torch.bool, device=tokens.device)
    is_taker[:height // CELL * CELL:CELL, :width // CELL * CELL:CELL] = True
    takers, others = grid[is_taker], grid[~is_taker]
    unit = F.normalize(tokens, dim=-1)
    likeness, nearest = (unit[:, others] @ unit[:, takers].transpose(1, 2)).max(dim=-1)  # [B, N - T]
    order = likeness.argsort(dim=-1, descending=True)
    count = min(len(others), int(height * width * ratio))
    return Matches(takers=takers, kept=others[order[:, count:]], joined=others[order[:, :count]], into=nearest.gather(1, order[:, :count]))


def _wide(positions: Tensor, tokens: Tensor) -> Tensor:
    return positions[..., None].expand(-1, -1, tokens.shape[2])


def _picked(tokens: Tensor, positions: Tensor) -> Tensor:
    return tokens.gather(1, _wide(positions, tokens))


def set_merging_ratio(unet: nn.Module, ratio: float) -> None:
    """Let self attention of the largest feature maps of `unet` merge this share of its tokens; 0 switches it off."""
    for block in _blocks_of_largest_maps(unet):
        block.merging_ratio = ratio


def _blocks_of_largest_maps(unet: nn.Module) -> Iterator[nn.Module]:
    # By name, since the modules of those classes import this one.
    before_downsampling = _until(unet.input_blocks, "Downsample")
    after_upsampling = _until(reversed(unet.output_blocks), "Upsample")
    for part in (*before_downsampling, *after_upsampling):
        yield from (module for module in part.modules() if hasattr(module, "merging_ratio"))


def _until(parts: Iterable[nn.Module], kind: str) -> Iterator[nn.Module]:
    for part in parts:
        if any(type(module).__name__ == kind for module in part.modules()):
            return
        yield part
