"""BLIP: a sentence about a picture, by the network of transformers, from files that a person has placed."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from modules.checkpoints.problems import WeightsError
from modules.errors import UserError
from modules.imaging.network_files import filled, fitting, float_tensors
from modules.imaging.torchvision_parts import ensure_torchvision

PROMPT = "a picture of"
END, PAD = "[SEP]", "[PAD]"
HEAD_WIDTH = 64
MEAN, SPREAD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
MOST_WORDS = 1_000_000
# Names of the published file (Salesforce) and those of transformers.
RENAMED = (
    (r"^visual_encoder\.cls_token$", "vision_model.embeddings.class_embedding"),
    (r"^visual_encoder\.pos_embed$", "vision_model.embeddings.position_embedding"),
    (r"^visual_encoder\.patch_embed\.proj\.", "vision_model.embeddings.patch_embedding."),
    (r"^visual_encoder\.norm\.", "vision_model.post_layernorm."),
    (r"^visual_encoder\.blocks\.(\d+)\.norm(\d)\.", r"vision_model.encoder.layers.\1.layer_norm\2."),
    (r"^visual_encoder\.blocks\.(\d+)\.attn\.qkv\.", r"vision_model.encoder.layers.\1.self_attn.qkv."),
    (r"^visual_encoder\.blocks\.(\d+)\.attn\.proj\.", r"vision_model.encoder.layers.\1.self_attn.projection."),
    (r"^visual_encoder\.blocks\.(\d+)\.mlp\.", r"vision_model.encoder.layers.\1.mlp."),
)


@dataclass(frozen=True, kw_only=True)
class CaptionOptions:
    """Beams of the search, and lengths of the caption in tokens, the beginning included."""

    beams: int = 1
    shortest: int = 24
    longest: int = 48


@dataclass(frozen=True, kw_only=True)
class Captioner:
    """The network, its words by id, and the side of its pictures."""

    network: Any
    words: tuple[str, ...]
    side_px: int

    def __call__(self, image: Image.Image, options: CaptionOptions, check: Callable[[], None] = lambda: None) -> str:
        """A caption without the beginning that it was asked to continue; `check` may raise before each word."""
        if options.shortest > options.longest:
            raise UserError("The minimum length of captions is larger than the maximum.", remedy="Change it in Settings, Interrogate.")
        from transformers import StoppingCriteria, StoppingCriteriaList

        class Watch(StoppingCriteria):  # type: ignore[misc]
            def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:
                check()
                return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

        ids = {word: number for number, word in enumerate(self.words)}
        device = next(self.network.parameters()).device
        start = [self.network.config.text_config.bos_token_id, *(ids[word] for word in PROMPT.split()), ids[END]]
        check()
        with torch.inference_mode():
            made = self.network.generate(
                clip_pixels(image, (self.side_px, self.side_px)).to(device), torch.tensor([start], device=device), do_sample=False,
                num_beams=options.beams, min_length=options.shortest, max_length=options.longest,
                stopping_criteria=StoppingCriteriaList([Watch()]))
        return text_of([int(number) for number in made[0]][len(start) - 1:], self.words)


def text_of(ids: list[int], words: tuple[str, ...]) -> str:
    """The text of word pieces; special ones such as [SEP] are left out."""
    pieces = [words[number] for number in ids if number < len(words)]
    text = " ".join(piece for piece in pieces if not re.fullmatch(r"\[\w+\]", piece)).replace(" ##", "")
    return re.sub(r" ([.,!?'])", r"\1", text).strip()


def clip_pixels(image: Image.Image, size: tuple[int, int]) -> Tensor:
    """[1, 3, H, W] as networks in the manner of CLIP expect it: scaled to `size`, each colour by its mean and spread."""
    scaled = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    pixels = (np.array(scaled, np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """The word pieces of BERT, one in a line. Raises WeightsError."""
    try:
        words = tuple(path.read_text("utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise WeightsError(path, "It cannot be read as a list of words.") from error
    if len(words) > MOST_WORDS or not {*PROMPT.split(), END, PAD} <= set(words):
        raise WeightsError(path, "It is not the vocabulary of BERT (bert-base-uncased).")
    return words


def load_captioner(path: Path, vocabulary: Path, device: torch.device) -> Captioner:
    """BLIP for captions, in the layout of its makers or of transformers; sizes are read off the weights. Raises WeightsError."""
    words = read_vocabulary(vocabulary)
    published = float_tensors(path)
    tensors = in_layout_of_transformers(published)
    ensure_torchvision()
    from transformers import BlipConfig, BlipForConditionalGeneration

    with fitting(path, "BLIP for captions"):
        settings = config_of(tensors, words, is_original="visual_encoder.cls_token" in published)
        side = settings["vision_config"]["image_size"]
        network = filled(lambda: BlipForConditionalGeneration(BlipConfig(**settings)), tensors)
    return Captioner(network=network.to(device), words=words, side_px=side)


def in_layout_of_transformers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, value in tensors.items():
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        if not name.endswith("position_ids"):
            renamed[name] = value
    return renamed


def config_of(tensors: Mapping[str, Tensor], words: tuple[str, ...], *, is_original: bool) -> dict[str, Any]:
    """Sizes of both halves, from shapes. is_original: a file of BLIP's makers, whose norms of pictures differ a little."""
    layers = lambda start: len({name.removeprefix(start).split(".")[0] for name in tensors if name.startswith(start)})
    positions = tensors["vision_model.embeddings.position_embedding"].shape[1] - 1
    width, _, patch, _ = tensors["vision_model.embeddings.patch_embedding.weight"].shape
    vocabulary, text_width = tensors["text_decoder.bert.embeddings.word_embeddings.weight"].shape
    vision = {"hidden_size": width, "patch_size": patch, "image_size": round(positions ** 0.5) * patch,
              "num_hidden_layers": layers("vision_model.encoder.layers."), "num_attention_heads": max(1, width // HEAD_WIDTH),
              "intermediate_size": len(tensors["vision_model.encoder.layers.0.mlp.fc1.bias"]),
              "layer_norm_eps": 1e-6 if is_original else 1e-5}
    text = {"hidden_size": text_width, "encoder_hidden_size": width, "vocab_size": vocabulary,
            "num_hidden_layers": layers("text_decoder.bert.encoder.layer."), "num_attention_heads": max(1, text_width // HEAD_WIDTH),
            "intermediate_size": len(tensors["text_decoder.bert.encoder.layer.0.intermediate.dense.bias"]),
            "max_position_embeddings": len(tensors["text_decoder.bert.embeddings.position_embeddings.weight"]),
            "bos_token_id": vocabulary - 2, "sep_token_id": words.index(END), "pad_token_id": words.index(PAD)}
    return {"vision_config": vision, "text_config": text}
