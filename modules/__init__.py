"""Easel's modules. Names that community extensions import and that live elsewhere resolve to the facades in a1111/."""
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

# A file of this folder wins over a facade of the same name.
__path__.append(str(Path(__file__).parent / "a1111"))


def __getattr__(name: str) -> ModuleType:
    """Extensions say `import modules` and use `modules.<name>`, which their host had imported before them."""
    if name.startswith("_") or importlib.util.find_spec(f"modules.{name}") is None:
        raise AttributeError(f"module 'modules' has no attribute {name!r}")
    return importlib.import_module(f"modules.{name}")
