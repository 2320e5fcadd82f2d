"""Whole models under the names of `ldm.models.diffusion.ddpm`."""
from modules.nn.latent_diffusion import DiffusionWrapper, LatentDiffusion

DDPM = LatentDiffusion
