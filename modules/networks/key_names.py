"""Names that files of other programs use for parameters, in terms of ours."""
from __future__ import annotations

import re

from torch import nn

from modules.nn.latent_diffusion import LatentDiffusion

_UNET = "model.diffusion_model."
_TEXT = "cond_stage_model.transformer."
_RES_PARTS = {
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2", "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut"}
_ENDS = {
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2", "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out", "out.2": "conv_out"}
_MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}


def diffusers_name(module: str, num_res_blocks: int) -> str:
    """The name that diffusers gives to a module of our U-Net; `module` without "model.diffusion_model."."""
    if module in _ENDS:
        return _ENDS[module]
    parts = re.fullmatch(r"(input_blocks|output_blocks|middle_block)\.(\d+)(?:\.(\d+))?(?:\.(.*))?", module)
    if parts is None:
        return module
    side, first, second, rest = parts.groups()
    if side == "middle_block":
        inner = ".".join(part for part in (second, rest) if part)
        return _joined("mid_block", _MIDDLE.get(first, first), _within_block(inner))
    per_level = num_res_blocks + 1
    level, number = divmod(int(first) - (side == "input_blocks"), per_level)
    place = f"{'down' if side == 'input_blocks' else 'up'}_blocks.{level}"
    if rest == "op":
        return f"{place}.downsamplers.0.conv"
    if rest == "conv":
        return f"{place}.upsamplers.0.conv"
    return _joined(place, f"{'resnets' if second == '0' else 'attentions'}.{number}", _within_block(rest or ""))


def _within_block(rest: str) -> str:
    return _RES_PARTS.get(rest, rest)


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def kohya_names(model: LatentDiffusion) -> dict[str, str]:
    """Module names in LoRA files of the kohya kind -> names of our modules with a weight matrix (linear or convolution).

    The U-Net's modules appear under the names of diffusers and under ours ("lora_unet_down_blocks_0_…", "lora_unet_input_blocks_1_…").
    """
    names: dict[str, str] = {}
    blocks = model.architecture.unet.num_res_blocks
    for full, module in model.named_modules():
        if not isinstance(module, (nn.Linear, nn.Conv2d)):
            continue
        if full.startswith(_UNET):
            inner = full.removeprefix(_UNET)
            for name in (inner, diffusers_name(inner, blocks)):
                names["lora_unet_" + name.replace(".", "_")] = full
        elif full.startswith(_TEXT):
            names["lora_te_" + full.removeprefix(_TEXT).replace(".", "_")] = full
    return names
