"""What the keys of a file of small networks say: which module, and which tensor of its change."""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

# How keys end -> short name of the tensor, the longer endings first.
_ENDINGS: dict[str, str] = {
    # kohya's sd-scripts and LyCORIS
    ".lora_up.weight": "up", ".lora_down.weight": "down", ".lora_mid.weight": "mid",
    # diffusers, before and after it took over peft's names
    ".lora_linear_layer.up.weight": "up", ".lora_linear_layer.down.weight": "down", ".lora_linear_layer.alpha": "alpha",
    "_lora.up.weight": "up", "_lora.down.weight": "down", "_lora.alpha": "alpha",
    ".lora.up.weight": "up", ".lora.down.weight": "down", ".lora.alpha": "alpha",
    ".lora_B.weight": "up", ".lora_A.weight": "down",
    ".lora_magnitude_vector.weight": "magnitude", ".lora_magnitude_vector": "magnitude",
    **{f".{name}.weight": name for name in ("a1", "a2", "b1", "b2")},
    **{f".{name}": name for name in (
        "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2",
        "lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b", "lokr_w1", "lokr_w2", "lokr_t2",
        "oft_blocks", "rescale", "diff_b", "diff", "w_norm", "b_norm", "dora_scale", "alpha", "on_input", "weight")},
}
_PARTS_OF_A_PIPELINE = {
    "model.diffusion_model.": "lora_unet_", "diffusion_model.": "lora_unet_", "unet.": "lora_unet_",
    "text_encoder_2.": "lora_te2_", "text_encoder.": "lora_te_", "text_model.": "lora_te_text_model_"}
# Early files of diffusers name the layers of the text encoder as those of the U-Net.
_TEXT_ATTENTION = {"_to_q": "_q_proj", "_to_k": "_k_proj", "_to_v": "_v_proj", "_to_out": "_out_proj"}


@dataclass(frozen=True, kw_only=True)
class FileKey:
    """module: as kohya writes it, "lora_unet_…", "lora_te_…"; tensor: the short name."""

    module: str
    tensor: str


def read_key(key: str) -> FileKey | None:
    """What a key means; None for one that ends in no known way."""
    # The name of peft's adapter, where it was saved with it.
    key = re.sub(r"\.default(_\d+)?(?=\.|$)", "", key).replace("base_model.model.", "")
    for ending, tensor in _ENDINGS.items():
        if key.endswith(ending) and len(key) > len(ending):
            return FileKey(module=kohya_module(key.removesuffix(ending)), tensor=tensor)
    return None


def kohya_module(module: str) -> str:
    """"unet.down_blocks.0.…" as "lora_unet_down_blocks_0_…"; names of kohya stay. Without any prefix it is the U-Net's."""
    if module.startswith("lora_"):
        return module
    found = next((prefix for prefix in _PARTS_OF_A_PIPELINE if module.startswith(prefix)), "")
    part = _PARTS_OF_A_PIPELINE.get(found, "lora_unet_")
    flat = part + module.removeprefix(found).replace(".processor", "").replace(".", "_")
    if part != "lora_unet_":
        for theirs, ours in _TEXT_ATTENTION.items():
            flat = re.sub(theirs + "$", ours, flat)
    return flat


def adapter_alpha(metadata: Mapping[str, str], module: str, rank: int) -> float | None:
    """alpha of a module from the notes that diffusers writes into the header of a file; None where nothing is said.

    Raises nothing: notes that cannot be read say nothing.
    """
    try:
        notes = json.loads(metadata.get("lora_adapter_metadata") or "{}")
    except ValueError:
        return None
    part = next((part for part in ("text_encoder_2", "text_encoder", "unet") if module.startswith(kohya_module(part + "."))), None)
    if not isinstance(notes, dict) or part is None:
        return None
    alpha = notes.get(f"{part}.lora_alpha")
    patterns = notes.get(f"{part}.alpha_pattern")
    for pattern, value in (patterns if isinstance(patterns, dict) else {}).items():
        if module.endswith("_" + pattern.replace(".", "_")):
            alpha = value
    if not isinstance(alpha, int | float):
        return None
    # Kalajdzievski 2023 (arXiv:2312.03732): alpha over the root of the rank.
    return alpha * rank**0.5 if notes.get(f"{part}.use_rslora") else alpha
