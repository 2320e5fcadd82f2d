"""What a prompt means, as data: tokens and weights by chunk, texts by step, brackets that do not match, the token count."""
from __future__ import annotations

from dataclasses import dataclass

from modules.nn.tokenizer import ClipTokenizer
from modules.prompt.brackets import Brackets
from modules.prompt.chunks import Chunk, ChunkedText, EmbeddingLookup, chunked, limit_for
from modules.prompt.compose import split_and
from modules.prompt.emphasis import EmphasisMode
from modules.prompt.schedule import schedule


@dataclass(frozen=True, kw_only=True)
class SeenToken:
    """One place of a chunk: the text of the token, or the name of the embedding that stands there."""

    text: str
    weight: float
    is_embedding: bool = False


@dataclass(frozen=True, kw_only=True)
class SeenVariant:
    """One text of a part, used up to and including step `until_step`, with the tokens of each of its chunks."""

    until_step: int
    text: str
    chunks: tuple[tuple[SeenToken, ...], ...]


@dataclass(frozen=True, kw_only=True)
class SeenPart:
    """One part between ANDs with its weight and its variants over the steps."""

    text: str
    weight: float
    variants: tuple[SeenVariant, ...]


@dataclass(frozen=True, kw_only=True)
class SeenPrompt:
    """A whole prompt. token_count and limit: as in the counter. unmatched: offsets of brackets without a partner.

    is_literal: a stray bar or backslash made the text literal, so that no edit in it works.
    """

    parts: tuple[SeenPart, ...]
    token_count: int
    limit: int
    unmatched: tuple[int, ...]
    is_literal: bool


def inspect_prompt(
    text: str, steps: int, tokenizer: ClipTokenizer, embeddings: EmbeddingLookup | None = None, *, is_negative: bool = False,
    hires_steps: int | None = None, emphasis: EmphasisMode = "Original", comma_padding_backtrack: int = 20,
) -> SeenPrompt:
    """Read a prompt as the generation would. Comments and tags of extra networks must be gone already."""
    seen: dict[str, ChunkedText] = {}
    parts = []
    for part, weight in [(text, 1.0)] if is_negative else split_and(text):
        variants = []
        for until_step, variant in schedule(part, steps, hires_steps):
            if variant not in seen:
                seen[variant] = chunked(variant, tokenizer, embeddings, emphasis=emphasis, comma_padding_backtrack=comma_padding_backtrack)
            chunks = tuple(_tokens(chunk, tokenizer) for chunk in seen[variant].chunks)
            variants.append(SeenVariant(until_step=until_step, text=variant, chunks=chunks))
        parts.append(SeenPart(text=part, weight=weight, variants=tuple(variants)))
    brackets = Brackets(text)
    count = max(each.token_count for each in seen.values())
    return SeenPrompt(parts=tuple(parts), token_count=count, limit=limit_for(count),
                      unmatched=tuple(brackets.unmatched), is_literal=brackets.is_literal)


def count_tokens(
    text: str, steps: int | None, tokenizer: ClipTokenizer, embeddings: EmbeddingLookup | None = None, *, is_negative: bool = False,
    emphasis: EmphasisMode = "Original", comma_padding_backtrack: int = 20,
) -> tuple[int, int]:
    """(tokens, places in the chunks they need), of the longest text over all steps and parts; with steps None of the text as it is."""
    parts = [text] if is_negative or steps is None else [part for part, _ in split_and(text)]
    texts = parts if steps is None else dict.fromkeys(variant for part in parts for _, variant in schedule(part, steps))
    count = max(
        chunked(each, tokenizer, embeddings, emphasis=emphasis, comma_padding_backtrack=comma_padding_backtrack).token_count
        for each in texts)
    return count, limit_for(count)


def _tokens(chunk: Chunk, tokenizer: ClipTokenizer) -> tuple[SeenToken, ...]:
    """The tokens of a chunk without begin, end and padding."""
    names = {placed.offset + 1 + i: placed.embedding.name for placed in chunk.placements for i in range(len(placed.embedding.vectors))}
    used = chunk.tokens.index(tokenizer.end_id)
    words = tokenizer.words(list(chunk.tokens[:used]))
    return tuple(
        SeenToken(text=names.get(i, words[i]), weight=chunk.weights[i], is_embedding=i in names) for i in range(1, used)
    )
