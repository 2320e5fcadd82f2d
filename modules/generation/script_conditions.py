"""Encoded prompts in the form that extensions pass about, and back into that of the engine."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from modules.prompt.conditioning import BatchConditions, ComposedCond, Conditioning, ScheduledCond, extended


class ScheduledPromptConditioning(NamedTuple):
    """What holds up to a step: a tensor [T, C], or a mapping of such for models with a vector."""

    end_at_step: int
    cond: Any


@dataclass
class ComposableScheduledPromptConditioning:
    """An AND part with its weight."""

    schedules: list[ScheduledPromptConditioning]
    weight: float = 1.0


@dataclass
class MulticondLearnedConditioning:
    """The prompts of a batch, each a list of AND parts."""

    shape: tuple
    batch: list[list[ComposableScheduledPromptConditioning]]


class DictWithShape(dict):
    """A condition of several tensors that answers as the tensor of the text does."""

    def __init__(self, values: Any, shape: Any = None):
        super().__init__(values)

    @property
    def shape(self) -> torch.Size:
        return self["crossattn"].shape

    def to(self, *args: Any, **keywords: Any) -> DictWithShape:
        """Moved or converted."""
        return DictWithShape({key: value.to(*args, **keywords) if isinstance(value, Tensor) else value for key, value in self.items()})

    def advanced_indexing(self, item: Any) -> DictWithShape:
        """The rows that `item` picks."""
        return DictWithShape({key: value[item] for key, value in self.items() if isinstance(value, Tensor)})


def old_form(cond: Conditioning, row: int = 0) -> Any:
    """One row as extensions know it."""
    if cond.vector is None:
        return cond.crossattn[row]
    return DictWithShape({"crossattn": cond.crossattn[row], "vector": cond.vector[row]})


def present_form(cond: Any) -> Conditioning:
    """One row [T, C], or a mapping with such rows, as the engine's."""
    if isinstance(cond, Conditioning):
        return cond
    if isinstance(cond, dict):
        vector = cond.get("vector")
        return Conditioning(crossattn=cond["crossattn"][None], vector=None if vector is None else vector[None])
    return Conditioning(crossattn=cond[None])


def scheduled_in_old_form(scheduled: ScheduledCond) -> list[ScheduledPromptConditioning]:
    """One text through the steps."""
    return [ScheduledPromptConditioning(end, old_form(cond)) for end, cond in scheduled.parts]


def _scheduled(schedules: Any) -> ScheduledCond:
    if isinstance(schedules, ScheduledCond):
        return schedules
    return ScheduledCond(parts=tuple((entry.end_at_step, present_form(entry.cond)) for entry in schedules))


def conditions_of(positive: Any, negative: Any) -> BatchConditions:
    """The conditions of a batch from either form of both prompts."""
    if isinstance(positive, MulticondLearnedConditioning):
        positive = tuple(ComposedCond(parts=tuple((_scheduled(part.schedules), part.weight) for part in parts)) for parts in positive.batch)
    return BatchConditions(positive=tuple(positive), negative=tuple(_scheduled(schedules) for schedules in negative))


def reconstructed(schedules: Sequence[Any], step: int) -> Any:
    """What holds at a step for each text: [B, T, C], or a mapping; shorter texts are lengthened by their last vector."""
    found = [_scheduled(schedule).at(step) for schedule in schedules]
    return _stacked(found)


def _stacked(found: list[Conditioning]) -> Any:
    longest = max(cond.crossattn.shape[1] for cond in found)
    text = torch.cat([extended(cond.crossattn, longest) for cond in found])
    if found[0].vector is None:
        return text
    return DictWithShape({"crossattn": text, "vector": torch.cat([cond.vector for cond in found])})
