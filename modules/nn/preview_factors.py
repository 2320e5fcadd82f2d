"""The cheapest decoder: latents to colours by one small matrix, known for standard models and fitted for others."""
from __future__ import annotations

from weakref import WeakKeyDictionary, ref

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modules.nn.families import VaeConfig
from modules.nn.latent_diffusion import LatentDiffusion

# Rows: latent channels; columns: red, green, blue in -1..1. The published values for the autoencoders of SD1 and 2, and of SDXL.
_SD1_FACTORS = (
    (0.298, 0.207, 0.208),
    (0.187, 0.286, 0.173),
    (-0.158, 0.189, 0.264),
    (-0.184, -0.271, -0.473),
)
_SDXL_FACTORS = (
    (0.3448, 0.4168, 0.4395),
    (-0.1953, -0.0290, 0.0250),
    (0.1074, 0.0886, -0.0163),
    (-0.3730, -0.2499, -0.2088),
)
_SAMPLES, _SIZE = 16, 8
# By autoencoder: the weight that the fit was made for (another VAE brings another), and the fit.
_fitted: WeakKeyDictionary[nn.Module, tuple[ref, tuple[Tensor, Tensor]]] = WeakKeyDictionary()


def latent_rgb_factors(model: LatentDiffusion) -> tuple[Tensor, Tensor]:
    """matrix [4, 3] and bias [3], float32 on the CPU: pixel = latent @ matrix + bias, in -1..1, one pixel per latent pixel.

    Latents are the scaled ones that the U-Net works on. For an autoencoder of its own kind the matrix is fitted once.
    """
    if model.architecture.vae == VaeConfig():
        return torch.tensor(_SDXL_FACTORS if model.is_sdxl else _SD1_FACTORS), torch.zeros(3)
    vae = model.first_stage_model
    weight = vae.decoder.conv_out.weight
    if vae not in _fitted or _fitted[vae][0]() is not weight:
        _fitted[vae] = (ref(weight), fitted_factors(model))
    return _fitted[vae][1]


@torch.no_grad()
def fitted_factors(model: LatentDiffusion) -> tuple[Tensor, Tensor]:
    """Least squares over smooth random latents and what the model's decoder makes of them, from a random stream of its own."""
    generator = torch.Generator().manual_seed(0)
    channels = model.architecture.vae.embed_dim
    coarse = torch.randn(_SAMPLES, channels, _SIZE // 4, _SIZE // 4, generator=generator) * 1.5
    latents = F.interpolate(coarse, size=(_SIZE, _SIZE), mode="bilinear", align_corners=False)
    device = model.first_stage_model.quant_conv.weight.device
    pixels = model.decode_first_stage(latents.to(device)).float().cpu().clamp(-1, 1)
    colours = F.adaptive_avg_pool2d(pixels, (_SIZE, _SIZE))
    rows = latents.permute(0, 2, 3, 1).reshape(-1, channels)
    inputs = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    solution = torch.linalg.lstsq(inputs, colours.permute(0, 2, 3, 1).reshape(-1, colours.shape[1])).solution
    return solution[:channels], solution[channels]
