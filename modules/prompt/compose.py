"""AND: prompts composed of weighted parts, and the conditions of a batch for one pass."""
from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping, Sequence

from modules.prompt.conditioning import BatchConditions, ComposedCond, Conditioning, ScheduledCond
from modules.prompt.schedule import schedule

AND = re.compile(r"\bAND\b")
PART_WEIGHT = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,60})?|\.\d{1,60})")

Encode = Callable[[list[str]], list[Conditioning]]
# Adds to the conditions of the texts of one schedule what does not depend on the texts alone; told whether the prompt is negative.
Finish = Callable[[Sequence[str], list[Conditioning], bool], list[Conditioning]]
# What was encoded already: all texts of a schedule -> their conditions. Valid as long as encoder and options stay the same.
Cache = MutableMapping[tuple[str, ...], list[Conditioning]]


def split_and(text: str) -> list[tuple[str, float]]:
    """The parts between the words AND, each with the weight written behind its last colon (1 where there is none)."""
    return [_weighted(part) for part in AND.split(text)]


def _weighted(part: str) -> tuple[str, float]:
    text, colon, number = part.rpartition(":")
    if colon and PART_WEIGHT.fullmatch(number.strip()):
        return text.rstrip(), float(number)
    return part.rstrip(), 1.0


def batch_conditions(
    prompts: Sequence[str], negative_prompts: Sequence[str], steps: int, encode: Encode,
    hires_steps: int | None = None, use_old_scheduling: bool = False, cache: Cache | None = None, finish: Finish | None = None,
) -> BatchConditions:
    """What holds in each step of one pass, for each picture of a batch.

    encode: gets the texts of one schedule, which belong together, and returns one row for each; equal schedules are encoded once.
    hires_steps: given for the second pass; `steps` is then still the number of steps of the first. Negative prompts are not split.
    finish: see Finish; what it adds is not kept in the cache.
    """
    known = {} if cache is None else cache

    def scheduled(text: str, is_negative: bool = False) -> ScheduledCond:
        plan = schedule(text, steps, hires_steps, use_old_scheduling)
        texts = tuple(variant for _, variant in plan)
        if texts not in known:
            known[texts] = encode(list(texts))
        conditions = finish(texts, known[texts], is_negative) if finish else known[texts]
        return ScheduledCond(parts=tuple((end, cond) for (end, _), cond in zip(plan, conditions)))

    def composed(prompt: str) -> ComposedCond:
        return ComposedCond(parts=tuple((scheduled(part), weight) for part, weight in split_and(prompt)))

    positive = tuple(map(composed, prompts))
    return BatchConditions(positive=positive, negative=tuple(scheduled(text, is_negative=True) for text in negative_prompts))
