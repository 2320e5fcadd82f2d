"""Texts to Conditioning: chunks, the text networks, learned embeddings and weights."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from modules.nn.conditioners import TextConditioner
from modules.prompt.chunks import Chunk, ChunkedText, Placement, chunked, empty_chunk
from modules.prompt.conditioning import Conditioning
from modules.prompt.emphasis import EmphasisMode, apply_emphasis

# Rows of 77 tokens that go through the network at once.
ROWS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How text is read. clip_skip 1 uses all layers of the text network, k leaves out the last k - 1; SD2 and SDXL fix it themselves.

    comma_padding_backtrack: see modules/prompt/chunks.py.
    """

    clip_skip: int = 1
    emphasis: EmphasisMode = "Original"
    comma_padding_backtrack: int = 20


def chunk_text(conditioner: TextConditioner, text: str, options: EncodeOptions) -> ChunkedText:
    """The chunks in which `encode` sees a text."""
    return chunked(text, conditioner.tokenizer, conditioner.embeddings,
                   emphasis=options.emphasis, comma_padding_backtrack=options.comma_padding_backtrack)


@torch.no_grad()
def encode(conditioner: TextConditioner, texts: list[str], options: EncodeOptions = EncodeOptions()) -> list[Conditioning]:
    """One Conditioning of one row [1, 77 n, C] for each text; n is the chunk count of the longest.

    The texts belong together, as the variants of one edited prompt do: shorter ones are filled with empty chunks, and emphasis
    "Original" keeps their common mean. Equal texts, and equal chunks, go through the network once. Of several encoders each gives
    its own columns. `vector` is the pooled text [1, P] of the first chunk, where the family has one.
    """
    if not texts:
        return []
    lines = {text: chunk_text(conditioner, text, options).chunks for text in dict.fromkeys(texts)}
    longest = max(len(chunks) for chunks in lines.values())
    filler = empty_chunk(conditioner.tokenizer)
    rows = {text: [*chunks, *[filler] * (longest - len(chunks))] for text, chunks in lines.items()}
    order = torch.tensor([list(rows).index(text) for text in texts], device=conditioner.device)
    states: dict[str, list[Tensor]] = {text: [] for text in rows}
    pooled: dict[str, Tensor | None] = dict.fromkeys(rows)
    for number, encoder in enumerate(conditioner.encoders):
        read = _read(encoder, number, [chunk for row in rows.values() for chunk in row], options.clip_skip)
        for text, weighted in zip(rows, _weighted(list(rows.values()), read, options.emphasis, order)):
            states[text].append(weighted)
        pooled |= {text: vector for text, row in rows.items() if (vector := read[row[0].content].pooled) is not None}
    return [_conditioning(states[text], pooled[text]) for text in texts]


@dataclass(frozen=True, kw_only=True)
class _ReadChunk:
    """What an encoder makes of a chunk: hidden states [77, C] and, from some, a vector [P] for the whole."""

    states: Tensor
    pooled: Tensor | None


def _conditioning(states: list[Tensor], pooled: Tensor | None) -> Conditioning:
    text = states[0] if len(states) == 1 else torch.cat(states, dim=-1)
    return Conditioning(crossattn=text[None], vector=None if pooled is None else pooled[None])


def _weighted(rows: list[list[Chunk]], read: dict[tuple, _ReadChunk], emphasis: EmphasisMode, order: Tensor) -> Tensor:
    """The states [N, 77 n, C] of N texts of n chunks each with the weights of their tokens applied, chunk by chunk."""
    columns = []
    for column in zip(*rows, strict=True):
        states = torch.stack([read[chunk.content].states for chunk in column])  # [N, 77, C]
        weights = torch.tensor([chunk.weights for chunk in column], device=states.device)
        columns.append(apply_emphasis(emphasis, states, weights, order))
    return torch.cat(columns, dim=1)


def _read(encoder: Any, number: int, chunks: list[Chunk], clip_skip: int) -> dict[tuple, _ReadChunk]:
    """The network's output by content of the chunk. `number`: which encoder of the model it is, from 0."""
    different = list({chunk.content: chunk for chunk in chunks}.values())
    found: dict[tuple, _ReadChunk] = {}
    for first in range(0, len(different), ROWS_AT_ONCE):
        batch = different[first:first + ROWS_AT_ONCE]
        tokens = torch.tensor([_padded(chunk, encoder) for chunk in batch], device=encoder.device)
        learned = [[(placed.offset + 1, _vectors(placed, number)) for placed in chunk.placements] for chunk in batch]
        states, pooled = encoder.states_and_pooled(tokens, learned, skip=clip_skip)
        for i, chunk in enumerate(batch):
            found[chunk.content] = _ReadChunk(states=states[i], pooled=None if pooled is None else pooled[i])
    return found


def _vectors(placed: Placement, number: int) -> Tensor:
    """The learned vectors for an encoder."""
    second = getattr(placed.embedding, "second_vectors", None)
    return second if number and second is not None else placed.embedding.vectors


def _padded(chunk: Chunk, encoder: Any) -> list[int]:
    """Token ids with the encoder's own padding behind the first end token."""
    end, pad = encoder.tokenizer.end_id, encoder.tokenizer.pad_id
    tokens = list(chunk.tokens)
    if pad != end:
        after = tokens.index(end) + 1
        tokens[after:] = [pad] * (len(tokens) - after)
    return tokens


def embeddings_used(conditioner: TextConditioner, texts: list[str], options: EncodeOptions = EncodeOptions()) -> dict[str, str]:
    """Short hash by name of the learned embeddings that the texts name, in order of appearance.

    Those that stand in the file of another network have no hash, and are left out: the other network's hash covers them.
    """
    return {
        placed.embedding.name: placed.embedding.short_hash
        for text in dict.fromkeys(texts)
        for chunk in chunk_text(conditioner, text, options).chunks
        for placed in chunk.placements if placed.embedding.short_hash
    }
