"""The whole model is laid out as the files name it, and its noise schedule is the reference's."""
import json

import numpy as np
import torch
from safetensors.torch import load_file

from modules.nn.clip_text import ClipTextConfig
from modules.nn.families import Architecture, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import SCHEDULE_NAMES, LatentDiffusion, noise_schedule
from modules.nn.meta import on_meta
from modules.prompt.conditioning import Conditioning

TINY = Architecture(
    unet=UNetConfig(model_channels=32, context_dim=64), vae=VaeConfig(ch=32),
    text=ClipTextConfig(hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4))
NINE_CHANNELS = Architecture(
    unet=UNetConfig(
        in_channels=9, model_channels=16, channel_mult=(1, 2), attention_levels=(0,), num_heads=2, context_dim=16, norm_groups=4),
    vae=VaeConfig(ch=8, ch_mult=(1, 2), num_res_blocks=1, norm_groups=4),
    text=ClipTextConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2))


def test_parameter_names_and_shapes_are_those_of_the_files(goldens):
    with on_meta():
        model = LatentDiffusion(TINY)
    ours = {key: list(value.shape) for key, value in model.state_dict().items()}
    theirs = {key: shape for key, (shape, _) in json.loads((goldens / "tiny-model" / "tiny_sd1_keys.json").read_text()).items()}
    theirs.pop("cond_stage_model.transformer.text_model.embeddings.position_ids")
    assert ours == theirs


def test_noise_schedule_equals_the_reference(tiny_checkpoint):
    stored = load_file(tiny_checkpoint(1))
    tables = noise_schedule(0.00085, 0.012, 1000)
    assert tuple(tables) == SCHEDULE_NAMES
    for name, table in tables.items():
        np.testing.assert_array_equal(table, stored[name])


def test_mask_channels_are_appended_to_the_noisy_latent():
    torch.manual_seed(0)
    model = LatentDiffusion(NINE_CHANNELS).requires_grad_(False)
    x, t, text, mask = torch.randn(1, 4, 8, 8), torch.tensor([5.0]), torch.randn(1, 77, 16), torch.randn(1, 5, 8, 8)
    with torch.no_grad():
        predicted = model.apply_model(x, t, Conditioning(crossattn=text, concat=mask))
        assert torch.equal(predicted, model.model.diffusion_model(torch.cat([x, mask], dim=1), t, text))
    assert NINE_CHANNELS.is_inpainting and not TINY.is_inpainting


def test_a_prediction_may_be_changed_in_place_afterwards():
    model = LatentDiffusion(NINE_CHANNELS).requires_grad_(False)
    with torch.no_grad():
        predicted = model.apply_model(torch.randn(1, 9, 8, 8), torch.tensor([5.0]), Conditioning(crossattn=torch.randn(1, 77, 16)))
    predicted += 1.0
    assert not predicted.is_inference()


def test_noise_of_a_timestep_keeps_unit_variance():
    model = LatentDiffusion(NINE_CHANNELS)
    noised = model.q_sample(torch.randn(4, 4, 64, 64), torch.tensor([0, 100, 500, 999]), torch.randn(4, 4, 64, 64))
    assert torch.allclose(noised.var(dim=(1, 2, 3)), torch.ones(4), atol=0.1)
