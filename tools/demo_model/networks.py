"""The demo model's networks: their sizes, and the weights that training begins with."""
from dataclasses import asdict

import torch
from torch import nn

from modules.nn import attention, unet, vae
from modules.nn.clip_text import ClipTextConfig, ClipTextModel
from modules.nn.families import Architecture, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import LatentDiffusion

# GroupNorm groups are not 32: with widths this small that would be instance norm, which cannot keep the mean colour.
ARCHITECTURE = Architecture(
    unet=UNetConfig(model_channels=48, channel_mult=(1, 2, 2, 1), num_heads=3, context_dim=64, norm_groups=8),
    vae=VaeConfig(ch=16, ch_mult=(1, 2, 4, 6), num_res_blocks=1, norm_groups=4),
    text=ClipTextConfig(hidden_size=64, intermediate_size=256, num_hidden_layers=4, num_attention_heads=4),
    native_size_px=128,
)
SCALE = ARCHITECTURE.scale_factor


def new_model() -> LatentDiffusion:
    """The model with the weights that training begins with. Attention is set to plain products: they train faster on a CPU."""
    attention.use_implementation("matmul")
    model = LatentDiffusion(ARCHITECTURE)
    start_unet(model.model.diffusion_model)
    start_autoencoder(model.first_stage_model)
    start_text(model.cond_stage_model.transformer)
    return model


@torch.no_grad()
def start_unet(network: unet.UNetModel) -> None:
    """Residual branches that add nothing yet, and a prediction of zero."""
    for part in network.modules():
        if isinstance(part, unet.ResBlock):
            zero(part.out_layers[3])
        elif isinstance(part, attention.SpatialTransformer):
            zero(part.proj_out)
    zero(network.out[2])


@torch.no_grad()
def start_autoencoder(network: vae.AutoencoderKL) -> None:
    """Averages on the way in, repeated pixels on the way out: from there a hundred steps do what took five hundred."""
    for part in network.modules():
        if isinstance(part, vae.ResnetBlock):
            zero(part.conv2)
        elif isinstance(part, vae.AttnBlock):
            zero(part.proj_out)
        elif isinstance(part, vae.Downsample):
            nn.init.zeros_(part.conv.weight)
            for i in range(part.conv.weight.shape[0]):
                part.conv.weight[i, i, :2, :2] = 0.25
        elif isinstance(part, vae.Upsample):
            nn.init.dirac_(part.conv.weight)
    for part in (network.quant_conv, network.post_quant_conv):
        nn.init.dirac_(part.weight)
        nn.init.zeros_(part.bias)


@torch.no_grad()
def start_text(network: ClipTextModel) -> None:
    """Small random weights whose size falls with width and depth (Radford et al. 2021, as in GPT-2)."""
    width, layers = network.config.hidden_size, network.config.num_hidden_layers
    into_residual = width ** -0.5 * (2 * layers) ** -0.5
    for name, weight in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(weight)
        elif "embedding" in name:
            nn.init.normal_(weight, std=0.02)
        elif name.endswith(("q_proj.weight", "k_proj.weight", "v_proj.weight", "fc2.weight")):
            nn.init.normal_(weight, std=into_residual)
        elif name.endswith("out_proj.weight"):
            nn.init.normal_(weight, std=width ** -0.5)
        elif name.endswith("fc1.weight"):
            nn.init.normal_(weight, std=(2 * width) ** -0.5)


def zero(layer: nn.Module) -> None:
    for weight in layer.parameters():
        nn.init.zeros_(weight)


def described() -> dict:
    """What a loader needs to know and cannot read from the file's keys and shapes; written into its metadata."""
    sizes, autoencoder, text = asdict(ARCHITECTURE.unet), asdict(ARCHITECTURE.vae), asdict(ARCHITECTURE.text)
    text.pop("layer_norm_eps")  # CLIP always has the same
    sizes["norm_num_groups"] = sizes.pop("norm_groups")
    autoencoder["norm_num_groups"] = autoencoder.pop("norm_groups")
    return {
        "format": "sd1-ldm", "prediction": ARCHITECTURE.parameterization, "scale_factor": SCALE,
        "linear_start": ARCHITECTURE.linear_start, "linear_end": ARCHITECTURE.linear_end, "timesteps": ARCHITECTURE.timesteps,
        "native_size": ARCHITECTURE.native_size_px,
        "unet": {key: sizes[key] for key in ("in_channels", "out_channels", "model_channels", "channel_mult", "num_res_blocks",
                                             "attention_levels", "num_heads", "context_dim", "norm_num_groups")},
        "vae": {key: autoencoder[key] for key in ("ch", "ch_mult", "num_res_blocks", "z_channels", "norm_num_groups")},
        "text": {**text, "projection_dim": 64, "eos_token_id": 49407, "bos_token_id": 49406, "pad_token_id": 49407},
    }
