"""The U-Net equals the reference recording and diffusers."""
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers_peer import peer_unet, relative_error
from safetensors.torch import load_file

from modules.nn import attention
from modules.nn.attention import CrossAttention
from modules.nn.families import SD1, UNetConfig
from modules.nn.meta import on_meta
from modules.nn.unet import ResBlock, UNetModel, timestep_embedding

GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "model-forward.npz")
SMALL = UNetConfig(model_channels=32, channel_mult=(1, 2, 2), attention_levels=(0, 1), num_heads=4, context_dim=24, norm_groups=8)


def golden(name):
    return torch.from_numpy(GOLDENS[name])


def random_unet(config, seed=0):
    torch.manual_seed(seed)
    return UNetModel(config).requires_grad_(False)


@pytest.fixture(scope="module")
def golden_unet(tiny_checkpoint):
    unet = UNetModel(UNetConfig(model_channels=32, context_dim=64)).requires_grad_(False)
    prefix = "model.diffusion_model."
    unet.load_state_dict({k.removeprefix(prefix): v for k, v in load_file(tiny_checkpoint(1)).items() if k.startswith(prefix)})
    return unet


@pytest.mark.parametrize("t", [0.0, 1.0, 250.5, 999.0])
def test_noise_predicted_equals_the_reference_at_whole_and_fractional_timesteps(golden_unet, t):
    predicted = golden_unet(golden("unet_x"), torch.full((2,), t), golden("cond"))
    assert (predicted - golden(f"unet_eps_t{t}")).abs().max() < 1e-4


def test_a_longer_text_gives_what_the_reference_gives(golden_unet):
    text = torch.cat([golden("cond"), golden("cond")], dim=1)
    predicted = golden_unet(golden("unet_x"), torch.full((2,), 500.0), text)
    assert (predicted - golden("unet_eps_t500_154tokens")).abs().max() < 1e-4


def test_where_an_odd_size_does_not_fit_its_skip_the_skip_decides(golden_unet):
    predicted = golden_unet(golden("unet_x_odd"), torch.tensor([500.0]), golden("cond")[:1])
    assert (predicted - golden("unet_eps_odd_t500")).abs().max() < 1e-4


@pytest.mark.parametrize("in_channels", [4, 9])
def test_equals_diffusers_on_random_weights(in_channels):
    config = UNetConfig(**{**SMALL.__dict__, "in_channels": in_channels})
    unet = random_unet(config)
    peer = peer_unet(config, unet.state_dict())
    x, t, text = torch.randn(2, in_channels, 16, 24), torch.tensor([3.0, 811.0]), torch.randn(2, 77, 24)
    assert relative_error(unet(x, t, text), peer(x, t, text).sample) <= 1e-5


def test_both_attention_implementations_agree():
    unet, inputs = random_unet(SMALL), (torch.randn(1, 4, 8, 8), torch.tensor([10.0]), torch.randn(1, 77, 24))
    fused = unet(*inputs)
    attention.use_implementation("matmul")
    try:
        plain = unet(*inputs)
    finally:
        attention.use_implementation("sdpa")
    assert relative_error(plain, fused) <= 1e-5


def test_a_replaced_forward_of_text_attention_is_used():
    unet, inputs = random_unet(SMALL), (torch.randn(1, 4, 8, 8), torch.tensor([10.0]), torch.randn(1, 77, 24))
    before, calls = unet(*inputs), []
    for name, module in unet.named_modules():
        if name.endswith("attn2") and isinstance(module, CrossAttention):
            module.forward = lambda x, context=None, mask=None, **_: calls.append(context.shape) or torch.zeros_like(x)
    assert not torch.equal(unet(*inputs), before)
    assert len(calls) == 2 + 2 + 1 + 3 + 3 and set(calls) == {(1, 77, 24)}


def test_a_forward_hook_on_a_residual_block_fires_once_a_call():
    unet, seen = random_unet(SMALL), []
    block = next(m for m in unet.modules() if isinstance(m, ResBlock))
    block.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    unet(torch.randn(1, 4, 8, 8), torch.tensor([10.0]), torch.randn(1, 77, 24))
    assert seen == [(1, 32, 8, 8)]


def test_timestep_embedding_is_cosines_then_sines():
    embedding = timestep_embedding(torch.tensor([0.0, 2.0]), 4)
    expected = torch.tensor([[1, 1, 0, 0], [np.cos(2), np.cos(0.02), np.sin(2), np.sin(0.02)]])
    assert torch.allclose(embedding, expected.float(), atol=1e-6)


def test_on_the_meta_device_sd15_has_its_860_million_weights_and_no_memory():
    with on_meta():
        unet = UNetModel(SD1.unet)
    assert sum(p.numel() for p in unet.parameters()) == 859_520_964
    assert all(p.is_meta for p in unet.parameters())
