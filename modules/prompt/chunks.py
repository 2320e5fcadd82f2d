"""Text to tokens in chunks of 75 with weights."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from modules.nn.tokenizer import ClipTokenizer
from modules.prompt.emphasis import EmphasisMode
from modules.prompt.parse import BREAK, parse_emphasis

CHUNK_LENGTH = 75


class LearnedEmbedding(Protocol):
    """A word that stands for learned vectors [v, C]."""

    @property
    def name(self) -> str: ...

    @property
    def vectors(self) -> Tensor: ...

    @property
    def short_hash(self) -> str: ...


class EmbeddingLookup(Protocol):
    """Finds learned embeddings in a list of token ids."""

    def find(self, tokens: list[int], position: int) -> tuple[LearnedEmbedding, int] | None:
        """The longest one whose name's tokens begin at `position`, with the number of tokens of the name."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A learned embedding in a chunk; `offset` is the first of its places, counted without the begin token."""

    offset: int
    embedding: LearnedEmbedding


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """77 token ids and weights, begin and end tokens included. Where an embedding stands, ids are 0."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]
    placements: tuple[Placement, ...] = ()

    @property
    def multipliers(self) -> list[float]:
        """The weights, as extensions call them."""
        return list(self.weights)

    @property
    def content(self) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
        """What the network's output depends on, as a key: equal for equal input as long as the embeddings live."""
        return self.tokens, tuple((placed.offset, id(placed.embedding)) for placed in self.placements)


@dataclass(frozen=True, kw_only=True)
class ChunkedText:
    """A text in chunks (at least one). `token_count` counts full chunks whole, the last one up to its last token."""

    chunks: tuple[Chunk, ...]
    token_count: int

    @property
    def limit(self) -> int:
        """The places in all chunks that the text needs."""
        return limit_for(self.token_count)


def limit_for(token_count: int) -> int:
    """Places in the chunks that so many tokens need; 75 at least."""
    return max(1, -(-token_count // CHUNK_LENGTH)) * CHUNK_LENGTH


def chunked(
    text: str, tokenizer: ClipTokenizer, embeddings: EmbeddingLookup | None = None, *,
    emphasis: EmphasisMode = "Original", comma_padding_backtrack: int = 20,
) -> ChunkedText:
    """A text without schedule and AND as chunks of 75 tokens.

    When a chunk is full and a comma lies at most `comma_padding_backtrack` tokens back, what follows the comma moves to the next
    chunk (0 = off). BREAK ends a chunk. An embedding is never split. With emphasis "None" brackets and BREAK are plain text.
    """
    pieces = [(text, 1.0)] if emphasis == "None" else parse_emphasis(text)
    filler = _Filler(tokenizer, embeddings, comma_padding_backtrack)
    for piece, weight in pieces:
        if (piece, weight) == BREAK:
            filler.end_chunk()
        else:
            filler.add(tokenizer.encode(piece), weight)
    return filler.finished()


def empty_chunk(tokenizer: ClipTokenizer) -> Chunk:
    """What fills the place of missing chunks."""
    return chunked("", tokenizer).chunks[0]


@dataclass(kw_only=True)
class _Places:
    """The chunk that is being filled."""

    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)

    def cut(self, at: int) -> _Places:
        """Take away what stands from place `at` on."""
        moved = _Places(tokens=self.tokens[at:], weights=self.weights[at:], placements=[
            Placement(offset=p.offset - at, embedding=p.embedding) for p in self.placements if p.offset >= at
        ])
        del self.tokens[at:], self.weights[at:]
        self.placements = [p for p in self.placements if p.offset < at]
        return moved


class _Filler:
    """Puts tokens into chunks one after the other."""

    def __init__(self, tokenizer: ClipTokenizer, embeddings: EmbeddingLookup | None, backtrack: int):
        self.tokenizer, self.embeddings, self.backtrack = tokenizer, embeddings, backtrack
        self.places = _Places()
        self.last_comma: int | None = None
        self.chunks: list[Chunk] = []

    def add(self, tokens: list[int], weight: float) -> None:
        position = 0
        while position < len(tokens):
            self._make_room(tokens[position])
            found = self.embeddings.find(tokens, position) if self.embeddings else None
            if found:
                self._place(found[0], weight)
                position += found[1]
            else:
                self.places.tokens.append(tokens[position])
                self.places.weights.append(weight)
                position += 1

    def _make_room(self, token: int) -> None:
        used = len(self.places.tokens)
        if token == self.tokenizer.comma_id:
            self.last_comma = used
        elif used == CHUNK_LENGTH and self.last_comma is not None and used - self.last_comma <= self.backtrack:
            moved = self.places.cut(self.last_comma + 1)
            self.end_chunk()
            self.places = moved
        if len(self.places.tokens) == CHUNK_LENGTH:
            self.end_chunk()

    def _place(self, embedding: LearnedEmbedding, weight: float) -> None:
        count = min(len(embedding.vectors), CHUNK_LENGTH)
        if len(self.places.tokens) + count > CHUNK_LENGTH:
            self.end_chunk()
        self.places.placements.append(Placement(offset=len(self.places.tokens), embedding=embedding))
        self.places.tokens += [0] * count
        self.places.weights += [weight] * count

    def end_chunk(self) -> None:
        missing = CHUNK_LENGTH - len(self.places.tokens)
        start, end = self.tokenizer.start_id, self.tokenizer.end_id
        self.chunks.append(Chunk(
            tokens=(start, *self.places.tokens, *[end] * missing, end),
            weights=(1.0, *self.places.weights, *[1.0] * missing, 1.0),
            placements=tuple(self.places.placements),
        ))
        self.places, self.last_comma = _Places(), None

    def finished(self) -> ChunkedText:
        count = len(self.chunks) * CHUNK_LENGTH + len(self.places.tokens)
        if self.places.tokens or not self.chunks:
            self.end_chunk()
        return ChunkedText(chunks=tuple(self.chunks), token_count=count)
