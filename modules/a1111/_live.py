"""Module attributes that are looked up at their home each time, and written there."""
from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any


class _LiveModule(ModuleType):
    """A module of which some names live elsewhere. Other names written to it stay in it, and hide computed ones."""

    _homes: Mapping[str, str]
    _computed: Mapping[str, Callable[[], Any]]

    def __getattr__(self, name: str) -> Any:
        if name in type(self)._homes:
            module, attribute = _home(type(self)._homes[name])
            return getattr(module, attribute)
        if name in type(self)._computed:
            return type(self)._computed[name]()
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self)._homes:
            module, attribute = _home(type(self)._homes[name])
            setattr(module, attribute, value)
        else:
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *type(self)._homes, *type(self)._computed})


def _home(place: str) -> tuple[ModuleType, str]:
    module, _, attribute = place.partition(":")
    return importlib.import_module(module), attribute


def live(module: str, *, homes: Mapping[str, str] | None = None, computed: Mapping[str, Callable[[], Any]] | None = None) -> None:
    """Make names of `module` live: `homes` maps a name to "module:attribute", `computed` to a function of its value."""
    members = {"_homes": dict(homes or {}), "_computed": dict(computed or {})}
    sys.modules[module].__class__ = type("LiveModule", (_LiveModule,), members)
