"""What network a file holds: sizes from keys and shapes, the rest from its metadata, a yaml beside it, or the family's standard."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.checkpoints.problems import DOWNLOAD_AGAIN, WeightsError
from modules.nn.clip_text import ClipTextConfig
from modules.nn.families import Architecture, UNetConfig, VaeConfig

Shapes = Mapping[str, tuple[int, ...]]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT = "cond_stage_model.transformer.text_model."
MAX_YAML_BYTES = 1 << 20

# A key, or its beginning, that only this kind of file has -> what the file is, and what to do about it.
FOREIGN = (
    ("conditioner.embedders.", "a Stable Diffusion XL checkpoint", "Only Stable Diffusion 1 checkpoints can be used so far."),
    ("cond_stage_model.model.", "a Stable Diffusion 2 checkpoint", "Only Stable Diffusion 1 checkpoints can be used so far."),
    ("model.diffusion_model.joint_blocks.", "a Stable Diffusion 3 checkpoint", "Choose a Stable Diffusion 1 checkpoint."),
    ("model.diffusion_model.double_blocks.", "a Flux checkpoint", "Choose a Stable Diffusion 1 checkpoint."),
    ("double_blocks.", "a Flux model", "Choose a Stable Diffusion 1 checkpoint."),
    ("lora_", "a LoRA", "Put it into the folder models/Lora and name it in the prompt."),
    ("control_model.", "a ControlNet", "Choose a Stable Diffusion checkpoint."),
    ("emb_params", "an embedding (textual inversion)", "Put it into the folder embeddings and name it in the prompt."),
    ("string_to_param", "an embedding (textual inversion)", "Put it into the folder embeddings and name it in the prompt."),
    ("down_blocks.", "a U-Net or VAE in the layout of diffusers", "Choose a single-file checkpoint."),
    ("decoder.conv_in.", "a VAE", "Put it into the folder models/VAE and choose it as SD VAE."),
    ("text_model.", "a text encoder alone", "Choose a complete checkpoint."),
)


def detect(path: Path, shapes: Shapes, metadata: Mapping[str, str]) -> Architecture:
    """The architecture of the checkpoint at `path` with these tensors. Raises WeightsError where it is none that is known."""
    _refuse_foreign(path, shapes)
    try:
        stated = _stated(path, metadata)
        return Architecture(
            unet=_unet(shapes, stated), vae=_vae(shapes, stated), text=_text(shapes, stated),
            parameterization=_one_of(stated, "parameterization", ("eps", "v"), "eps"),
            scale_factor=_number(stated, "scale_factor", 0.18215), linear_start=_number(stated, "linear_start", 0.00085),
            linear_end=_number(stated, "linear_end", 0.012), timesteps=_count(stated, "timesteps", 1000),
            native_size_px=_count(stated, "native_size", 512))
    except KeyError as error:
        raise WeightsError(path, f"It is not complete: the tensor {error.args[0]} is missing.", "Choose a complete checkpoint.") from error
    except (ValueError, IndexError) as error:
        raise WeightsError(path, f"Its sizes are not those of a Stable Diffusion 1 network: {error}.", "Choose another file.") from error


def _refuse_foreign(path: Path, shapes: Shapes) -> None:
    has_unet = UNET + "input_blocks.0.0.weight" in shapes
    if has_unet and any(key.startswith("cond_stage_model.transformer.") for key in shapes):
        return
    for beginning, kind, remedy in FOREIGN:
        if any(key.startswith(beginning) for key in shapes):
            raise WeightsError(path, f"It looks like {kind}.", remedy)
    if has_unet:
        raise WeightsError(path, "Its text encoder is missing.", "Choose a complete checkpoint.")
    some = ", ".join(sorted(shapes)[:3]) or "none"
    raise WeightsError(path, f"It is not a Stable Diffusion checkpoint; its tensors are called {some[:200]}.", "Choose another file.")


def _unet(shapes: Shapes, stated: Mapping[str, Any]) -> UNetConfig:
    first = shapes[UNET + "input_blocks.0.0.weight"]
    width = first[0]
    levels = _levels(shapes, width)
    counts = {len(level) for level in levels}
    if len(counts) != 1:
        raise ValueError("levels of its U-Net have different numbers of blocks")
    mults = tuple(level[-1][0] // width for level in levels)
    attention = tuple(number for number, level in enumerate(levels) if level[0][1])
    transformers = [key for key in shapes if key.startswith(UNET) and key.endswith("transformer_blocks.0.attn2.to_k.weight")]
    deepest = max((int(m[1]) for key in shapes if (m := re.search(r"middle_block\.1\.transformer_blocks\.(\d+)\.", key))), default=0)
    config = UNetConfig(
        in_channels=first[1], out_channels=shapes[UNET + "out.2.weight"][0], model_channels=width, channel_mult=mults,
        num_res_blocks=counts.pop(), attention_levels=attention, transformer_depth=deepest + 1,
        context_dim=shapes[transformers[0]][1] if transformers else 768,
        num_heads=_count(stated, "unet.num_heads", 8), norm_groups=_count(stated, "unet.norm_num_groups", 32))
    _refuse_uneven("unet.num_heads", config.num_heads, [width * m for m in mults])
    _refuse_uneven("unet.norm_num_groups", config.norm_groups, [width, *(width * m for m in mults)])
    return config


def _levels(shapes: Shapes, width: int) -> list[list[tuple[int, bool]]]:
    """For each size of feature map, its blocks on the way down as (channels, has a transformer)."""
    levels: list[list[tuple[int, bool]]] = [[]]
    for number in range(1, 1000):
        block = f"{UNET}input_blocks.{number}."
        if block + "0.op.weight" in shapes:
            levels.append([])
        elif block + "0.in_layers.2.weight" in shapes:
            levels[-1].append((shapes[block + "0.in_layers.2.weight"][0], block + "1.norm.weight" in shapes))
        else:
            break
    if not all(levels) or any(channels % width for level in levels for channels, _ in level):
        raise ValueError("the blocks of its U-Net have an order that is not known")
    return levels


def _vae(shapes: Shapes, stated: Mapping[str, Any], prefix: str = VAE) -> VaeConfig:
    first, quant = shapes[prefix + "encoder.conv_in.weight"], shapes[prefix + "post_quant_conv.weight"]
    ch, blocks = first[0], 0
    mults: list[int] = []
    while f"{prefix}encoder.down.{len(mults)}.block.0.conv1.weight" in shapes:
        channels = shapes[f"{prefix}encoder.down.{len(mults)}.block.0.conv1.weight"][0]
        mults.append(channels // ch)
    while f"{prefix}encoder.down.0.block.{blocks}.conv1.weight" in shapes:
        blocks += 1
    config = VaeConfig(
        image_channels=first[1], ch=ch, ch_mult=tuple(mults), num_res_blocks=blocks, z_channels=quant[0], embed_dim=quant[1],
        norm_groups=_count(stated, "vae.norm_num_groups", 32))
    _refuse_uneven("vae.norm_num_groups", config.norm_groups, [ch, *(ch * m for m in mults)])
    return config


def _text(shapes: Shapes, stated: Mapping[str, Any]) -> ClipTextConfig:
    tokens, positions = shapes[TEXT + "embeddings.token_embedding.weight"], shapes[TEXT + "embeddings.position_embedding.weight"]
    layers = 0
    while f"{TEXT}encoder.layers.{layers}.mlp.fc1.weight" in shapes:
        layers += 1
    config = ClipTextConfig(
        vocab_size=tokens[0], hidden_size=tokens[1], intermediate_size=shapes[TEXT + "encoder.layers.0.mlp.fc1.weight"][0],
        num_hidden_layers=layers, max_position_embeddings=positions[0],
        num_attention_heads=_count(stated, "text.num_attention_heads", max(tokens[1] // 64, 1)),
        hidden_act=_one_of(stated, "text.hidden_act", ("quick_gelu", "gelu"), "quick_gelu"))
    _refuse_uneven("text.num_attention_heads", config.num_attention_heads, [config.hidden_size])
    return config


def _refuse_uneven(name: str, parts: int, widths: list[int]) -> None:
    for width in widths:
        if width % parts:
            raise ValueError(f"{name} is {parts}, which does not divide its width {width}")


def _stated(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """What metadata or yaml say, under flat names ("unet.num_heads")."""
    if "architecture" in metadata:
        try:
            content = json.loads(metadata["architecture"])
        except (ValueError, RecursionError) as error:
            raise WeightsError(path, "The key architecture in its metadata is not JSON.", DOWNLOAD_AGAIN) from error
        return _from_metadata(content) if isinstance(content, dict) else {}
    for suffix in (".yaml", ".yml"):
        if path.with_suffix(suffix).is_file():
            return _from_yaml(read_yaml(path, path.with_suffix(suffix)))
    return {}


def _from_metadata(content: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": inner_value for inner, inner_value in value.items()})
        else:
            flat[key] = value
    if "prediction" in flat:
        flat["parameterization"] = flat["prediction"]
    return flat


def read_yaml(path: Path, beside: Path) -> dict[str, Any]:
    """The mapping in a model's yaml file. Raises WeightsError naming the yaml."""
    import yaml

    try:
        if beside.stat().st_size > MAX_YAML_BYTES:
            raise WeightsError(path, f"{beside.name} beside it is larger than {MAX_YAML_BYTES >> 20} MB.", "Remove that file.")
        content = yaml.safe_load(beside.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise WeightsError(path, f"{beside.name} beside it cannot be read.", "Correct or remove that file.") from error
    return content if isinstance(content, dict) else {}


def _from_yaml(content: dict[str, Any]) -> dict[str, Any]:
    """The settings that shapes cannot tell, from the usual layout model.params.<part>.params."""
    params = _inside(content, "model", "params")
    unet = _inside(params, "unet_config", "params")
    text = _inside(params, "cond_stage_config", "params")
    found = {
        **{name: params.get(name) for name in ("parameterization", "scale_factor", "linear_start", "linear_end", "timesteps")},
        "unet.num_heads": unet.get("num_heads"), "unet.norm_num_groups": unet.get("norm_num_groups"),
        "vae.norm_num_groups": _inside(params, "first_stage_config", "params", "ddconfig").get("norm_num_groups"),
        "text.num_attention_heads": text.get("num_attention_heads"), "text.hidden_act": text.get("hidden_act"),
        "native_size": params.get("native_size"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _inside(content: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def _count(stated: Mapping[str, Any], name: str, default: int) -> int:
    value = stated.get(name, default)
    # num_heads is -1 in files that state the width of a head instead; those are not of this family.
    if type(value) is not int or not 1 <= value <= 1 << 16:
        raise ValueError(f"{name} is given as {str(value)[:40]}")
    return value


def _number(stated: Mapping[str, Any], name: str, default: float) -> float:
    value = stated.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
        raise ValueError(f"{name} is given as {str(value)[:40]}")
    return float(value)


def _one_of(stated: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str) -> Any:
    value = stated.get(name, default)
    if value not in choices:
        raise ValueError(f"{name} is given as {str(value)[:40]}")
    return value
