"""The transformers package as a second opinion on our text encoder."""
import importlib
import sys


def transformers():
    """The package; where torchvision is installed but cannot be imported, it is hidden while transformers looks for it."""
    try:
        importlib.import_module("torchvision")
        hidden = False
    except (ImportError, RuntimeError):
        hidden = True
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision"] = None
    try:
        package = importlib.import_module("transformers")
        for name in ("CLIPTextModel", "CLIPTextConfig"):
            getattr(package, name)
        return package
    finally:
        if hidden:
            del sys.modules["torchvision"]
