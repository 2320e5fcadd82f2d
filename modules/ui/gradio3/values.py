"""Values that components of extensions take: numbers as text, entries that no list has. gradio would refuse them."""
from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import gradio as gr

from modules.ui.gradio3.scope import MARK

LISTS: tuple[type, ...] = (gr.Dropdown, gr.Radio, gr.CheckboxGroup)
NUMBERS: tuple[type, ...] = (gr.Slider, gr.Number)


def tolerate_values() -> None:
    """Hand such values on for components that extensions made."""
    for kind in LISTS:
        kind.preprocess = _tolerant(kind.preprocess, _as_it_is)  # type: ignore[attr-defined]
        kind.postprocess = _tolerant(kind.postprocess, _as_it_is)  # type: ignore[attr-defined]
    for kind in NUMBERS:
        kind.preprocess = _tolerant(kind.preprocess, _as_number)  # type: ignore[attr-defined]
        kind.postprocess = _tolerant(kind.postprocess, _as_number)  # type: ignore[attr-defined]


def _tolerant(original: Callable[..., Any], otherwise: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def process(self: Any, value: Any) -> Any:
        if not getattr(self, MARK, False):
            return original(self, value)
        try:
            return original(self, value)
        except (gr.Error, ValueError, TypeError):
            return otherwise(self, value)
    return process


def _as_it_is(component: Any, value: Any) -> Any:
    """An entry that the list does not have; it has no place in it."""
    if getattr(component, "type", "value") == "index":
        return None
    return value


def _as_number(component: Any, value: Any) -> Any:
    """The number that a text says, beyond the ends of the slider too; nothing for other texts."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if math.isfinite(number) and number.is_integer() and "." not in str(value) else number
