"""GFPGAN under the names of A1111's `gfpgan_model`."""
from modules.face_restoration import ByNetwork

gfpgan_face_restorer = ByNetwork("GFPGAN")


def gfpgan_fix_faces(np_image):
    """The picture, [H, W, 3] with red first, with restored faces."""
    return gfpgan_face_restorer.restore(np_image)
