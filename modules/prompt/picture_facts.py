"""What networks are told beside the text, as a vector: SDXL sizes, crop and aesthetic score, latent consistency models the guidance."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modules.nn.families import Architecture, PictureFact
from modules.nn.unet import guidance_embedding, timestep_embedding
from modules.prompt.conditioning import Conditioning


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """A picture as the network should take it for. Sizes and crop in pixels; scores as people gave them, 1 to 10.

    guidance: the CFG scale, which latent consistency models are told instead of being asked twice.
    Podell et al. 2023 (arXiv:2307.01952), section 2.2.
    """

    width: int
    height: int
    crop_top: int = 0
    crop_left: int = 0
    aesthetic_score: float = 6.0
    negative_aesthetic_score: float = 2.5
    guidance: float = 7.0

    def numbers(self, fact: PictureFact, *, is_negative: bool = False) -> tuple[float, ...]:
        """One fact as numbers."""
        return {
            "original_size": (self.height, self.width), "crop": (self.crop_top, self.crop_left),
            "target_size": (self.height, self.width),
            "aesthetic_score": (self.negative_aesthetic_score if is_negative else self.aesthetic_score,),
        }[fact]

    def vector(self, architecture: Architecture, *, is_negative: bool = False) -> Tensor:
        """All facts that this kind of network takes, each number as sines and cosines [1, numbers * fact_dim + guidance_dim]."""
        numbers = [number for fact in architecture.picture_facts for number in self.numbers(fact, is_negative=is_negative)]
        facts = timestep_embedding(torch.tensor(numbers), architecture.fact_dim).flatten()[None] if numbers else torch.zeros(1, 0)
        guidance_dim = architecture.unet.guidance_dim
        return torch.cat([facts, guidance_embedding(self.guidance, guidance_dim)], dim=1) if guidance_dim else facts


def with_facts(
    conditions: list[Conditioning], texts: Sequence[str], facts: PictureFacts, architecture: Architecture, *, is_negative: bool = False,
) -> list[Conditioning]:
    """The encodings of `texts`, the variants of one prompt, with the facts behind their pooled text; as they are where none are taken.

    A negative prompt that is empty throughout becomes zeros: SDXL was trained so to know no text at all.
    """
    if not architecture.picture_facts and not architecture.unet.guidance_dim:
        return conditions
    known = facts.vector(architecture, is_negative=is_negative)
    is_absent = bool(architecture.picture_facts) and is_negative and not any(texts)
    result = []
    for cond in conditions:
        text = torch.zeros_like(cond.crossattn) if is_absent else cond.crossattn
        pooled = cond.crossattn.new_zeros(len(text), 0) if cond.vector is None else cond.vector
        pooled = torch.zeros_like(pooled) if is_absent else pooled
        result.append(Conditioning(crossattn=text, vector=torch.cat([pooled, known.to(pooled)], dim=1), concat=cond.concat))
    return result
