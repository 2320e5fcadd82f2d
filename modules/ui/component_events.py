"""Who is told of each component of the page as it is made: the scripts of the tab being built, and callbacks of extensions."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gradio.component_meta import ComponentMeta

from modules import script_callbacks, scripts
from modules.scripts import ScriptRunner

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
        scripts.scripts_current.told_of(when, component, keywords)
    script_callbacks.call(f"{when}_component", component, **keywords)
