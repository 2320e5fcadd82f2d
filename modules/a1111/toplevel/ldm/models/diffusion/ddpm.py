"""Whole models under the names of `ldm.models.diffusion.ddpm`."""
from ldm.modules.diffusionmodules.util import extract_into_tensor
from ldm.util import default, exists, instantiate_from_config

from modules.nn.latent_diffusion import DiffusionWrapper, LatentDiffusion

DDPM = LatentDiffusion
