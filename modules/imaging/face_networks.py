"""Networks for faces, read from the files that their makers publish: restoring them, finding them, telling skin from background."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from modules.checkpoints.problems import WeightsError
from modules.imaging.codeformer_network import CodeFormer
from modules.imaging.network_files import filled, fitting, float_tensors
from modules.imaging.torchvision_parts import ensure_torchvision
from modules.imaging.upscaler_files import load_network

Pixels = NDArray[np.uint8]  # [H, W, 3], red first
Face = Callable[[Tensor], Tensor]  # [1, 3, 512, 512] in -1..1 to the same
FACE_PX = 512
# How sure the detector must be, 0..1.
LEAST_CERTAINTY = 0.97
# The decoder of GFPGAN draws noise; the same picture is to give the same face.
NOISE_SEED = 0
# Of the 19 classes of the parser, those that are not face: background, and what may lie on or beside a head.
NOT_FACE = (0, 14, 16, 17, 18)


def load_gfpgan(path: Path, device: torch.device) -> Face:
    """GFPGAN 1.3 or 1.4 through its package, or through spandrel where that is not installed. Raises WeightsError."""
    network = gfpgan_of_package(path) or gfpgan_of_spandrel(path)
    network.to(device)

    def restored(face: Tensor) -> Tensor:
        cards = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=cards):
            torch.manual_seed(NOISE_SEED)
            return network(face, return_rgb=False)[0]  # type: ignore[no-any-return]

    return restored


def gfpgan_of_package(path: Path) -> nn.Module | None:
    """None where the package cannot be imported."""
    ensure_torchvision()
    try:
        from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean
    except ImportError:
        return None
    tensors = float_tensors(path)

    def make() -> nn.Module:
        made: nn.Module = GFPGANv1Clean(
            out_size=FACE_PX, num_style_feat=512, channel_multiplier=2, fix_decoder=False, input_is_latent=True, different_w=True,
            narrow=1, sft_half=True)
        return made

    with fitting(path, "GFPGAN 1.3 or 1.4"):
        return filled(make, tensors)


def gfpgan_of_spandrel(path: Path) -> nn.Module:
    """The same network as spandrel builds it."""
    described = load_network(path)
    if described.purpose != "FaceSR" or described.architecture.id != "GFPGAN":
        raise WeightsError(path, "Its weights are not those of GFPGAN 1.3 or 1.4.")
    return described.model.float().requires_grad_(False)  # type: ignore[no-any-return]


def load_codeformer(path: Path, device: torch.device) -> CodeFormer:
    """Raises WeightsError."""
    tensors = float_tensors(path)
    with fitting(path, "CodeFormer"):
        return CodeFormer.of_weights(tensors).to(device)


def load_detector(path: Path, device: torch.device) -> Callable[[Pixels], NDArray[np.float64]]:
    """RetinaFace: pixels to the landmarks of each face, [n, 5, 2] px: eyes, nose, corners of the mouth. Raises WeightsError."""
    ensure_torchvision()
    from facexlib.detection.retinaface import RetinaFace

    tensors = float_tensors(path, "module.")
    with fitting(path, "the face detector"):
        network: Any = filled(lambda: RetinaFace(network_name="resnet50", device=torch.device("meta")), tensors)
    network.to(device)
    network.device, network.mean_tensor = device, torch.tensor([104.0, 117.0, 123.0], device=device)[None, :, None, None]

    def found(pixels: Pixels) -> NDArray[np.float64]:
        with torch.inference_mode():
            rows = network.detect_faces(np.ascontiguousarray(pixels[..., ::-1]), LEAST_CERTAINTY)
        return np.asarray(rows, np.float64).reshape(-1, 15)[:, 5:].reshape(-1, 5, 2)

    return found


def load_parser(path: Path, device: torch.device) -> Callable[[Pixels], NDArray[np.bool_]]:
    """ParseNet: a face of 512 px to what of it belongs to the face, [512, 512]. Raises WeightsError."""
    ensure_torchvision()
    from facexlib.parsing.parsenet import ParseNet

    tensors = float_tensors(path)
    with fitting(path, "the parser of faces"):
        network = filled(lambda: ParseNet(in_size=FACE_PX, out_size=FACE_PX, parsing_ch=19), tensors).to(device)

    def face_of(pixels: Pixels) -> NDArray[np.bool_]:
        with torch.inference_mode():
            classes = network(as_tensor(pixels).to(device))[0].argmax(1)[0].cpu().numpy()
        return ~np.isin(classes, NOT_FACE)

    return face_of


def as_tensor(pixels: Pixels) -> Tensor:
    """[1, 3, H, W] in -1..1."""
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 127.5 - 1


def as_pixels(face: Tensor) -> Pixels:
    """The way back, with what is beyond the range cut off."""
    values = (face[0].clamp(-1, 1) + 1) * 127.5
    return values.round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
