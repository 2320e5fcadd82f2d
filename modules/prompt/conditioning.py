"""What the network is told: text as tensors, by step, by part of a composed prompt, by picture."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """One row per picture: crossattn [B, 77 n, C]; vector [B, A] or None (SDXL); concat [B, K, h, w] or None (inpainting models)."""

    crossattn: Tensor
    vector: Tensor | None = None
    concat: Tensor | None = None

    def __len__(self) -> int:
        return len(self.crossattn)

    def rows(self, index: slice) -> Conditioning:
        """The rows that `index` picks."""
        pick = lambda t: None if t is None else t[index]
        return Conditioning(crossattn=self.crossattn[index], vector=pick(self.vector), concat=pick(self.concat))

    def with_concat(self, concat: Tensor | None) -> Conditioning:
        """The same text with other extra channels."""
        return Conditioning(crossattn=self.crossattn, vector=self.vector, concat=concat)

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Conditioning:
        """Moved and converted."""
        move = lambda t: None if t is None else t.to(device, dtype)
        return Conditioning(crossattn=self.crossattn.to(device, dtype), vector=move(self.vector), concat=move(self.concat))


def conditioning_from(given: Any) -> Conditioning:
    """A condition in any form that extensions hand over: a bare tensor is the text, a mapping has c_crossattn (and crossattn, vector).

    Placeholder pictures of one number, for networks that take none, are left out.
    """
    if isinstance(given, Conditioning):
        return given
    if isinstance(given, Tensor):
        return Conditioning(crossattn=given)
    text = given["crossattn"] if "crossattn" in given else given["c_crossattn"]
    text = text if isinstance(text, Tensor) else torch.cat(list(text), 1)
    concat = given.get("c_concat")
    concat = concat[0] if isinstance(concat, list) and concat else concat if isinstance(concat, Tensor) else None
    is_placeholder = concat is None or concat.shape[-2:] == (1, 1)
    return Conditioning(crossattn=text, vector=given.get("vector"), concat=None if is_placeholder else concat)


def stacked(parts: list[Conditioning]) -> Conditioning:
    """Rows of all parts in one batch; shorter texts are extended by repeating their last vector."""
    longest = max(part.crossattn.shape[1] for part in parts)
    texts = [extended(part.crossattn, longest) for part in parts]
    together = lambda name: None if getattr(parts[0], name) is None else torch.cat([getattr(p, name) for p in parts])
    return Conditioning(crossattn=torch.cat(texts), vector=together("vector"), concat=together("concat"))


def extended(text: Tensor, length: int) -> Tensor:
    """[B, T, C] brought to `length` tokens by repeating the last vector."""
    missing = length - text.shape[1]
    return text if missing <= 0 else torch.cat([text, text[:, -1:].expand(-1, missing, -1)], dim=1)


@dataclass(frozen=True, kw_only=True)
class ScheduledCond:
    """One text through the steps of one pass: (last step of use, Conditioning of one row), by rising step.

    As in the reference, the zero-based index of a step is compared with the last step of use, so the first text serves one
    evaluation more than its number says.
    """

    parts: tuple[tuple[int, Conditioning], ...]

    def at(self, step: int) -> Conditioning:
        """What holds in the step with zero-based index `step`."""
        for until, cond in self.parts:
            if step <= until:
                return cond
        return self.parts[-1][1]


@dataclass(frozen=True, kw_only=True)
class ComposedCond:
    """The AND parts of one prompt with their weights."""

    parts: tuple[tuple[ScheduledCond, float], ...]


@dataclass(frozen=True, kw_only=True)
class StepConditions:
    """What holds in one step: `cond` has one row per AND part of all pictures, `uncond` one row per picture.

    `owners[i]` lists for picture i the (row of `cond`, weight) of its parts.
    """

    cond: Conditioning
    uncond: Conditioning
    owners: tuple[tuple[tuple[int, float], ...], ...]


@dataclass(frozen=True, kw_only=True)
class BatchConditions:
    """Positive and negative prompts of one batch, one entry per picture."""

    positive: tuple[ComposedCond, ...]
    negative: tuple[ScheduledCond, ...]

    def at(self, step: int) -> StepConditions:
        """What holds in the step with zero-based index `step`."""
        rows: list[Conditioning] = []
        owners = []
        for composed in self.positive:
            owned = []
            for scheduled, weight in composed.parts:
                owned.append((len(rows), weight))
                rows.append(scheduled.at(step))
            owners.append(tuple(owned))
        return StepConditions(cond=stacked(rows), uncond=stacked([n.at(step) for n in self.negative]), owners=tuple(owners))
