"""The text transformer of the installed open_clip package, whose own parameter names our networks must have."""
import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path

from torch import nn

NAMES = ("torchvision", "torchvision.ops", "torchvision.ops.misc", "open_clip")


def text_transformer():
    """The class TextTransformer. Loaded without the rest of its package, which needs torchvision for networks that see pictures."""
    place = str(folder())
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("torchvision", "open_clip")}
    for name in kept:
        del sys.modules[name]
    try:
        for name in NAMES:
            sys.modules[name] = types.ModuleType(name)
        sys.modules["torchvision.ops.misc"].FrozenBatchNorm2d = nn.Identity
        sys.modules["open_clip"].__path__ = [place]
        return importlib.import_module("open_clip.transformer").TextTransformer
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in ("torchvision", "open_clip")]:
            del sys.modules[name]
        sys.modules.update(kept)


def folder() -> Path:
    """Where the package is installed."""
    spec = importlib.util.find_spec("open_clip")
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def published(name: str) -> dict:
    """The published sizes of one of its models."""
    return json.loads((folder() / "model_configs" / f"{name}.json").read_text())
