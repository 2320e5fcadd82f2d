"""The linear preview: published numbers for the standard autoencoder, a fit for others."""
from pathlib import Path

import numpy as np
import torch
from torch import nn

from modules.nn.clip_text import ClipTextConfig
from modules.nn.families import SD1, SDXL, Architecture, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.meta import on_meta
from modules.nn.preview_factors import latent_rgb_factors

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "model-forward.npz")
SMALL = Architecture(
    unet=UNetConfig(model_channels=16, channel_mult=(1,), attention_levels=(0,), num_heads=2, context_dim=16, norm_groups=4),
    vae=VaeConfig(ch=8, ch_mult=(1, 2), num_res_blocks=1, norm_groups=4),
    text=ClipTextConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2))


def test_standard_autoencoders_use_the_numbers_of_the_reference():
    with on_meta():
        model = LatentDiffusion(SD1)
    factors, bias = latent_rgb_factors(model)
    pixels = torch.einsum("chw,cr->rhw", torch.from_numpy(GOLDENS["vae_z"])[0], factors) + bias[:, None, None]
    assert (pixels - torch.from_numpy(GOLDENS["cheap_approx"])).abs().max() < 1e-6


def test_the_latents_of_sdxl_have_colours_of_their_own():
    with on_meta():
        first, second = LatentDiffusion(SD1), LatentDiffusion(SDXL)
    assert not torch.equal(latent_rgb_factors(first)[0], latent_rgb_factors(second)[0])


def test_for_a_decoder_that_is_linear_the_fit_finds_its_matrix():
    model = LatentDiffusion(SMALL).requires_grad_(False)
    model.first_stage_model.decoder = LinearDecoder()
    model.first_stage_model.post_quant_conv = nn.Identity()
    model.scale_factor = 1.0
    factors, bias = latent_rgb_factors(model)
    assert torch.allclose(factors, LinearDecoder.MATRIX, atol=1e-4) and torch.allclose(bias, torch.tensor([0.1, 0.0, -0.1]), atol=1e-4)


def test_the_fit_is_made_once_and_leaves_the_random_stream_alone():
    model = LatentDiffusion(SMALL).requires_grad_(False)
    torch.manual_seed(5)
    first = latent_rgb_factors(model)
    drawn = torch.rand(1)
    assert latent_rgb_factors(model) is first
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), drawn)


class LinearDecoder(nn.Module):
    """Pixels are a matrix times the latent, plus a constant."""

    MATRIX = torch.tensor([[0.1, 0.0, 0.05], [0.0, 0.1, 0.0], [0.02, 0.0, 0.1], [0.0, -0.1, 0.0]])

    def __init__(self):
        super().__init__()
        self.conv_out = nn.Conv2d(1, 1, 1)

    def forward(self, z):
        return torch.einsum("bchw,cr->brhw", z, self.MATRIX) + torch.tensor([0.1, 0.0, -0.1])[:, None, None]
