"""OpenCLIP's text transformer under the parameter names of Stable Diffusion 2 and XL files."""
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules.nn.clip_text import ACTIVATIONS, ClipTextConfig, Replacements, with_replacements
from modules.nn.reads_text import ReadsText
from modules.nn.tokenizer import ClipTokenizer

PAD_ID = 0


class JoinedAttention(nn.Module):
    """Causal attention of many heads; queries, keys and values stand in one matrix, in that order."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: Tensor) -> Tensor:
        """x [B, T, C] -> [B, T, C]."""
        joined = F.linear(x, self.in_proj_weight, self.in_proj_bias).unflatten(-1, (3, self.heads, -1))  # [B, T, 3, heads, d]
        q, k, v = joined.permute(2, 0, 3, 1, 4)  # each [B, heads, T, d]
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two layers with the activation between them."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.activation = ACTIVATIONS[config.hidden_act]
        self.c_fc = nn.Linear(config.hidden_size, config.intermediate_size)
        self.c_proj = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(self.activation(self.c_fc(x)))


class ResidualBlock(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attn = JoinedAttention(config)
        self.ln_2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """The blocks in order."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.resblocks = nn.ModuleList(ResidualBlock(config) for _ in range(config.num_hidden_layers))


class OpenClipTextModel(nn.Module):
    """The network that files call `model`: the half of OpenCLIP that reads text."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.token_embedding = nn.Embedding(config.vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.zeros(config.max_position_embeddings, width))
        self.transformer = Transformer(config)
        self.ln_final = nn.LayerNorm(width, eps=config.layer_norm_eps)
        if config.projection_dim:
            self.text_projection = nn.Parameter(torch.zeros(width, config.projection_dim))

    def forward(self, tokens: Tensor, replacements: Replacements | None = None, *, skip: int = 1) -> tuple[Tensor, Tensor]:
        """Hidden states [B, T, C] of tokens [B, T] (int64) without the last norm, and what all layers make of them, with it.

        skip: 1 takes the states behind all layers, k those before the last k - 1.
        """
        x = with_replacements(self.token_embedding(tokens), replacements) + self.positional_embedding[:tokens.shape[1]]
        blocks = self.transformer.resblocks
        used = self.config.layers_used(skip)
        for block in blocks[:used]:
            x = block(x)
        states = x
        for block in blocks[used:]:
            x = block(x)
        return states, self.ln_final(x)

    def pooled(self, tokens: Tensor, last: Tensor) -> Tensor:
        """The projected first end token [B, P] of tokens [B, T], from the normed states `last` [B, T, C] of all layers."""
        ends = (tokens == ClipTokenizer.end_id).int().argmax(dim=-1)
        return last[torch.arange(len(last), device=last.device), ends] @ self.text_projection


class OpenClipConditioner(nn.Module, ReadsText):
    """`cond_stage_model` of SD2, and the second encoder of SDXL: the text network with its tokenizer and learned embeddings.

    `embeddings` is None or a table with `find(tokens, position)` as modules/prompt/chunks.py describes it.
    """

    def __init__(self, config: ClipTextConfig, *, tokenizer: ClipTokenizer | None = None, embeddings: Any = None):
        super().__init__()
        self.model = OpenClipTextModel(config)
        self.tokenizer = tokenizer or ClipTokenizer(pad_id=PAD_ID)
        self.embeddings = embeddings

    @property
    def encoders(self) -> list[nn.Module]:
        """The networks that read the text, each beside the other: this one alone."""
        return [self]

    @property
    def device(self) -> torch.device:
        return self.model.ln_final.weight.device

    def forward(self, tokens: Tensor, replacements: Replacements | None = None, *, skip: int = 1) -> Tensor:
        """Hidden states [B, T, C] of whole chunks, begin and end tokens included."""
        return self.states_and_pooled(tokens, replacements, skip=skip)[0]

    def states_and_pooled(
        self, tokens: Tensor, replacements: Replacements | None = None, *, skip: int = 1,
    ) -> tuple[Tensor, Tensor | None]:
        """Hidden states [B, T, C], and the projected end token [B, P] where the U-Net is told it."""
        config = self.model.config
        states, last = self.model(tokens, replacements, skip=config.skip(skip))
        states = self.model.ln_final(states) if config.has_final_norm else states
        return states, self.model.pooled(tokens, last) if config.gives_pooled else None
