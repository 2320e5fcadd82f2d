"""Texts to Conditioning: chunks, the text network, learned embeddings and weights."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modules.nn.clip_text import ClipConditioner
from modules.prompt.chunks import Chunk, ChunkedText, chunked, empty_chunk
from modules.prompt.conditioning import Conditioning
from modules.prompt.emphasis import EmphasisMode, apply_emphasis

# Rows of 77 tokens that go through the network at once.
ROWS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How text is read. clip_skip 1 uses all layers of the text network, k leaves out the last k - 1.

    comma_padding_backtrack: see modules/prompt/chunks.py.
    """

    clip_skip: int = 1
    emphasis: EmphasisMode = "Original"
    comma_padding_backtrack: int = 20


def chunk_text(conditioner: ClipConditioner, text: str, options: EncodeOptions) -> ChunkedText:
    """The chunks in which `encode` sees a text."""
    return chunked(text, conditioner.tokenizer, conditioner.embeddings,
                   emphasis=options.emphasis, comma_padding_backtrack=options.comma_padding_backtrack)


@torch.no_grad()
def encode(conditioner: ClipConditioner, texts: list[str], options: EncodeOptions = EncodeOptions()) -> list[Conditioning]:
    """One Conditioning of one row [1, 77 n, C] for each text; n is the chunk count of the longest.

    The texts belong together, as the variants of one edited prompt do: shorter ones are filled with empty chunks, and emphasis
    "Original" keeps their common mean. Equal texts, and equal chunks, go through the network once.
    """
    lines = {text: chunk_text(conditioner, text, options).chunks for text in dict.fromkeys(texts)}
    longest = max((len(chunks) for chunks in lines.values()), default=0)
    filler = empty_chunk(conditioner.tokenizer)
    rows = {text: [*chunks, *[filler] * (longest - len(chunks))] for text, chunks in lines.items()}
    hidden = _hidden_states(conditioner, [chunk for row in rows.values() for chunk in row], options.clip_skip)
    order = torch.tensor([list(rows).index(text) for text in texts], device=conditioner.device)
    columns = []
    for i in range(longest):
        column = [row[i] for row in rows.values()]
        states = torch.stack([hidden[chunk.content] for chunk in column])  # [N, 77, C]
        weights = torch.tensor([chunk.weights for chunk in column], device=states.device)
        columns.append(apply_emphasis(options.emphasis, states, weights, order))
    done = dict(zip(rows, torch.cat(columns, dim=1))) if columns else {}
    return [Conditioning(crossattn=done[text][None]) for text in texts]


def _hidden_states(conditioner: ClipConditioner, chunks: list[Chunk], clip_skip: int) -> dict[tuple, Tensor]:
    """The network's output [77, C] by content of the chunk."""
    different = list({chunk.content: chunk for chunk in chunks}.values())
    states: dict[tuple, Tensor] = {}
    for first in range(0, len(different), ROWS_AT_ONCE):
        batch = different[first:first + ROWS_AT_ONCE]
        tokens = torch.tensor([_padded(chunk, conditioner) for chunk in batch], device=conditioner.device)
        learned = [[(placed.offset + 1, placed.embedding.vectors) for placed in chunk.placements] for chunk in batch]
        output = conditioner(tokens, learned, skip=clip_skip)
        states |= {chunk.content: row for chunk, row in zip(batch, output)}
    return states


def _padded(chunk: Chunk, conditioner: ClipConditioner) -> list[int]:
    """Token ids with the encoder's own padding behind the first end token."""
    end, pad = conditioner.tokenizer.end_id, conditioner.tokenizer.pad_id
    tokens = list(chunk.tokens)
    if pad != end:
        after = tokens.index(end) + 1
        tokens[after:] = [pad] * (len(tokens) - after)
    return tokens


def embeddings_used(conditioner: ClipConditioner, texts: list[str], options: EncodeOptions = EncodeOptions()) -> dict[str, str]:
    """Short hash by name of the learned embeddings that the texts name, in order of appearance."""
    return {
        placed.embedding.name: placed.embedding.short_hash
        for text in dict.fromkeys(texts)
        for chunk in chunk_text(conditioner, text, options).chunks
        for placed in chunk.placements
    }
