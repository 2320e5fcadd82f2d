"""What hooks of scripts are handed, and may change."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class PostprocessImageArgs:
    """One finished picture; may be replaced."""

    image: Any
    index: int = 0


@dataclass
class PostprocessBatchListArgs:
    """The decoded pictures of a batch, each [3, H, W] in 0..1; the list may change in length."""

    images: list


@dataclass
class PostSampleArgs:
    """The latents of a batch; may be replaced."""

    samples: Any


@dataclass
class MaskBlendArgs:
    """The two latents that inpainting blends; `blended_latent` may be replaced."""

    current_latent: Any
    nmask: Any
    init_latent: Any
    mask: Any
    blended_latent: Any
    denoiser: Any = None
    sigma: Any = None
    is_final_blend: bool = False


@dataclass
class PostProcessMaskOverlayArgs:
    """Mask and overlay of one inpainted picture; may be replaced."""

    index: int
    mask_for_overlay: Any
    overlay_image: Any


@dataclass
class OnComponent:
    """The component that an on_before_component or on_after_component callback is told of."""

    component: Any
