"""CodeFormer under the names of A1111's `codeformer_model`."""
from modules.face_restoration import ByNetwork

codeformer = ByNetwork("CodeFormer")
