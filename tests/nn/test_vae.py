"""The autoencoder equals the reference recording and diffusers, both ways."""
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers_peer import peer_vae, relative_error
from PIL import Image
from safetensors.torch import load_file

from modules.nn.clip_text import ClipTextConfig
from modules.nn.families import Architecture, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.meta import on_meta
from modules.nn.vae import AutoencoderKL, Posterior

GOLDENS = Path(__file__).parents[1] / "goldens"
RECORDED = np.load(GOLDENS / "model-forward.npz")
TINY = Architecture(
    unet=UNetConfig(model_channels=32, context_dim=64), vae=VaeConfig(ch=32),
    text=ClipTextConfig(hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4))
SMALL = VaeConfig(ch=16, ch_mult=(1, 2, 3), num_res_blocks=1, norm_groups=4)


def golden(name):
    return torch.from_numpy(RECORDED[name])


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    with on_meta():
        model = LatentDiffusion(TINY)
    model.load_state_dict(load_file(tiny_checkpoint(1)), assign=True)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def pixels():
    picture = Image.open(GOLDENS / "images" / "in" / "init_64x64.png").convert("RGB")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1.0


def test_decoding_equals_the_reference(model):
    assert (model.decode_first_stage(golden("vae_z")) - golden("vae_decode")).abs().max() < 1e-4


def test_encoding_equals_the_reference(model, pixels):
    raw, scaled = model.first_stage_model.encode(pixels), model.encode_first_stage(pixels)
    assert (scaled.mean - golden("vae_latent_scaled_mean")).abs().max() < 1e-4
    assert (raw.logvar - golden("vae_encode_logvar")).abs().max() < 1e-4
    assert relative_error(raw.mean, golden("vae_encode_mean")) < 1e-4


def test_equals_diffusers_both_ways_on_random_weights():
    torch.manual_seed(0)
    vae = AutoencoderKL(SMALL).requires_grad_(False)
    peer = peer_vae(SMALL, vae.state_dict())
    x, z = torch.randn(2, 3, 32, 48), torch.randn(2, 4, 8, 12)
    assert relative_error(vae.encode(x).mean, peer.encode(x).latent_dist.mean) <= 1e-5
    assert relative_error(vae.encode(x).logvar, peer.encode(x).latent_dist.logvar) <= 1e-5
    assert relative_error(vae.decode(z), peer.decode(z).sample) <= 1e-5


def test_scaling_a_posterior_scales_its_mean_and_its_width():
    posterior = Posterior(mean=torch.tensor([2.0]), logvar=torch.tensor([0.0])).scaled(-0.5)
    assert posterior.sample(torch.tensor([1.0])).item() == pytest.approx(-1.0 + 0.5)
    assert posterior.mode().item() == -1.0


def test_sizes_in_pixels_follow_from_the_levels():
    assert VaeConfig().downscale == 8 and SMALL.downscale == 4
