"""The page. Names that extensions import from `modules.ui` are looked up when they are asked for."""
import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        # By name: the page itself needs none of them.
        return getattr(importlib.import_module("modules.ui_names"), name)
    except AttributeError:
        raise AttributeError(f"module 'modules.ui' has no attribute {name!r}") from None
