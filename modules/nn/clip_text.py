"""CLIP's text transformer under the parameter names of Stable Diffusion 1 files."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules.nn.reads_text import ReadsText
from modules.nn.tokenizer import ClipTokenizer

# Per row of a batch: (first position, vectors [v, C]) that stand there instead of the looked-up tokens.
Replacements = Sequence[Sequence[tuple[int, Tensor]]]


@dataclass(frozen=True, kw_only=True)
class ClipTextConfig:
    """Sizes of the network; the defaults are CLIP ViT-L/14 as in SD1 (Radford et al. 2021).

    layout: whose parameter names the file has (modules/nn/open_clip_text.py for the other one).
    fixed_skip: the clip skip that the family was trained with, whatever the user sets; None leaves it to the user.
    has_final_norm: whether the last norm follows the hidden states. projection_dim: length of the projected end token, 0 for none;
    gives_pooled: whether it is told to the U-Net.
    """

    layout: Literal["clip", "open_clip"] = "clip"
    vocab_size: int = 49408
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    max_position_embeddings: int = 77
    hidden_act: Literal["quick_gelu", "gelu"] = "quick_gelu"
    layer_norm_eps: float = 1e-5
    fixed_skip: int | None = None
    has_final_norm: bool = True
    projection_dim: int = 0
    gives_pooled: bool = False

    def skip(self, chosen: int) -> int:
        """The clip skip that holds where the user has chosen this one."""
        return chosen if self.fixed_skip is None else self.fixed_skip

    def layers_used(self, skip: int) -> int:
        """How many layers a clip skip leaves: 1 leaves all, k all but the last k - 1."""
        return max(self.num_hidden_layers + 1 - max(skip, 1), 0)


def quick_gelu(x: Tensor) -> Tensor:
    """The sigmoid approximation of GELU that OpenAI's CLIP was trained with, x * sigmoid(1.702 x), by the fused SiLU."""
    return F.silu(1.702 * x) / 1.702


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"quick_gelu": quick_gelu, "gelu": F.gelu}


class SelfAttention(nn.Module):
    """Causal attention of many heads."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.heads = config.num_attention_heads
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for project in (self.q_proj, self.k_proj, self.v_proj))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # [B, heads, T, d]
        return self.out_proj(mixed.transpose(1, 2).flatten(2))  # [B, T, C]


class FeedForward(nn.Module):
    """Two layers with the activation between them."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.activation = ACTIVATIONS[config.hidden_act]
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.activation(self.fc1(x)))


class EncoderLayer(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.self_attn = SelfAttention(config)
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = FeedForward(config)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    """The blocks in order."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_hidden_layers))


def with_replacements(vectors: Tensor, replacements: Replacements | None) -> Tensor:
    """Token vectors [B, T, C], changed in place where learned ones stand; those that reach beyond the end are cut."""
    for row, replaced in enumerate(replacements or ()):
        for first, learned in replaced:
            room = min(len(learned), vectors.shape[1] - first)
            vectors[row, first:first + room] = learned[:room].to(vectors)
    return vectors


class Embeddings(nn.Module):
    """Token vectors plus position vectors. There is no buffer of positions, so that the network can be built on the meta device."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.position_embedding = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def forward(self, tokens: Tensor, replacements: Replacements | None = None) -> Tensor:
        vectors = with_replacements(self.token_embedding(tokens), replacements)  # [B, T, C]
        return vectors + self.position_embedding.weight[:tokens.shape[1]]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        # Old files carry the numbers 0..76 as a tensor.
        state_dict.pop(prefix + "position_ids", None)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


class TextTransformer(nn.Module):
    """Embeddings, blocks and the last norm."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, tokens: Tensor, replacements: Replacements | None = None, skip: int = 1, final_norm: bool = True) -> Tensor:
        x = self.embeddings(tokens, replacements)
        for layer in self.encoder.layers[:self.config.layers_used(skip)]:
            x = layer(x)
        return self.final_layer_norm(x) if final_norm else x


class ClipTextModel(nn.Module):
    """The network that files call `transformer`; parameters are named `text_model.…`."""

    def __init__(self, config: ClipTextConfig):
        super().__init__()
        self.config = config
        self.text_model = TextTransformer(config)

    def forward(self, tokens: Tensor, replacements: Replacements | None = None, *, skip: int = 1, final_norm: bool = True) -> Tensor:
        """Hidden states [B, T, C] of tokens [B, T] (int64).

        skip: clip skip, 1 = all layers, k = without the last k - 1 (at most all). final_norm: whether the last norm follows.
        """
        return self.text_model(tokens, replacements, skip, final_norm)


class ClipConditioner(nn.Module, ReadsText):
    """`cond_stage_model` of SD1, and the first encoder of SDXL: the text network with its tokenizer and the learned embeddings that
    prompts may name.

    `embeddings` is None or a table with `find(tokens, position)` as modules/prompt/chunks.py describes it.
    """

    def __init__(self, config: ClipTextConfig | None = None, *, tokenizer: ClipTokenizer | None = None, embeddings: Any = None):
        super().__init__()
        self.transformer = ClipTextModel(config or ClipTextConfig())
        self.tokenizer = tokenizer or ClipTokenizer()
        self.embeddings = embeddings

    @property
    def encoders(self) -> list[nn.Module]:
        """The networks that read the text, each beside the other: this one alone."""
        return [self]

    @property
    def device(self) -> torch.device:
        return self.transformer.text_model.final_layer_norm.weight.device

    def forward(self, tokens: Tensor, replacements: Replacements | None = None, *, skip: int = 1) -> Tensor:
        """Hidden states [B, T, C] of whole chunks, begin and end tokens included."""
        config = self.transformer.config
        return self.transformer(tokens, replacements, skip=config.skip(skip), final_norm=config.has_final_norm)

    def states_and_pooled(self, tokens: Tensor, replacements: Replacements | None = None, *, skip: int = 1) -> tuple[Tensor, None]:
        """Hidden states, and nothing pooled."""
        return self(tokens, replacements, skip=skip), None
