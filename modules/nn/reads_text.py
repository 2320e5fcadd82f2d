"""What extensions ask of a text encoder: its tokens, chunks and their numbers, under the names that they use."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor


class ReadsText:
    """Mixed into text encoders, which have a `tokenizer` and `embeddings`."""

    chunk_length = 75
    hijack: Any = None  # what extensions know by that name; modules/a1111/sd_hijack.py puts it there
    tokenizer: Any
    embeddings: Any

    @property
    def wrapped(self) -> Any:
        """The encoder below; it is no wrapper here."""
        return self

    @property
    def id_start(self) -> int:
        return self.tokenizer.start_id

    @property
    def id_end(self) -> int:
        return self.tokenizer.end_id

    @property
    def id_pad(self) -> int:
        return self.tokenizer.pad_id

    @property
    def comma_token(self) -> int:
        return self.tokenizer.comma_id

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts, without begin and end."""
        return self.tokenizer.encode_all(list(texts))

    def tokenize_line(self, line: str) -> tuple[list[Any], int]:
        """(chunks of 77 tokens with `tokens` and `multipliers`, number of tokens) of a text without schedule."""
        from modules.prompt.chunks import chunked

        found = chunked(line, self.tokenizer, self.embeddings)
        return list(found.chunks), found.token_count

    def encode_with_transformers(self, tokens: Tensor) -> Tensor:
        """Hidden states [B, T, C] of tokens [B, T]."""
        return self(tokens.to(self.device))  # type: ignore[operator, attr-defined]

    def process_tokens(self, remade_batch_tokens: Sequence[Sequence[int]], batch_multipliers: Sequence[Sequence[float]]) -> Tensor:
        """Hidden states [B, 77, C] of chunks with the weights of their tokens applied."""
        import torch

        from modules.prompt.emphasis import apply_emphasis

        states = self.encode_with_transformers(torch.tensor([list(tokens) for tokens in remade_batch_tokens]))
        weights = torch.tensor([list(row) for row in batch_multipliers], device=states.device)
        return apply_emphasis("Original", states, weights, torch.arange(len(states), device=states.device))
