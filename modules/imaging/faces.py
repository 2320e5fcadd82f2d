"""Faces in a picture restored: found, turned upright into a square of 512 px, made anew by a network, laid back into the picture."""
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from modules.checkpoints.hashing import FileState
from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound
from modules.hardware import Hardware
from modules.imaging import face_networks
from modules.imaging.face_networks import FACE_PX, Pixels, as_pixels, as_tensor
from modules.imaging.known_files import CODEFORMER, FACE_DETECTION, FACE_PARSING, GFPGAN_14, FileMissing, KnownFile, needed

T = TypeVar("T")
Floats = NDArray[np.float64]
Landmarks = NDArray[np.float64]  # [5, 2] px: left eye, right eye, nose, left and right corner of the mouth

# Where these lie in an upright face of 512 px, on average over the faces that the networks were trained with (FFHQ).
UPRIGHT = np.array([[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935], [201.26117, 371.41043], [313.08905, 371.15118]])
SEARCH_PX = 640
LEAST_EYE_DISTANCE_PX = 5
OUTSIDE = (132, 133, 135)
EDGE_PX = 10
RESTORERS: dict[str, KnownFile] = {"CodeFormer": CODEFORMER, "GFPGAN": GFPGAN_14}


@dataclass(frozen=True, kw_only=True)
class FaceTools:
    """What restoring needs. detect: pixels to landmarks [n, 5, 2]; restore: a face of 512 px to another; covers: where it is face."""

    detect: Callable[[Pixels], Floats]
    restore: Callable[[Pixels], Pixels]
    covers: Callable[[Pixels], NDArray[np.bool_]]


def with_restored_faces(image: Image.Image, tools: FaceTools, check: Callable[[], None] = lambda: None) -> Image.Image:
    """A picture with its faces made anew; `image` itself where it has none. Alpha is kept; `check` may raise before each network."""
    rgb = np.array(image.convert("RGB"))
    check()
    faces = found_faces(rgb, tools.detect)
    if not faces:
        return image
    result = rgb.astype(np.float64)
    for landmarks in faces:
        check()
        matrix = upright(landmarks)
        if matrix is not None:
            restored = tools.restore(turned(rgb, matrix))
            lay_back(result, restored, soft_mask(tools.covers(restored)), matrix)
    made = Image.fromarray(np.rint(result).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA"):
        made.putalpha(image.getchannel("A"))
    return made.convert("L") if image.mode == "L" else made


def found_faces(rgb: Pixels, detect: Callable[[Pixels], Floats]) -> list[Landmarks]:
    """The landmarks of all faces in px of the picture; it is looked at with its shorter side at 640 px, as the networks' makers do."""
    import cv2

    scale = min(rgb.shape[:2]) / SEARCH_PX
    size = max(1, int(rgb.shape[1] / scale)), max(1, int(rgb.shape[0] / scale))
    found = detect(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)) * scale
    return [face for face in found if np.linalg.norm(face[0] - face[1]) >= LEAST_EYE_DISTANCE_PX]


def upright(landmarks: Landmarks) -> Floats | None:
    """The turn, scale and shift [2, 3] that brings a face upright; None for landmarks that lie in one point."""
    import cv2

    matrix, _ = cv2.estimateAffinePartial2D(landmarks, UPRIGHT, method=cv2.LMEDS)
    if matrix is None or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-9:
        return None
    return np.asarray(matrix, np.float64)


def turned(rgb: Pixels, matrix: Floats) -> Pixels:
    """The face of 512 px; grey where it leaves the picture."""
    import cv2

    return np.asarray(cv2.warpAffine(rgb, matrix, (FACE_PX, FACE_PX), borderMode=cv2.BORDER_CONSTANT, borderValue=OUTSIDE), np.uint8)


def soft_mask(covers: NDArray[np.bool_]) -> Floats:
    """Where the restored face counts, 0..1, falling off softly and 0 at the edges of the square."""
    import cv2

    mask = covers.astype(np.float64)
    for _ in range(2):
        mask = np.asarray(cv2.GaussianBlur(mask, (101, 101), 11), np.float64)
    inner = np.zeros_like(mask)
    inside = slice(EDGE_PX, -EDGE_PX)
    inner[inside, inside] = mask[inside, inside]
    return inner


