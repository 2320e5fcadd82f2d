"""The text side of a model: one encoder under `cond_stage_model`, or SDXL's row of them under `conditioner`."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from modules.nn.clip_text import ClipConditioner, ClipTextConfig
from modules.nn.open_clip_text import OpenClipConditioner
from modules.nn.reads_text import ReadsText
from modules.nn.tokenizer import ClipTokenizer


def text_encoder(config: ClipTextConfig) -> ClipConditioner | OpenClipConditioner:
    """The encoder with these sizes, under the names of its layout."""
    return OpenClipConditioner(config) if config.layout == "open_clip" else ClipConditioner(config)


class GeneralConditioner(nn.Module, ReadsText):
    """`conditioner` of SDXL: text encoders that read the same tokens; what they say of a token stands side by side.

    `embeddings` is None or a table with `find(tokens, position)` as modules/prompt/chunks.py describes it.
    """

    def __init__(self, configs: Sequence[ClipTextConfig]):
        super().__init__()
        self.embedders = nn.ModuleList(text_encoder(config) for config in configs)
        self.embeddings: Any = None

    @property
    def encoders(self) -> list[nn.Module]:
        """The networks that read the text, each beside the other."""
        return list(self.embedders)

    @property
    def tokenizer(self) -> ClipTokenizer:
        """What cuts texts into tokens; the encoders differ in their padding only."""
        return self.embedders[0].tokenizer

    @property
    def device(self) -> torch.device:
        return self.embedders[0].device


TextConditioner = ClipConditioner | OpenClipConditioner | GeneralConditioner
