"""Names that files of other programs use for parameters, in terms of ours."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from modules.nn.latent_diffusion import UNET, LatentDiffusion
from modules.nn.open_clip_text import OpenClipConditioner

_RES_PARTS = {
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2", "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut"}
_ENDS = {
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2", "input_blocks.0.0": "conv_in",
    "time_embed.cond_proj": "time_embedding.cond_proj", "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2", "out.0": "conv_norm_out", "out.2": "conv_out"}
_MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
# The parts of a text encoder in the layout of open_clip, and what transformers (and with it kohya) calls them.
_OPEN_CLIP_PARTS = {
    "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2", "ln_1": "layer_norm1", "ln_2": "layer_norm2"}
_ADJUSTABLE = (nn.Linear, nn.Conv2d, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The parameters behind a name. third: which third of their rows (0, 1 or 2), where queries, keys and values stand in one matrix."""

    weight: str
    bias: str
    third: int | None = None

    def rows(self, parameter: Tensor) -> slice:
        """The rows of the parameter that the name means."""
        size = len(parameter) // 3
        return slice(None) if self.third is None else slice(self.third * size, (self.third + 1) * size)


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


def kohya_names(model: LatentDiffusion) -> dict[str, Target]:
    """Module names in files of the kohya kind -> parameters of our modules (linear layers, convolutions and norms).

    The U-Net's modules appear under the names of diffusers and under ours ("lora_unet_down_blocks_0_…", "lora_unet_input_blocks_1_…"),
    the first text encoder as "lora_te_…" and "lora_te1_…", the second as "lora_te2_…".
    """
    blocks = model.architecture.unet.num_res_blocks
    names: dict[str, Target] = {}
    for inner, target in _targets(model.model.diffusion_model, UNET):
        for name in (inner, diffusers_name(inner, blocks)):
            names["lora_unet_" + name.replace(".", "_")] = target
            if name.endswith("to_out.0"):
                # Files of diffusers leave out that the layer behind attention is the first of a row.
                names["lora_unet_" + name.removesuffix(".0").replace(".", "_")] = target
    places = {module: name for name, module in model.named_modules()}
    for encoder, kohya in zip(model.cond_stage_model.encoders, (("lora_te_", "lora_te1_"), ("lora_te2_",))):
        for name, target in _text_targets(encoder, places[encoder]):
            names.update({prefix + name.replace(".", "_"): target for prefix in kohya})
    return names


def _targets(network: nn.Module, prefix: str) -> Iterator[tuple[str, Target]]:
    """The modules of a network that can be adjusted, by their names in it."""
    for name, module in network.named_modules():
        if isinstance(module, _ADJUSTABLE):
            yield name, Target(weight=f"{prefix}{name}.weight", bias=f"{prefix}{name}.bias")


def _text_targets(encoder: nn.Module, place: str) -> Iterator[tuple[str, Target]]:
    """The modules of a text encoder, by the names of transformers ("text_model.encoder.layers.0.…")."""
    if not isinstance(encoder, OpenClipConditioner):
        yield from _targets(encoder.transformer, f"{place}.transformer.")
        return
    network, prefix = encoder.model, f"{place}.model."
    for name, target in _targets(network, prefix):
        if name == "ln_final":
            yield "text_model.final_layer_norm", target
            continue
        _, _, layer, part = name.split(".", 3)
        yield f"text_model.encoder.layers.{layer}.{_OPEN_CLIP_PARTS[part]}", target
    for number in range(len(network.transformer.resblocks)):
        joined = f"{prefix}transformer.resblocks.{number}.attn.in_proj_"
        for third, part in enumerate(("q_proj", "k_proj", "v_proj")):
            target = Target(weight=joined + "weight", bias=joined + "bias", third=third)
            yield f"text_model.encoder.layers.{number}.self_attn.{part}", target
