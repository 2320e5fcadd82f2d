"""CLIP as a judge of which texts fit a picture best, from a file in the layout of transformers."""
from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from modules.imaging.caption_network import clip_pixels
from modules.imaging.network_files import filled, fitting, float_tensors
from modules.imaging.torchvision_parts import ensure_torchvision
from modules.nn.tokenizer import ClipTokenizer

TOKENS = 77
TEXTS_AT_A_TIME = 64
HEAD_WIDTH = 64
ACTIVATIONS = ("quick_gelu", "gelu")
BY = "artists"
MOST_LINE_CHARS = 500


@dataclass(frozen=True, kw_only=True)
class Category:
    """Texts of which the best `top` are named. `name`: the file's, e.g. "flavors" of flavors.top3.txt."""

    name: str
    top: int
    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """The network and its tokens. `known`: features of categories that were asked for already."""

    network: Any
    side_px: int
    tokenizer: ClipTokenizer
    known: dict[tuple[str, ...], Tensor] = field(default_factory=dict)

    def picture(self, image: Image.Image) -> Tensor:
        """Features [1, C] of length 1."""
        with torch.inference_mode():
            pixels = clip_pixels(square_of(image), (self.side_px, self.side_px)).to(self._device)
            return _unit(self.network.visual_projection(self.network.vision_model(pixel_values=pixels).pooler_output))

    def texts(self, items: Sequence[str], check: Callable[[], None]) -> Tensor:
        """Features [n, C] of length 1."""
        key = tuple(items)
        if key not in self.known:
            found = []
            for start in range(0, len(items), TEXTS_AT_A_TIME):
                check()
                ids = torch.tensor([self._ids(text) for text in items[start:start + TEXTS_AT_A_TIME]], device=self._device)
                with torch.inference_mode():
                    found.append(_unit(self.network.text_projection(self.network.text_model(input_ids=ids).pooler_output)))
            self.known[key] = torch.cat(found)
        return self.known[key]

    def best(self, picture: Tensor, items: Sequence[str], top: int, check: Callable[[], None] = lambda: None) -> list[tuple[str, float]]:
        """The `top` texts that fit best with their shares in 0..1 of all `items`, best first."""
        shares = (100 * picture @ self.texts(items, check).T).softmax(-1)[0]
        values, places = shares.topk(min(top, len(items)))
        return [(items[int(place)], float(value)) for value, place in zip(values, places, strict=True)]

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device  # type: ignore[no-any-return]

    def _ids(self, text: str) -> list[int]:
        ids = [self.tokenizer.start_id, *self.tokenizer.encode(text)[: TOKENS - 2], self.tokenizer.end_id]
        return [*ids, *[self.tokenizer.end_id] * (TOKENS - len(ids))]


def square_of(image: Image.Image) -> Image.Image:
    """The square in the middle."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.convert("RGB").crop((left, top, left + side, top + side))


def _unit(features: Tensor) -> Tensor:
    return features / features.norm(dim=-1, keepdim=True)


def load_ranker(path: Path, device: torch.device) -> Ranker:
    """CLIP from safetensors or a pickle in the layout of transformers; sizes are read off the weights. Raises WeightsError."""
    tensors = {name: value for name, value in float_tensors(path).items() if not name.endswith("position_ids")}
    ensure_torchvision()
    from transformers import CLIPConfig, CLIPModel

    with fitting(path, "CLIP in the layout of transformers"):
        settings = clip_config(tensors, activation_of(path))
        network = filled(lambda: CLIPModel(CLIPConfig(**settings)), tensors)
    return Ranker(network=network.to(device), side_px=settings["vision_config"]["image_size"], tokenizer=ClipTokenizer())


def activation_of(path: Path) -> str:
    """What a config.json beside the weights says, if there is one; OpenAI's own are of the first kind."""
    for name in (f"{path.stem}.json", "config.json"):
        try:
            stated = json.loads((path.parent / name).read_text("utf-8"))["vision_config"]["hidden_act"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if stated in ACTIVATIONS:
            return str(stated)
    return ACTIVATIONS[0]


def clip_config(tensors: Mapping[str, Tensor], activation: str) -> dict[str, Any]:
    """Sizes of both halves, from shapes."""
    vocabulary = len(tensors["text_model.embeddings.token_embedding.weight"])
    return {"projection_dim": len(tensors["text_projection.weight"]), "vision_config": half_of_clip(tensors, "vision_model", activation),
            "text_config": half_of_clip(tensors, "text_model", activation) | {"vocab_size": vocabulary, "eos_token_id": vocabulary - 1}}


def half_of_clip(tensors: Mapping[str, Tensor], name: str, activation: str) -> dict[str, Any]:
    """Sizes of "text_model" or "vision_model". Raises KeyError for other weights."""
    start = f"{name}.encoder.layers."
    width = len(tensors[f"{start}0.layer_norm1.bias"])
    sizes = {"hidden_size": width, "num_attention_heads": max(1, width // HEAD_WIDTH), "hidden_act": activation,
             "num_hidden_layers": len({key.removeprefix(start).split(".")[0] for key in tensors if key.startswith(start)}),
             "intermediate_size": len(tensors[f"{start}0.mlp.fc1.bias"])}
    if name == "vision_model":
        patch = tensors[f"{name}.embeddings.patch_embedding.weight"].shape[-1]
        places = len(tensors[f"{name}.embeddings.position_embedding.weight"]) - 1
        sizes |= {"patch_size": patch, "image_size": round(places ** 0.5) * patch}
    return sizes


def read_categories(folder: Path, *, left_out: Sequence[str] = (), most_lines: int = 0) -> list[Category]:
    """The text files of a folder in the order of their names. `NAME.topN.txt`: N are named, else one; most_lines: 0 for all."""
    found = []
    for path in sorted(folder.glob("*.txt")) if folder.is_dir() else ():
        stem = path.name.removesuffix(".txt")
        ending = re.search(r"\.top(\d{1,3})$", stem)
        name = stem[: ending.start()] if ending else stem
        if name in left_out or stem in left_out:
            continue
        lines = [line.strip()[:MOST_LINE_CHARS] for line in path.read_text("utf-8", errors="replace").splitlines()]
        items = tuple(line for line in lines if line)[: most_lines or None]
        if items:
            found.append(Category(name=name, top=max(1, int(ending[1])) if ending else 1, items=items))
    return found


def described(caption: str, ranked: Sequence[tuple[Category, Sequence[tuple[str, float]]]], *, shows_ranks: bool = False) -> str:
    """The caption and the best of each category, artists with "by" before them."""
    parts = [caption]
    for category, matches in ranked:
        for text, share in matches:
            text = f"by {text}" if category.name == BY and not text.lower().startswith("by ") else text
            parts.append(f"({text}:{share:.3f})" if shows_ranks else text)
    return ", ".join(part for part in parts if part)
