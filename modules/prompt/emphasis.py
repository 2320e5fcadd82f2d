"""Ways to apply the weights of tokens to the encoder's output."""
from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

EmphasisMode = Literal["None", "Ignore", "Original", "No norm"]
EMPHASIS_MODES: tuple[EmphasisMode, ...] = get_args(EmphasisMode)


def unchanged(hidden: Tensor, weights: Tensor, uses: Tensor) -> Tensor:
    """Weights have no effect."""
    return hidden


def scaled(hidden: Tensor, weights: Tensor, uses: Tensor) -> Tensor:
    """Each token's vector times its weight. hidden [N, 77, C], weights [N, 77]."""
    return hidden * weights[..., None]


def scaled_to_equal_mean(hidden: Tensor, weights: Tensor, uses: Tensor) -> Tensor:
    """Scaled, then brought back to the mean it had before.

    The mean runs over all rows, each counted as often as it is used (uses [N]): texts that are encoded together share one factor.
    Pictures in the world were made so; the variants of an edited prompt are such texts.
    """
    changed = scaled(hidden, weights, uses)
    factor = _mean(hidden, uses) / _mean(changed, uses)
    return changed * factor if torch.isfinite(factor) else changed


def _mean(hidden: Tensor, uses: Tensor) -> Tensor:
    return (hidden.mean(dim=(1, 2)) * uses).sum() / uses.sum()


APPLY: dict[EmphasisMode, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "None": unchanged,
    "Ignore": unchanged,
    "Original": scaled_to_equal_mean,
    "No norm": scaled,
}


def apply_emphasis(mode: EmphasisMode, hidden: Tensor, weights: Tensor, uses: Tensor) -> Tensor:
    """The encoder's output [N, 77, C] with weights [N, 77] applied, in the dtype it came in; computed in float32."""
    if bool((weights == 1).all()):
        return hidden
    return APPLY[mode](hidden.float(), weights.float(), uses.float()).to(hidden.dtype)
