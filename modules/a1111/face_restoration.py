"""Restoration of faces under the names of A1111's `face_restoration`."""
import numpy as np
from PIL import Image

from modules import shared


class FaceRestoration:
    """A way to restore faces."""

    def name(self) -> str:
        """As lists show it."""
        return "None"

    def restore(self, np_image):
        """The picture, [H, W, 3] with red first, with restored faces."""
        return np_image


class ByNetwork(FaceRestoration):
    """One of those that the program has."""

    def __init__(self, name: str):
        self._name = name

    def name(self) -> str:
        return self._name

    def restore(self, np_image, w: float | None = None):
        """w: how close CodeFormer stays to the face, 0..1; None takes the setting. Raises UserError where a file is missing."""
        from modules.generation.finishing import faces_restored

        weight = shared.opts.code_former_weight if w is None else w
        return np.array(faces_restored(Image.fromarray(np_image), self._name, weight=weight).convert("RGB"))


def restore_faces(np_image):
    """The picture with faces restored in the way that the settings name; unchanged where there is none."""
    chosen = shared.opts.data.get("face_restoration_model")
    restorers = [way for way in shared.face_restorers if way.name() == chosen] or shared.face_restorers[:1]
    return restorers[0].restore(np_image) if restorers else np_image
