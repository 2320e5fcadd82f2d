"""Captions as token ids with weights."""
import numpy as np
import torch
from torch import Tensor

from modules.nn.tokenizer import ClipTokenizer

# A text, or pieces of text with weights, as emphasis gives them.
Caption = str | list[tuple[str, float]]
LENGTH = 77
END = ClipTokenizer.end_id


def weighted_tokens(tokenizer: ClipTokenizer, captions: list[Caption], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Token ids and weights, [B, 77] each.

    A few captions get words from anywhere in the vocabulary, so that unknown words are taken as neutral.
    """
    rows, weight_rows = [], []
    for caption in captions:
        ids, weights = [], []
        for text, weight in [(caption, 1.0)] if isinstance(caption, str) else caption:
            part = tokenizer.encode(text)
            ids += part
            weights += [weight] * len(part)
        ids, weights = ids[:LENGTH - 2], weights[:LENGTH - 2]
        if caption and rng.random() < 0.08:
            for _ in range(rng.integers(1, 4)):
                place = rng.integers(len(ids) + 1)
                ids.insert(place, int(rng.integers(300, 49000)))
                weights.insert(place, 1.0)
        ids, weights = ids[:LENGTH - 2], weights[:LENGTH - 2]
        padding = LENGTH - 1 - len(ids)
        rows.append([tokenizer.start_id, *ids, *[END] * padding])
        weight_rows.append([1.0, *weights, *[1.0] * padding])
    return torch.tensor(rows), torch.tensor(weight_rows)


def tokens(tokenizer: ClipTokenizer, captions: list[str], rng: np.random.Generator) -> Tensor:
    """Token ids alone."""
    return weighted_tokens(tokenizer, list(captions), rng)[0]
