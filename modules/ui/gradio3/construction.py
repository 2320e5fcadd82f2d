"""Old keywords of constructors, and what blocks of extensions have beside those of the program: marks, classes, places in the page."""
from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Block, Blocks
from gradio.component_meta import ComponentMeta
from gradio.components.base import FormComponent

from modules.ui.gradio3 import sketch
from modules.ui.gradio3.keywords import translated
from modules.ui.gradio3.scope import MARK, is_old, speaking

# Style sheets that blocks of extensions brought, for the page's head.
style_sheets: list[str] = []


def gradio_classes() -> list[type]:
    """All of gradio's own blocks."""
    found: dict[type, None] = {}
    waiting: list[type[Any]] = [Block]
    while waiting:
        below: type[Any]
        for below in waiting.pop().__subclasses__():
            if below not in found:
                found[below] = None
                waiting.append(below)
    return [kind for kind in found if kind.__module__.startswith("gradio.")]


def nearest_of_gradio(kind: type) -> type:
    """The class of gradio that a class of an extension derives from; itself where it is gradio's."""
    return next(base for base in kind.__mro__ if base.__module__.startswith("gradio."))


def wrap_constructors() -> None:
    """Let gradio's constructors take old keywords where `is_old`."""
    for kind in gradio_classes():
        if "__init__" in vars(kind):
            kind.__init__ = _tolerant(kind, kind.__init__)  # type: ignore[misc]
    Block.constructor_args = property(_arguments_and_mark)  # type: ignore[method-assign, assignment]
    ComponentMeta.__call__ = _made_again  # type: ignore[method-assign]


def _tolerant(kind: type, original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def construct(self: Any, *args: Any, **keywords: Any) -> None:
        if not is_old():
            original(self, *args, **keywords)
            return
        setattr(self, MARK, True)
        collect_css(kind, keywords)
        with speaking(False):  # what gradio's own constructors do among themselves is in present form
            original(self, *args, **translated(kind, keywords))
        _dress(self)
    return construct


def _arguments_and_mark(self: Block) -> dict[str, Any]:
    """gradio makes a component anew from these when a function changes it; those of extensions are made in their old ways."""
    known = self._constructor_args[0] if self._constructor_args else {}
    return {**known, MARK: True} if getattr(self, MARK, False) else known


def _made_again(cls: type, *args: Any, **keywords: Any) -> Any:
    if keywords.pop(MARK, False):
        with speaking(True):
            return type.__call__(cls, *args, **keywords)
    if is_old() and cls is gr.Image and keywords.get("tool") in sketch.TOOLS:
        cls = sketch.Sketch
    return type.__call__(cls, *args, **keywords)


def collect_css(kind: type, keywords: dict[str, Any]) -> None:
    """Keep the style sheet that a page of an extension brings; it is not a page of its own here."""
    css = keywords.pop("css", None) if issubclass(kind, Blocks) else None
    if isinstance(css, str) and css and css not in style_sheets:
        style_sheets.append(css)


def _dress(block: Any) -> None:
    """Class names that style sheets and scripts look for, and an answer to the user: gradio disables what has a value and no event."""
    if isinstance(block, gr.Textbox) and block.value is None:
        block.value = ""  # what an empty box gave; functions split it without a look
    if isinstance(block, Blocks):
        return
    name = f"gradio-{block.get_block_name()}"
    classes = [block.elem_classes] if isinstance(block.elem_classes, str) else list(block.elem_classes or ())
    if name not in classes:
        block.elem_classes = [name, *classes]
    if isinstance(block, FormComponent) and getattr(block, "interactive", True) is None:
        block.interactive = True
    _settle_class(type(block))


def _settle_class(kind: type) -> None:
    """A class of an extension sends the properties of gradio's class, whatever its constructor's signature; its id needs no source file."""
    if kind.__module__.startswith("gradio."):
        return
    definer = next(base for base in kind.__mro__ if "get_config" in vars(base))
    if definer.__module__.startswith("gradio."):
        nearest = nearest_of_gradio(kind)
        kind.get_config = lambda self, cls=None: config_as(self, cls or nearest)  # type: ignore[attr-defined]
    if "get_component_class_id" not in vars(kind):
        digest = hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode()).hexdigest()
        kind.get_component_class_id = classmethod(lambda cls: digest)  # type: ignore[attr-defined]


def config_as(block: Block, kind: Any) -> dict[str, Any]:
    """The properties that gradio sends for a block of this class of its own."""
    if "cls" in inspect.signature(kind.get_config).parameters:
        return kind.get_config(block, kind)
    below = next(base for base in kind.__mro__[1:] if "get_config" in vars(base))
    return {**below.get_config(block, kind), **kind.get_config(block)}
