"""The parameters of one picture as infotext."""
from __future__ import annotations

from typing import Any

from modules import runtime
from modules.generation.base import StableDiffusionProcessing
from modules.imaging import infotext
from modules.version import version_text


def parameters(p: StableDiffusionProcessing, index: int) -> dict[str, Any]:
    """Infotext keys and values of picture `index`, in the order of the format; None and empty values are left out by the writer."""
    opts = runtime.current().settings
    checkpoint = p.sd_model.checkpoint
    strength = p.subseed_strength
    resized = p.seed_resize_from_w > 0 and p.seed_resize_from_h > 0
    return {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "Schedule type": p.scheduler if p.scheduler not in (None, "", "Automatic") else None,
        "CFG scale": p.cfg_scale,
        "Seed": p.all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        "Model hash": checkpoint.short_hash if opts.add_model_hash_to_info else None,
        "Model": checkpoint.model_name if opts.add_model_name_to_info else None,
        "Variation seed": p.all_subseeds[index] if strength else None,
        "Variation seed strength": strength or None,
        "Seed resize from": f"{p.seed_resize_from_w}x{p.seed_resize_from_h}" if resized else None,
        "Denoising strength": p.denoising_strength,
        "Clip skip": opts.CLIP_stop_at_last_layers if opts.CLIP_stop_at_last_layers > 1 else None,
        "ENSD": opts.eta_noise_seed_delta or None,
        "RNG": opts.randn_source if opts.randn_source != "GPU" else None,
        **(p.extra_generation_params or {}),
        "Version": version_text() if opts.add_version_to_infotext else None,
    }


def create_infotext(p: StableDiffusionProcessing, index: int) -> str:
    """The whole text stored with picture `index`: prompt, negative prompt, parameters."""
    return infotext.write(p.all_prompts[index], p.all_negative_prompts[index], parameters(p, index))
