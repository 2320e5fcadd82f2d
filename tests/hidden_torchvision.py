"""Packages that work without torchvision but stumble over one that is installed and cannot be imported."""
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def unusable_torchvision_hidden() -> Iterator[None]:
    """Meanwhile a torchvision that cannot be imported is as if it were not installed; one that can be stays."""
    try:
        importlib.import_module("torchvision")
        hidden = False
    except (ImportError, RuntimeError):
        hidden = True
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["torchvision"]


def imported(package: str, *names: str) -> ModuleType:
    """The package, with those of its names that it would only look up later."""
    with unusable_torchvision_hidden():
        module = importlib.import_module(package)
        for name in names:
            getattr(module, name)
    return module
