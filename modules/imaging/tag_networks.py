"""Networks that describe pictures in tags: DeepDanbooru (the .pt for PyTorch), and taggers of the WD kind (timm, safetensors)."""
from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from modules.checkpoints.pickle_file import read_pickle
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.state_dict import load_weights
from modules.imaging.network_files import filled, fitting
from modules.imaging.resize import ResizeMode, resize_image
from modules.imaging.torchvision_parts import ensure_torchvision

Certainties = dict[str, float]  # tag -> 0..1, in the order of the network
DEEPBOORU_PX = 512
RATING = "rating:"
# Numbers of the column `category` in selected_tags.csv.
RATING_CATEGORY = "9"
MOST_TAGS = 200_000


@dataclass(frozen=True, kw_only=True)
class Tagger:
    """A network with the names of its outputs. `prepare`: a picture to the network's input; ratings begin with "rating:"."""

    network: nn.Module
    tags: tuple[str, ...]
    prepare: Callable[[Image.Image], Tensor]

    def __call__(self, image: Image.Image) -> Certainties:
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            values = torch.sigmoid(self.network(self.prepare(image).to(device)).float())[0].tolist()
        return dict(zip(self.tags, values, strict=True))


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Bottleneck blocks of one width. `halves`: the first one halves the size; its shortcut is the convolution `last` or `first` of it."""

    blocks: int
    halves: bool = True
    shortcut_is_last: bool = False


# Convolution 0 is the stem, the last one names the tags; they are numbered as the file numbers them.
STAGES = (Stage(blocks=3, halves=False), Stage(blocks=8), Stage(blocks=20), Stage(blocks=20, shortcut_is_last=True), Stage(blocks=3),
          Stage(blocks=3))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Numbers of convolutions: three in a row beside a shortcut, which is the input itself where there is no number."""

    inner: tuple[int, int, int]
    shortcut: int | None
    stride: int


def blocks() -> tuple[list[Block], int]:
    """(all blocks, the number of the last convolution)."""
    numbers, found = count(1), []
    for stage in STAGES:
        for place in range(stage.blocks):
            shortcut = next(numbers) if place == 0 and not stage.shortcut_is_last else None
            inner = next(numbers), next(numbers), next(numbers)
            shortcut = next(numbers) if place == 0 and stage.shortcut_is_last else shortcut
            found.append(Block(inner=inner, shortcut=shortcut, stride=2 if place == 0 and stage.halves else 1))
    return found, next(numbers)


class DeepDanbooru(nn.Module):
    """[B, H, W, 3] in 0..1 to one number for each tag; widths are those of the weights that it is made for."""

    def __init__(self, weights: Mapping[str, Tensor]):
        super().__init__()
        self.plan, self.head = blocks()
        strided = {number for block in self.plan if block.stride == 2 for number in (block.inner[1], block.shortcut)}
        for number in range(self.head + 1):
            out, into, height, width = weights[f"n_Conv_{number}.weight"].shape
            stride = 2 if number == 0 or number in strided else 1
            setattr(self, f"n_Conv_{number}", nn.Conv2d(into, out, (height, width), stride=stride, bias=number != self.head))

    def _conv(self, number: int, x: Tensor) -> Tensor:
        return getattr(self, f"n_Conv_{number}")(x)  # type: ignore[no-any-return]

    def forward(self, pictures: Tensor) -> Tensor:
        x = F.relu(self._conv(0, F.pad(pictures.permute(0, 3, 1, 2), (2, 3, 2, 3))))
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, stride=2)
        for block in self.plan:
            first, middle, last = block.inner
            h = F.relu(self._conv(first, x))
            # As TensorFlow pads: at stride 2 only behind.
            h = F.pad(h, (0, 1, 0, 1) if block.stride == 2 else (1, 1, 1, 1))
            h = self._conv(last, F.relu(self._conv(middle, h)))
            x = F.relu(h + (x if block.shortcut is None else self._conv(block.shortcut, x)))
        return self._conv(self.head, x).mean((2, 3))


