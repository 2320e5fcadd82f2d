"""The safety checker that was published with Stable Diffusion: CLIP compares a picture with a few concepts that are known as numbers."""
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageFilter
from torch import Tensor

from modules.checkpoints.hashing import FileState
from modules.hardware import Hardware
from modules.imaging.caption_network import clip_pixels
from modules.imaging.clip_ranking import ACTIVATIONS, half_of_clip, square_of
from modules.imaging.known_files import SAFETY_CHECKER, needed
from modules.imaging.network_files import filled, fitting, float_tensors
from modules.imaging.torchvision_parts import ensure_torchvision

# A picture that is near one of the special concepts is judged a little more strictly by the others.
STRICTER = 0.01
CONCEPTS = ("concept_embeds", "concept_embeds_weights", "special_care_embeds", "special_care_embeds_weights")


@dataclass(frozen=True, kw_only=True)
class SafetyChecker:
    """The network, and concepts [n, C] with the similarity in -1..1 from which on a picture counts as one of them."""

    network: Any
    side_px: int
    concepts: Tensor
    thresholds: Tensor
    special: Tensor
    special_thresholds: Tensor

    def __call__(self, image: Image.Image) -> bool:
        """Whether a picture is to be hidden."""
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            embedded = self.network(pixel_values=clip_pixels(square_of(image), (self.side_px, self.side_px)).to(device)).image_embeds[0]
        stricter = STRICTER if _near(embedded, self.special, self.special_thresholds, 0.0) else 0.0
        return _near(embedded, self.concepts, self.thresholds, stricter)


def _near(embedded: Tensor, concepts: Tensor, thresholds: Tensor, stricter: float) -> bool:
    similarity = torch.nn.functional.cosine_similarity(embedded[None].float().cpu(), concepts, dim=1)
    return any(round(float(score), 3) > 0 for score in similarity - thresholds + stricter)


def load_safety_checker(path: Path, device: torch.device) -> SafetyChecker:
    """From safetensors or a pickle in the layout of diffusers. Raises WeightsError."""
    tensors = {name.replace("vision_model.vision_model.", "vision_model."): value for name, value in float_tensors(path).items()
               if not name.endswith("position_ids")}
    ensure_torchvision()
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    with fitting(path, "the safety checker"):
        concepts, thresholds, special, special_thresholds = (tensors.pop(name) for name in CONCEPTS)
        settings = half_of_clip(tensors, "vision_model", ACTIVATIONS[0]) | {"projection_dim": len(tensors["visual_projection.weight"])}
        network = filled(lambda: CLIPVisionModelWithProjection(CLIPVisionConfig(**settings)), tensors)
    return SafetyChecker(network=network.to(device), side_px=settings["image_size"], concepts=concepts, thresholds=thresholds,
                         special=special, special_thresholds=special_thresholds)


class SafetyFilter:
    """The checker of a program, kept in memory; for the thread of the jobs."""

    def __init__(self, models: Path, hardware: Hardware, check: Callable[[], None] = lambda: None):
        self.models, self.hardware, self.check = models, hardware, check
        self._loaded: tuple[Path, FileState, SafetyChecker] | None = None
        self._guard = threading.Lock()

    def flags(self, image: Image.Image) -> bool:
        """Whether a picture is to be hidden. Raises FileMissing, WeightsError."""
        path = needed(SAFETY_CHECKER, self.models)
        state = FileState.of(path)
        with self._guard:
            if self._loaded is None or self._loaded[:2] != (path, state):
                self._loaded = path, state, load_safety_checker(path, self.hardware.device)
            checker = self._loaded[2]
        self.check()
        return checker(image)


def hidden(image: Image.Image) -> Image.Image:
    """A copy of which nothing can be made out."""
    small = image.convert("RGB").resize((4, 4), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(max(image.size) / 8))
