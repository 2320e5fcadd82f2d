"""Files of upscaling networks: read without running anything in them, recognised by content, ready to be called."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules.checkpoints.pickle_file import PickleFile, read_pickle
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.state_dict import PICKLE_SUFFIXES, copies, load_weights
from modules.imaging.torchvision_parts import ensure_torchvision

# Where training programs put the weights inside a file, the averaged ones first.
INNER = ("params_ema", "params-ema", "params", "model_state_dict", "state_dict", "model", "net")
# Pictures smaller than this are padded: networks with windows or mirrored borders need some pixels to look at.
LEAST_PX = 16
_UNSUITABLE = {"FaceSR": "a network for faces", "Inpainting": "a network for inpainting"}


@dataclass(frozen=True, kw_only=True)
class UpscalerNetwork:
    """A network in memory. `kind`: its architecture; `channels`: 1 (grey) or 3; `scale`: how much larger its pictures are, 1 to 8."""

    module: nn.Module
    kind: str
    scale: int
    channels: int
    supports_half: bool
    call: Callable[[Tensor], Tensor]

    def __call__(self, pixels: Tensor) -> Tensor:
        """[1, C, h, w] in 0..1 to [1, C, h scale, w scale] in 0..1, for pictures of any size."""
        height, width = pixels.shape[2:]
        below, right = max(0, LEAST_PX - height), max(0, LEAST_PX - width)
        if below or right:
            pixels = F.pad(pixels, (0, right, 0, below), mode="replicate")
        with torch.inference_mode():
            made = self.call(pixels)
        return made[..., :height * self.scale, :width * self.scale].clamp(0, 1)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The weights of a file, wherever in it they lie, as copies that do not depend on it. Raises WeightsError."""
    if path.suffix.lower() not in PICKLE_SUFFIXES:
        return load_weights(path)
    content: Mapping[str, Any] = read_pickle(path)
    inner = next((content[name] for name in INNER if isinstance(content.get(name), Mapping)), content)
    tensors = {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(path, "It holds no named tensors.")
    return copies(PickleFile(path, tensors))


def load_network(path: Path) -> Any:
    """The network in a file as spandrel describes it (`purpose`, `scale`, `model`, callable), on the CPU.

    Raises WeightsError for a file that is damaged, holds more than weights, or is of no architecture that spandrel knows.
    """
    return _described(path, read_tensors(path))


def _described(path: Path, tensors: dict[str, Tensor]) -> Any:
    ensure_torchvision()
    import spandrel

    try:
        return spandrel.ModelLoader().load_from_state_dict(tensors).eval()
    except spandrel.UnsupportedModelError as error:
        raise WeightsError(path, "Its weights belong to no architecture of upscalers that is known here.") from error
    except (RuntimeError, ValueError, KeyError, IndexError, AssertionError, TypeError, AttributeError, ZeroDivisionError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()[:200]
        raise WeightsError(path, f"Its weights do not fit together: {reason}.") from error


def load_upscaler(path: Path) -> UpscalerNetwork:
    """The network in a file, in single precision on the CPU: Real-ESRGAN's through its own package where that is installed.

    Raises WeightsError, also for networks that do something else than enlarging or cleaning a picture.
    """
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in read_tensors(path).items()}
    if (network := real_esrgan(tensors)) is not None:
        return network
    model = _described(path, tensors)
    purpose = getattr(model, "purpose", "Inpainting")
    if purpose in _UNSUITABLE:
        raise WeightsError(path, f"It is {_UNSUITABLE[purpose]} ({model.architecture.name}), not an upscaler.")
    if model.input_channels != model.output_channels or model.input_channels not in (1, 3):
        raise WeightsError(path, f"Its network turns {model.input_channels} channels into {model.output_channels}; pictures have 1 or 3.")
    return UpscalerNetwork(module=model.model, kind=model.architecture.id, scale=model.scale, channels=model.input_channels,
                           supports_half=model.supports_half, call=model)


def real_esrgan(tensors: Mapping[str, Tensor]) -> UpscalerNetwork | None:
    """A network of Real-ESRGAN as its package builds it; None for other weights, or where the package cannot be imported."""
    build = next((build for mark, build in (("body.0.rdb1.conv1.weight", _rrdb), ("body.1.weight", _compact)) if mark in tensors), None)
    if build is None:
        return None
    try:
        ensure_torchvision()
        module, kind, scale, multiple = build(tensors)
        module.load_state_dict(dict(tensors), strict=True)
    except (ImportError, RuntimeError, KeyError, ValueError, IndexError, TypeError):
        return None  # a relative of these networks, or no package: spandrel reads both
    module.eval()

    def call(pixels: Tensor) -> Tensor:
        height, width = pixels.shape[2:]
        padding = (0, -width % multiple, 0, -height % multiple)
        return module(F.pad(pixels, padding, mode="reflect") if any(padding) else pixels)  # type: ignore[no-any-return]

    return UpscalerNetwork(module=module, kind=kind, scale=scale, channels=3, supports_half=True, call=call)


def _rrdb(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, str, int, int]:
    """Network, kind, scale, and what its sides have to be multiples of."""
    from basicsr.archs.rrdbnet_arch import RRDBNet

    features, channels = tensors["conv_first.weight"].shape[:2]
    folded = {3: 1, 12: 2, 48: 4}[channels]  # the picture is folded into channels first where the scale is below 4
    module = RRDBNet(num_in_ch=3, num_out_ch=3, scale=4 // folded, num_feat=features, num_block=_count(tensors, "body"),
                     num_grow_ch=tensors["body.0.rdb1.conv1.weight"].shape[0])
    return module, "ESRGAN", 4 // folded, folded


def _compact(tensors: Mapping[str, Tensor]) -> tuple[nn.Module, str, int, int]:
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    last = _count(tensors, "body") - 1
    features, channels = tensors["body.0.weight"].shape[:2]
    scale = round((tensors[f"body.{last}.weight"].shape[0] / channels) ** 0.5)
    if channels != 3:
        raise ValueError("not a network for colours")
    module = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=features, num_conv=(last - 2) // 2, upscale=scale)
    return module, "Compact", scale, 1


def _count(tensors: Mapping[str, Tensor], prefix: str) -> int:
    """How many numbered parts `prefix`.0, `prefix`.1, ... the weights have."""
    numbers = (re.match(rf"{prefix}\.(\d+)\.", name) for name in tensors)
    return 1 + max(int(match[1]) for match in numbers if match)


def scale_in_name(stem: str, default: float = 4.0) -> float:
    """The scale that a file's name tells, e.g. 4x-UltraSharp, RealESRGAN_x2plus."""
    match = re.search(r"(?<![0-9a-z])([1-8])x|x([1-8])(?![0-9])", stem.lower())
    return float(match[1] or match[2]) if match else default
