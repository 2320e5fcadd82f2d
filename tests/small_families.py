"""Every family of networks at a fraction of its width, as models and as files."""
import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from modules.nn.families import REFINER, SD1, SD2, SDXL, Architecture, BlockDepths, Family, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import SCHEDULE_NAMES, LatentDiffusion

_UNET = {"model_channels": 16, "num_res_blocks": 1, "norm_groups": 8}
_VAE = VaeConfig(ch=8, ch_mult=(1, 1, 2, 2), num_res_blocks=1, norm_groups=4)
_TEXT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
_SECOND = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 4, "num_attention_heads": 3}


def _unet(row: UNetConfig, **changes) -> UNetConfig:
    return replace(row, **_UNET, **changes)


SMALL: dict[Family, Architecture] = {
    "sd1": replace(
        SD1, vae=_VAE, text=replace(SD1.text, **_TEXT), native_size_px=64,
        unet=_unet(SD1.unet, channel_mult=(1, 2), attention_levels=(0, 1), num_heads=4, context_dim=16)),
    "sd2": replace(
        SD2, vae=_VAE, text=replace(SD2.text, **_TEXT, projection_dim=16), native_size_px=64,
        unet=_unet(SD2.unet, channel_mult=(1, 2), attention_levels=(0, 1), head_width=8, context_dim=16)),
    "sdxl": replace(
        SDXL, vae=_VAE, text=replace(SDXL.text, **_TEXT), second_text=replace(SDXL.second_text, **_SECOND, projection_dim=24),
        native_size_px=64,
        unet=_unet(SDXL.unet, channel_mult=(1, 2, 4), attention_levels=(1, 2), transformer_depth=(1, 2), head_width=8, context_dim=40,
                   vector_dim=24 + 6 * 8)),
    "refiner": replace(
        REFINER, vae=_VAE, text=replace(REFINER.text, **_SECOND, projection_dim=24), native_size_px=64,
        unet=_unet(REFINER.unet, channel_mult=(1, 2, 4), attention_levels=(1,), transformer_depth=2, head_width=8, context_dim=24,
                   vector_dim=24 + 5 * 8)),
}
# SDXL as it is distilled: fewer transformer blocks here and there, a single residual block in the middle.
DISTILLED = replace(SMALL["sdxl"], unet=replace(
    SMALL["sdxl"].unet, num_res_blocks=2, transformer_depth=(2, 3),
    block_depths=BlockDepths(down=(0, 0, 1, 1, 2, 2), middle=None, up=(2, 2, 3, 2, 1, 1, 0, 0, 0))))


def model_of(architecture: Architecture, seed: int = 0) -> LatentDiffusion:
    """A model of random weights of a size that lets every part count."""
    model = LatentDiffusion(architecture).requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        spread = 0.3 if parameter.ndim < 2 else 1.0 / parameter[0].numel() ** 0.5
        centre = 1.0 if parameter.ndim == 1 and name.endswith("weight") else 0.0
        parameter.copy_(centre + spread * torch.randn(parameter.shape, generator=generator))
    return model


def metadata_of(architecture: Architecture) -> dict[str, str]:
    """What a file of this architecture has to say of itself, since its widths are not those of the family."""
    said = {
        "prediction": architecture.parameterization, "native_size": architecture.native_size_px,
        "unet": {"norm_num_groups": architecture.unet.norm_groups}, "vae": {"norm_num_groups": architecture.vae.norm_groups},
        "text": {"num_attention_heads": architecture.text.num_attention_heads}}
    heads = architecture.unet.head_width
    said["unet"] |= {"num_heads": architecture.unet.num_heads} if heads is None else {"head_width": heads}
    if architecture.second_text:
        said["second_text"] = {"num_attention_heads": architecture.second_text.num_attention_heads}
    return {"architecture": json.dumps(said)}


def write_small(path: Path, architecture: Architecture, seed: int = 0, dtype: torch.dtype = torch.float32) -> Path:
    """A file of this architecture with the weights of `model_of`; its text encoders have small vocabularies too."""
    tensors = {name: tensor.to(dtype).contiguous() for name, tensor in model_of(architecture, seed).state_dict().items()
               if name not in SCHEDULE_NAMES}
    save_file(tensors, path, metadata_of(architecture))
    return path