def load_deepbooru(path: Path, device: torch.device) -> Tagger:
    """DeepDanbooru from model-resnet_custom_v3.pt. Raises WeightsError."""
    content = read_pickle(path)
    tags = content.get("tags")
    tensors = {str(name): value.float() for name, value in content.items() if isinstance(value, Tensor)}
    if not isinstance(tags, (list, tuple)) or not all(isinstance(tag, str) for tag in tags):
        raise WeightsError(path, "It holds no list of tags, so it is not DeepDanbooru for PyTorch.")
    with fitting(path, "DeepDanbooru"):
        network = filled(lambda: DeepDanbooru(tensors), tensors)
        if tensors[f"n_Conv_{blocks()[1]}.weight"].shape[0] != len(tags):
            raise ValueError("tags")
    return Tagger(network=network.to(device), tags=tuple(tags), prepare=for_deepbooru)


def for_deepbooru(image: Image.Image) -> Tensor:
    """[1, 512, 512, 3] in 0..1: the whole picture, its borders repeated where it is not square."""
    square = resize_image(ResizeMode.FILL, image.convert("RGB"), DEEPBOORU_PX, DEEPBOORU_PX)
    return torch.from_numpy(np.array(square, np.float32) / 255)[None]


def load_wd_tagger(folder: Path, device: torch.device) -> Tagger:
    """A tagger of the WD kind: model.safetensors, config.json (timm) and selected_tags.csv in one folder. Raises WeightsError."""
    path = folder / "model.safetensors"
    if not path.is_file() and (folder / "model.onnx").is_file():
        raise WeightsError(folder / "model.onnx", "Files of ONNX are not read here.",
                           "Put the model.safetensors, config.json and selected_tags.csv of the same tagger into this folder.")
    config, tags = wd_config(folder), wd_tags(folder / "selected_tags.csv")
    ensure_torchvision()
    import timm

    name = str(config.get("architecture", ""))
    # A name with a colon would be looked for on a hub.
    if not re.fullmatch(r"[a-z0-9_.]+", name) or not timm.is_model(name):
        raise WeightsError(path, f"Its config.json names the architecture {name[:60]!r}, which timm does not know.")
    tensors = {key: value.float() if value.is_floating_point() else value for key, value in load_weights(path).items()}
    arguments = {key: value for key, value in (config.get("model_args") or {}).items() if key != "pretrained"}
    pretrained = config.get("pretrained_cfg") or {}
    side = int((pretrained.get("input_size") or (3, 448, 448))[-1])
    with fitting(path, f"{name} with {len(tags)} tags"):
        network = filled(lambda: timm.create_model(name, pretrained=False, num_classes=len(tags), **arguments), tensors,
                         has_tables=True)
    return Tagger(network=network.to(device), tags=tags, prepare=lambda image: for_wd(image, side))


def wd_config(folder: Path) -> dict[str, Any]:
    """Raises WeightsError."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(folder / "config.json", "A tagger needs the config.json that is published beside it.") from error
    if not isinstance(config, dict):
        raise WeightsError(folder / "config.json", "It is no configuration of timm.")
    return config


def wd_tags(path: Path) -> tuple[str, ...]:
    """The names in the order of the network. Raises WeightsError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise WeightsError(path, "A tagger needs the selected_tags.csv that is published beside it.") from error
    if not rows or len(rows) > MOST_TAGS or not {"name", "category"} <= set(rows[0]):
        raise WeightsError(path, "It is no list of tags with the columns name and category.")
    return tuple((RATING if row["category"] == RATING_CATEGORY else "") + str(row["name"]) for row in rows)


def for_wd(image: Image.Image, side: int) -> Tensor:
    """[1, 3, side, side] in -1..1, blue first, on a white square."""
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    longer = max(image.size)
    square = Image.new("RGB", (longer, longer), "white")
    square.paste(flat.convert("RGB"), ((longer - image.width) // 2, (longer - image.height) // 2))
    pixels = np.array(square.resize((side, side), Image.Resampling.BICUBIC), np.float32)[..., ::-1]
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None] / 127.5 - 1
