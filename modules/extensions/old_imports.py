"""Imports of other packages that extensions were written for and that are no more as they were."""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from modules.imaging.torchvision_parts import let_torchvision_fit

# Module that is gone -> the one that has its functions.
MOVED = {"torchvision.transforms.functional_tensor": "torchvision.transforms.functional"}


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for modules in MOVED where their package has them no longer."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(MOVED[spec.name])

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it is loaded already."""


def allow() -> None:
    """Let them be imported, once. torchvision, too, where its own operators do not fit the installed PyTorch."""
    let_torchvision_fit()
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())
        _allow_plain_root_validators()


def _allow_plain_root_validators() -> None:
    """pydantic 2 refuses `@root_validator` where it is not said that it runs only on valid fields, as it always did."""
    import pydantic

    original: Any = pydantic.root_validator

    def root_validator(*args: Any, **keywords: Any) -> Any:
        if args and callable(args[0]):
            return original(skip_on_failure=True)(args[0])
        if not keywords.get("pre"):
            keywords.setdefault("skip_on_failure", True)
        return original(*args, **keywords)

    pydantic.root_validator = root_validator
