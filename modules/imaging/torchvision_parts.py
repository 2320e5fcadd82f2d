"""torchvision as the packages for upscaling and faces need it, also beside a PyTorch that it was not built for."""
from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import torch
from torch import Tensor

GRAYSCALE_HOME = "torchvision.transforms.functional_tensor"
_operators: list[torch.library.Library] = []


def ensure_torchvision() -> ModuleType:
    """Import torchvision; call this before the first import of spandrel, facexlib, basicsr, gfpgan, realesrgan, open_clip or timm.

    Where its compiled operators do not fit the installed PyTorch (PyPI's torchvision beside a PyTorch for processors), those that
    these packages call are defined here; an installation that works is left as it is. In both cases the module that newer
    versions of torchvision dropped and basicsr still asks for is supplied. Raises ImportError without torchvision.
    """
    let_torchvision_fit()
    torchvision = importlib.import_module("torchvision")
    if GRAYSCALE_HOME not in sys.modules and importlib.util.find_spec(GRAYSCALE_HOME) is None:
        module = ModuleType(GRAYSCALE_HOME)
        module.rgb_to_grayscale = importlib.import_module("torchvision.transforms.functional").rgb_to_grayscale  # type: ignore[attr-defined]
        sys.modules[GRAYSCALE_HOME] = module
    return torchvision


def let_torchvision_fit() -> None:
    """From now on `import torchvision` works for whoever says it, beside a PyTorch that it was not built for too. Imports nothing."""
    if not any(isinstance(finder, _Fitting) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Fitting())


class _Fitting(MetaPathFinder):
    """Finds torchvision where it is, and has it loaded by _FittingLoader."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == "torchvision" else None
        if spec is not None and spec.loader is not None:
            spec.loader = _FittingLoader(spec.loader)
        return spec


class _FittingLoader(Loader):
    """Loads torchvision once more, with operators of ours, when its own cannot be loaded."""

    def __init__(self, own: Loader):
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Failed to load image Python extension")  # its readers of files are not used
            try:
                self.own.exec_module(module)
            except RuntimeError as error:
                if "torchvision::nms" not in str(error):
                    raise
                self._load_with_our_operators(module)

    def _load_with_our_operators(self, module: ModuleType) -> None:
        for name in [name for name in sys.modules if name.startswith("torchvision.")]:
            del sys.modules[name]  # half of it is loaded
        _define_operators()
        self.own.exec_module(module)
        # Its functions ask this before they call an operator; one that is not defined here still raises AttributeError.
        sys.modules["torchvision.extension"]._has_ops = lambda: True  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self.own, name)  # such as get_source, for whoever shows a trace


def _define_operators() -> None:
    if _operators:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl(name, kept_boxes, "CompositeExplicitAutograd")
    _operators.append(library)  # the operators live as long as this


def kept_boxes(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: the best box is kept, those that overlap it by more than the threshold go, and so on.

    boxes: [N, 4] as (x1, y1, x2, y2), scores: [N]; the overlap is intersection over union. Returns int64 [K], best score first.
    """
    order = scores.argsort(descending=True, stable=True)
    corners = boxes[order].float() if boxes.dtype in (torch.float16, torch.bfloat16) or not boxes.is_floating_point() else boxes[order]
    areas = (corners[:, 2:] - corners[:, :2]).prod(dim=1)
    alive = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    kept = []
    for place in range(len(order)):
        if not alive[place]:
            continue
        kept.append(place)
        first = torch.maximum(corners[place, :2], corners[place + 1:, :2])
        last = torch.minimum(corners[place, 2:], corners[place + 1:, 2:])
        shared = (last - first).clamp(min=0).prod(dim=1)
        alive[place + 1:] &= shared <= iou_threshold * (areas[place] + areas[place + 1:] - shared)
    return order[torch.tensor(kept, dtype=torch.int64, device=boxes.device)]
