"""The network behind samplers under the names of `k_diffusion.external`."""
from modules.generation.guided_by_extensions import InnerModel


class CompVisDenoiser(InnerModel):
    """The network that predicts the noise."""


class CompVisVDenoiser(InnerModel):
    """The network that predicts v."""
