"""Keywords of old constructors in present form."""
from __future__ import annotations

import inspect
from typing import Any

import gradio as gr
from gradio.components.base import FormComponent

from modules.ui.gradio3.unseen import KINDS, kept_in_page

# Kinds of which `visible="hidden"` leaves the element in the page; rows and columns would ignore it (unseen.py).
HIDEABLE = (FormComponent, gr.HTML, gr.Button, gr.Group, gr.Accordion, gr.Image, gr.Gallery, gr.Markdown, gr.State, gr.JSON)
FILE_TYPES = {"file": "filepath", "bytes": "binary"}

_parameters: dict[type, frozenset[str]] = {}


def parameters_of(kind: type) -> frozenset[str]:
    """The keywords that the constructor knows, also those that it hands on to the classes below it."""
    if kind not in _parameters:
        found: set[str] = set()
        for base in (base for base in kind.__mro__ if "__init__" in vars(base) and base.__module__.startswith("gradio.")):
            given = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
            found |= {parameter.name for parameter in given if parameter.kind is not parameter.VAR_KEYWORD}
            if kind is gr.HTML or all(parameter.kind is not parameter.VAR_KEYWORD for parameter in given):
                break
        _parameters[kind] = frozenset(found)
    return _parameters[kind]


def translated(kind: type, keywords: dict[str, Any]) -> dict[str, Any]:
    """Keywords of old constructors in present form; those that nothing stands for are left out."""
    given = dict(keywords)
    if "source" in given:
        sources = given.pop("source")
        given.setdefault("sources", sources if isinstance(sources, list) else ["upload" if sources == "canvas" else sources])
    if issubclass(kind, gr.File | gr.UploadButton) and given.get("type") in FILE_TYPES:
        given["type"] = FILE_TYPES[given["type"]]
    if callable(given.get("choices")):
        given["choices"] = given["choices"]()
    if given.get("choices") is not None and not isinstance(given["choices"], list):
        given["choices"] = list(given["choices"])
    if issubclass(kind, gr.Gallery) and "grid" in given:
        given.setdefault("columns", given["grid"])
    if given.get("visible") is False and issubclass(kind, HIDEABLE):
        given["visible"] = "hidden"
    if issubclass(kind, KINDS):
        given = kept_in_page(given)
    if "visible" in given and given["visible"] != "hidden":
        given["visible"] = bool(given["visible"])
    if isinstance(given.get("scale"), float):
        given["scale"] = round(given["scale"])
    known = parameters_of(kind)
    return {name: value for name, value in given.items() if name in known}