def lay_back(result: Floats, face: Pixels, mask: Floats, matrix: Floats) -> None:
    """Blend a face into the picture `result` [H, W, 3], the inverse way; only its surroundings are touched."""
    import cv2

    inverse = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0, 1], [FACE_PX, 0, 1], [0, FACE_PX, 1], [FACE_PX, FACE_PX, 1]]) @ inverse.T
    left, top = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, None)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 2, result.shape[1::-1])
    if right <= left or bottom <= top:
        return
    inverse[:, 2] -= left, top
    size = int(right - left), int(bottom - top)
    there = cv2.warpAffine(face.astype(np.float64), inverse, size)
    share = cv2.warpAffine(mask, inverse, size)[..., None]
    part = result[top:bottom, left:right]
    part += share * (there - part)


class FaceRestoration:
    """The networks for faces of a program, kept in memory between pictures; for the thread of the jobs."""

    def __init__(self, models: Path, hardware: Hardware, check: Callable[[], None] = lambda: None):
        self.models, self.hardware, self.check = models, hardware, check
        self._loaded: dict[tuple[str, Path], tuple[FileState, object]] = {}
        self._guard = threading.Lock()

    def missing(self, name: str) -> KnownFile | None:
        """The first file that this restorer lacks. Raises NotFound for a name that is none."""
        files = (RESTORERS[restorer_name(name)], FACE_DETECTION, FACE_PARSING)
        return next((file for file in files if file.path(self.models) is None), None)

    def available(self) -> list[str]:
        """The restorers whose files are there."""
        return [name for name in RESTORERS if self.missing(name) is None]

    def restored(self, image: Image.Image, name: str, *, weight: float = 0.5, visibility: float = 1.0) -> Image.Image:
        """`image` with its faces made anew, or `image` itself where it has none or nothing is to be seen of them.

        weight: 0..1, how close CodeFormer stays to the given face. visibility: 0..1. Raises NotFound, FileMissing, WeightsError.
        """
        name = restorer_name(name)
        if visibility <= 0:
            return image
        if (file := self.missing(name)) is not None:
            raise FileMissing(file)
        made = with_restored_faces(image, self.tools(name, weight), self.check)
        return made if made is image or visibility >= 1 else Image.blend(image.convert(made.mode), made, visibility)

    def boxes(self, image: Image.Image) -> list[tuple[float, float, float, float]]:
        """(left, top, right, bottom) in px around each face, from the forehead to the chin. Raises FileMissing, WeightsError."""
        detect = self._network(FACE_DETECTION, face_networks.load_detector)
        boxes = []
        for face in found_faces(np.array(image.convert("RGB")), detect):
            (left, top), (right, bottom) = face.min(axis=0), face.max(axis=0)
            margin = max(right - left, bottom - top)
            boxes.append((left - margin / 2, top - margin, right + margin / 2, bottom + margin / 2))
        return boxes

    def tools(self, name: str, weight: float) -> FaceTools:
        """The networks, read from their files. Raises FileMissing, WeightsError."""
        detect = self._network(FACE_DETECTION, face_networks.load_detector)
        covers = self._network(FACE_PARSING, face_networks.load_parser)
        path = needed(RESTORERS[name], self.models)
        if name == "CodeFormer":
            codeformer = self._network(CODEFORMER, face_networks.load_codeformer)
            network = lambda face: codeformer(face, weight)
        else:
            network = self._network(GFPGAN_14, face_networks.load_gfpgan)

        def restore(pixels: Pixels) -> Pixels:
            self.check()
            with torch.inference_mode():
                face = network(as_tensor(pixels).to(self.hardware.device))
            if not torch.isfinite(face).all():
                raise WeightsError(path, "The network made NaN (not a number) instead of a face.")
            return as_pixels(face)

        return FaceTools(detect=detect, restore=restore, covers=covers)

    def unload(self) -> None:
        """Let go of the networks."""
        with self._guard:
            self._loaded.clear()

    def _network(self, file: KnownFile, load: Callable[[Path, torch.device], T]) -> T:
        path = needed(file, self.models)
        key, state = (file.name, path), FileState.of(path)
        with self._guard:
            if key not in self._loaded or self._loaded[key][0] != state:
                self._loaded[key] = state, load(path, self.hardware.device)
            return self._loaded[key][1]  # type: ignore[return-value]


def restorer_name(name: str) -> str:
    """The name as lists have it, whatever its case. Raises NotFound."""
    for known in RESTORERS:
        if known.lower() == name.lower():
            return known
    raise NotFound(f'There is no face restoration named "{name[:100]}".', remedy=f"Choose one of: {', '.join(RESTORERS)}.")
