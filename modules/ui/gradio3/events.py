"""Old keywords of events, and events that have another name now."""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Blocks
from gradio.events import EventListener

from modules.ui.gradio3.construction import gradio_classes
from modules.ui.gradio3.scope import is_old, speaking
from modules.ui.gradio3.unseen import showing

# Event that there was -> the nearest one that there is.
RENAMED: tuple[tuple[type, str, str], ...] = (
    (gr.Image, "edit", "change"), (gr.Image, "stream", "change"), (gr.Tab, "change", "select"), (gr.Gallery, "click", "select"),
    (gr.Number, "release", "change"), (gr.Radio, "click", "input"), (gr.Checkbox, "click", "input"), (gr.Dropdown, "clear", "change"),
    (gr.Textbox, "clear", "change"), (gr.File, "click", "select"), (gr.Accordion, "change", "expand"), (gr.Accordion, "select", "expand"),
)
SHOWN = {True: "full", False: "hidden", None: "full"}


def wrap_events() -> None:
    """Let events take old keywords where `is_old`, also those that follow others."""
    for kind in (*gradio_classes(), Blocks):
        for event in dict.fromkeys(map(str, (*getattr(kind, "EVENTS", ()), *(("load", "unload") if kind is Blocks else ())))):
            if event in vars(kind) and not hasattr(vars(kind)[event], "__wrapped__"):
                setattr(kind, event, _tolerant(vars(kind)[event]))
    for kind, old, present in RENAMED:
        if not hasattr(kind, old):
            setattr(kind, old, _renamed(present))
    _wrap_following_events()


def _wrap_following_events() -> None:
    """`.then` and `.success` are made for each event, by this class."""
    original = EventListener._setup

    @functools.wraps(original)
    def setup(*args: Any, **keywords: Any) -> Callable[..., Any]:
        return _tolerant(original(*args, **keywords))
    EventListener._setup = staticmethod(setup)  # type: ignore[method-assign]


def _renamed(present: str) -> Callable[..., Any]:
    return lambda self, *args, **keywords: getattr(self, present)(*args, **keywords)


def _tolerant(original: Callable[..., Any]) -> Callable[..., Any]:
    known = frozenset(inspect.signature(original).parameters)

    @functools.wraps(original)
    def connect(block: Any, *args: Any, **keywords: Any) -> Any:
        if not is_old():
            return original(block, *args, **keywords)
        outputs = args[2] if len(args) > 2 else keywords.get("outputs")
        if args and callable(args[0]):
            args = (showing(answering(args[0]), outputs), *args[1:])
        elif callable(keywords.get("fn")):
            keywords["fn"] = showing(answering(keywords["fn"]), outputs)
        elif not args and "fn" not in keywords:
            args = (None,)
        given = translated(keywords)
        with speaking(False):
            return original(block, *args, **{name: value for name, value in given.items() if name in known})
    return connect


def translated(keywords: dict[str, Any]) -> dict[str, Any]:
    """Keywords in present form. The program has an API of its own, so none of these events is public."""
    given = dict(keywords)
    if "_js" in given:
        given["js"] = given.pop("_js")
    if isinstance(given.get("show_progress", ""), bool | None):
        given["show_progress"] = SHOWN[given["show_progress"]]
    for name in ("api_name", "show_api", "api_description"):
        given.pop(name, None)
    if given.get("queue", True) is None:
        del given["queue"]
    return {**given, "api_visibility": "private"}


def answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with old ways in force while it answers an event."""
    if not inspect.isroutine(function) or inspect.isasyncgenfunction(function):
        return function
    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def answer_later(*args: Any, **keywords: Any) -> Any:
            with speaking(True):
                return await function(*args, **keywords)
        return answer_later
    if inspect.isgeneratorfunction(function):
        return function

    @functools.wraps(function)
    def answer(*args: Any, **keywords: Any) -> Any:
        with speaking(True):
            return function(*args, **keywords)
    return answer


