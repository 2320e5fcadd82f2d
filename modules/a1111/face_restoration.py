"""Restoration of faces under the names of A1111's `face_restoration`."""
from modules import shared


class FaceRestoration:
    """A way to restore faces."""

    def name(self) -> str:
        """As lists show it."""
        return "None"

    def restore(self, np_image):
        """The picture with restored faces."""
        return np_image


def restore_faces(np_image):
    """The picture with faces restored in the way that the settings name; unchanged where there is none."""
    chosen = shared.opts.data.get("face_restoration_model")
    restorers = [way for way in shared.face_restorers if way.name() == chosen] or shared.face_restorers[:1]
    return restorers[0].restore(np_image) if restorers else np_image
