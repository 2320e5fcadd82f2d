"""The parameters of one picture as infotext."""
from __future__ import annotations

from typing import Any

from modules import runtime
from modules.checkpoints.files import CheckpointInfo
from modules.errors import UserError, report
from modules.generation import provenance
from modules.generation.base import StableDiffusionProcessing
from modules.generation.effects import is_tiling, merging_ratio
from modules.generation.live_sampler import row_of
from modules.generation.passes import effective
from modules.imaging import infotext
from modules.imaging.save import remember_parameters
from modules.version import version_text

CODEFORMER = "CodeFormer"


def parameters(p: StableDiffusionProcessing, seed: int, subseed: int) -> dict[str, Any]:
    """Infotext keys and values of the picture with this seed, in the order of the format; None and "" are left out."""
    opts = runtime.current().settings
    checkpoint = p.checkpoint
    strength = p.subseed_strength
    resized = p.seed_resize_from_w > 0 and p.seed_resize_from_h > 0
    return {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "Schedule type": p.scheduler if p.scheduler not in (None, "", "Automatic") else None,
        "CFG scale": p.cfg_scale,
        "Image CFG scale": getattr(p, "image_cfg_scale", None) if p.follows_instructions else None,
        "Seed": seed,
        "Face restoration": p.face_restorer,
        "Size": f"{p.width}x{p.height}",
        "Model hash": (checkpoint.short_hash or checkpoint.wait_for_hash()[:10]) if opts.add_model_hash_to_info else None,
        "Model": checkpoint.model_name if opts.add_model_name_to_info else None,
        **vae_parameters(),
        "Variation seed": subseed if strength else None,
        "Variation seed strength": strength or None,
        "Variation chain": p.variations.strip() or None,
        "Seed resize from": f"{p.seed_resize_from_w}x{p.seed_resize_from_h}" if resized else None,
        "Denoising strength": p.denoising_strength,
        "Conditional mask weight": opts.inpainting_mask_weight if p.is_using_inpainting_conditioning else None,
        "Clip skip": opts.CLIP_stop_at_last_layers if opts.CLIP_stop_at_last_layers > 1 else None,
        "ENSD": opts.eta_noise_seed_delta or None,
        "Token merging ratio": merging_ratio(p) or None,
        "Token merging ratio hr": merging_ratio(p, for_hr=True) or None if getattr(p, "enable_hr", False) else None,
        "Init image hash": getattr(p, "init_img_hash", None),
        "RNG": opts.randn_source if opts.randn_source != "GPU" else None,
        "NGMS": effective(p, "s_min_uncond") or None,
        "Tiling": is_tiling(p) or None,
        "CodeFormer weight": opts.code_former_weight if p.face_restorer == CODEFORMER else None,
        **option_parameters(p),
        **(p.extra_generation_params or {}),
        "Version": version_text() if opts.add_version_to_infotext else None,
        "User": p.user or None if opts.add_user_name_to_info else None,
    }


def vae_parameters() -> dict[str, str]:
    """Name and hash of the VAE file in use; nothing while it is the checkpoint's own."""
    rt = runtime.current()
    if (vae := rt.models.vae_file) is None:
        return {}
    path, state = vae
    return {"VAE hash": rt.checkpoints.hashes.compute(path, state)[:10], "VAE": path.name}


# Settings that `parameters` writes itself, in their place.
WRITTEN_ABOVE = frozenset({"sd_model_checkpoint", "sd_vae", "inpainting_mask_weight", "CLIP_stop_at_last_layers", "eta_noise_seed_delta",
                           "randn_source", "s_min_uncond", "tiling", "token_merging_ratio", "token_merging_ratio_hr",
                           "face_restoration_model", "code_former_weight"})

# Settings that only some samplers read, and the option by which the sampler's row names them.
SAMPLER_SETTINGS = {name: name for name in ("s_churn", "s_tmin", "s_tmax", "s_noise", "uni_pc_variant", "uni_pc_skip_type", "uni_pc_order",
                                            "uni_pc_lower_order_final")} | {"eta_ancestral": "eta", "eta_ddim": "eta"}

# Settings that only a pass over an existing latent reads.
SECOND_PASS_SETTINGS = frozenset({"img2img_extra_noise"})


def option_parameters(p: StableDiffusionProcessing) -> dict[str, Any]:
    """Every other setting that the picture depends on and that is not at its default."""
    found = {}
    for key, option in runtime.current().settings.data_labels.items():
        if option.affects_picture and option.infotext and key not in WRITTEN_ABOVE:
            value = value_that_counts(p, key)
            if value is not None and value != option.default:
                found[option.infotext] = value
    return found


def value_that_counts(p: StableDiffusionProcessing, key: str) -> Any:
    """The value of the setting `key` in this run, or None where its sampler or its passes do not read it."""
    if key in SECOND_PASS_SETTINGS and not p.denoising_strength:
        return None
    if key == "initial_noise_multiplier":
        return getattr(p, key, None)
    name = SAMPLER_SETTINGS.get(key)
    if name is not None:
        row = row_of(p.sampler)
        if name not in row.options:
            return None
        if name == "eta" and (row.kind == "timestep") != (key == "eta_ddim"):
            return None
        own = getattr(p, name, None)
        if own is not None:
            return own
    return getattr(runtime.current().settings, key)


def named_with_hash(info: CheckpointInfo) -> str:
    """A further checkpoint of a picture as infotexts name it: with the beginning of its hash as soon as that is known."""
    return f"{info.model_name} [{info.short_hash}]" if info.short_hash else info.model_name


def create_infotext(p: StableDiffusionProcessing, all_prompts: list[str], all_seeds: list[int], all_subseeds: list[int], comments=None,
                    iteration: int = 0, position_in_batch: int = 0, use_main_prompt: bool = False, index: int | None = None,
                    all_negative_prompts: list[str] | None = None, is_result: bool = True) -> str:
    """The whole text stored with a picture: prompt, negative prompt, parameters.

    The picture is `index`, or where that is None number `position_in_batch` of batch `iteration`. What is needed to make it again
    is added for single pictures that are results.
    """
    if index is None:
        index = position_in_batch + iteration * p.batch_size
    negatives = all_negative_prompts or p.all_negative_prompts
    prompt = p.main_prompt if use_main_prompt and not p.styles else all_prompts[index]
    negative = negatives[index] if negatives else ""
    fields = parameters(p, all_seeds[index], all_subseeds[index])
    if is_result and not use_main_prompt and runtime.current().settings.add_replay_to_infotext:
        fields[provenance.KEY] = provenance.provenance(p, index, prompt, negative)
    resolved = {key: of_picture(value, p, index, prompt, negative) for key, value in fields.items()}
    return infotext.write(prompt, negative, resolved)


def of_picture(value: Any, p: StableDiffusionProcessing, index: int, prompt: str, negative: str) -> Any:
    """A parameter as it is for one picture: scripts may give a list with a value for each, or a function to ask."""
    if isinstance(value, list):
        return value[index] if index < len(value) else None
    return value(p=p, index=index, prompt_text=prompt, negative_prompt_text=negative) if callable(value) else value


def write_last_parameters(p: StableDiffusionProcessing) -> None:
    """Keep the parameters of the run where an empty prompt box finds them (params.txt)."""
    rt = runtime.current()
    text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, index=0, all_negative_prompts=p.all_negative_prompts)
    try:
        remember_parameters(rt.folders.params_file, text)
    except UserError as error:  # a convenience; a full disk is told when a picture needs it
        report(f"{rt.folders.params_file.name} could not be written", error)
