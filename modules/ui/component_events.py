"""Who is told of each component of the page as it is made: the scripts of the tab being built, and callbacks of extensions."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gradio.blocks import Block
from gradio.component_meta import ComponentMeta

from modules import errors, script_callbacks, scripts
from modules.extensions.discovery import origin
from modules.extensions.offstage import old_ways
from modules.scripts import OnComponent, Script, ScriptRunner

_building: list[bool] = []
_names: dict[type, tuple[str, ...]] = {}


@contextmanager
def told_to_listeners() -> Iterator[None]:
    """The scope in which a page is built."""
    original: Callable[..., Any] = vars(ComponentMeta).get("__call__", type.__call__)

    def make(cls: type, *args: Any, **keywords: Any) -> Any:
        if not _anybody_listens():
            return original(cls, *args, **keywords)
        named = {**dict(zip(_names_of(cls), args)), **{name: value for name, value in keywords.items() if not name.startswith("_")}}
        _tell("before", object.__new__(cls), named)
        component = original(cls, *args, **keywords)
        _tell("after", component, named)
        return component

    had_one = "__call__" in vars(ComponentMeta)
    ComponentMeta.__call__ = make  # type: ignore[method-assign]
    try:
        yield
    finally:
        if had_one:
            ComponentMeta.__call__ = original  # type: ignore[method-assign]
        else:
            del ComponentMeta.__call__


@contextmanager
def tab_of(runner: ScriptRunner) -> Iterator[None]:
    """The scope in which the tab of these scripts is built."""
    scripts.scripts_current = runner
    _building.append(True)
    try:
        yield
    finally:
        _building.pop()


def _anybody_listens() -> bool:
    return bool(_building) or script_callbacks.has("before_component") or script_callbacks.has("after_component")


def _names_of(cls: type) -> tuple[str, ...]:
    """The names of the arguments by position."""
    if cls not in _names:
        given = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
        _names[cls] = tuple(p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD)[1:]
    return _names[cls]


def _tell(when: str, component: Any, keywords: dict[str, Any]) -> None:
    if _building and scripts.scripts_current is not None:
        for script in list(scripts.scripts_current.scripts):
            _tell_script(script, when, component, keywords)
    script_callbacks.call(f"{when}_component", component, **keywords)


def _tell_script(script: Script, when: str, component: Block, keywords: dict[str, Any]) -> None:
    """Methods that a script overrides, and functions that it registered for an element."""
    method = f"{when}_component"
    registered = script.on_before_component_elem_id if when == "before" else script.on_after_component_elem_id
    calls = [callback for element, callback in registered or () if element == keywords.get("elem_id")]
    overridden = getattr(type(script), method) is not getattr(Script, method)
    if not calls and not overridden:
        return
    try:
        with old_ways(script.filename or ""):
            for callback in calls:
                callback(OnComponent(component=component))
            if overridden:
                getattr(script, method)(component, **keywords)
    except Exception as error:  # an extension's fault must not take the page away
        errors.report(f"{origin(script.filename or '')}: {method} failed", error)
