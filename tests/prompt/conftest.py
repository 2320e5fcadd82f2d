"""Recorded prompts, and the tiny text encoder with its learned embeddings."""
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from modules.networks.textual_inversion import EmbeddingTable
from modules.nn.clip_text import ClipConditioner, ClipTextConfig
from modules.nn.tokenizer import ClipTokenizer

PREFIX = "cond_stage_model."


@pytest.fixture(scope="session")
def recorded(goldens: Path) -> dict[str, Any]:
    """settings and prompts of prompts.json."""
    return json.loads((goldens / "prompts.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tokenizer() -> ClipTokenizer:
    return ClipTokenizer()


@pytest.fixture(scope="session")
def embeddings(goldens: Path, tokenizer: ClipTokenizer) -> EmbeddingTable:
    """The embeddings of the recordings, for the tiny encoder's 64 numbers per vector."""
    table = EmbeddingTable([goldens / "tiny-model"], tokenizer.encode)
    table.refresh(width=64)
    return table


@pytest.fixture(scope="session")
def conditioner(tiny_checkpoint, tokenizer: ClipTokenizer, embeddings: EmbeddingTable) -> ClipConditioner:
    """The text encoder of the tiny checkpoint."""
    torch.set_num_threads(1)
    config = ClipTextConfig(hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4)
    encoder = ClipConditioner(config, tokenizer=tokenizer, embeddings=embeddings).eval()
    with safe_open(tiny_checkpoint(), framework="pt") as file:
        encoder.load_state_dict({key.removeprefix(PREFIX): file.get_tensor(key) for key in file.keys() if key.startswith(PREFIX)})  # noqa: SIM118
    return encoder
