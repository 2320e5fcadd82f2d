"""Ways to apply the weights of tokens to the encoder's output."""
from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor

EmphasisMode = Literal["None", "Ignore", "Original", "No norm"]
EMPHASIS_MODES: tuple[EmphasisMode, ...] = get_args(EmphasisMode)


def unchanged(hidden: Tensor, weights: Tensor, order: Tensor) -> Tensor:
    """Weights have no effect."""
    return hidden


def scaled(hidden: Tensor, weights: Tensor, order: Tensor) -> Tensor:
    """Each token's vector times its weight. hidden [N, 77, C], weights [N, 77]."""
    return hidden * weights[..., None]


def scaled_to_equal_mean(hidden: Tensor, weights: Tensor, order: Tensor) -> Tensor:
    """Scaled, then brought back to the mean it had before.

    The mean runs over all texts that are encoded together, such as the variants of an edited prompt: they share one factor, as in
    the pictures that exist. A row counts as often as a text uses it (order [M]).
    """
    changed = scaled(hidden, weights, order)
    after = _mean(changed, order)
    factor = _mean(hidden, order) / after if after else 1.0
    return changed * factor


def _mean(rows: Tensor, order: Tensor) -> float:
    # In double precision: the mean is often near zero, and then the factor hangs on its last digits. Not every device has doubles.
    return float(rows[order].cpu().double().mean())


APPLY: dict[EmphasisMode, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "None": unchanged,
    "Ignore": unchanged,
    "Original": scaled_to_equal_mean,
    "No norm": scaled,
}


def apply_emphasis(mode: EmphasisMode, hidden: Tensor, weights: Tensor, order: Tensor) -> Tensor:
    """The encoder's output [N, 77, C] with weights [N, 77] applied, in the dtype it came in; computed in float32."""
    if bool((weights == 1).all()):
        return hidden
    return APPLY[mode](hidden.float(), weights.float(), order).to(hidden.dtype)
