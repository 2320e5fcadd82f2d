"""The table of axes. API clients name axes by their place, so rows are only added at the end."""
from modules import sd_samplers, sd_schedulers, shared
from scripts.plots import axes
from scripts.plots.axes import AxisOption, AxisOptionImg2Img, AxisOptionTxt2Img, apply_field, apply_override, boolean_choice


def _switch(label, setting, reverse=False):
    return AxisOption(label, str, apply_override(setting, boolean=True), choices=boolean_choice(reverse))


def _sampler_names():
    return [sampler.name for sampler in sd_samplers.all_samplers]


def _schedule_labels():
    return [schedule.label for schedule in sd_schedulers.schedulers]


def _upscaler_names():
    return [*shared.latent_upscale_modes, *(upscaler.name for upscaler in shared.sd_upscalers)]


def _choices_of(setting):
    """The choices of a setting, none where it does not exist."""
    return lambda: axes.choices_of(shared.opts.data_labels.get(setting))


axis_options = [
    AxisOption("Nothing", str, axes.do_nothing, format_value=axes.format_nothing),
    AxisOption("Seed", int, apply_field("seed")),
    AxisOption("Var. seed", int, apply_field("subseed")),
    AxisOption("Var. strength", float, apply_field("subseed_strength")),
    AxisOption("Steps", int, apply_field("steps")),
    AxisOptionTxt2Img("Hires steps", int, apply_field("hr_second_pass_steps")),
    AxisOption("CFG Scale", float, apply_field("cfg_scale")),
    AxisOptionImg2Img("Image CFG Scale", float, apply_field("image_cfg_scale")),
    AxisOption("Prompt S/R", str, axes.apply_prompt, format_value=axes.format_value, confirm=axes.confirm_search),
    AxisOption("Prompt order", axes.str_permutations, axes.apply_order, format_value=axes.format_value_join_list,
               confirm=axes.confirm_order),
    AxisOption("Sampler", str, axes.apply_sampler, format_value=axes.format_sampler, confirm=axes.confirm_samplers, choices=_sampler_names),
    AxisOptionTxt2Img("Hires sampler", str, axes.apply_hires_sampler, confirm=axes.confirm_samplers, choices=_sampler_names),
    AxisOption("Checkpoint name", str, axes.apply_checkpoint, format_value=axes.format_remove_path, confirm=axes.confirm_checkpoints,
               cost=1.0, choices=axes.checkpoint_titles),
    AxisOption("Negative Guidance minimum sigma", float, apply_field("s_min_uncond")),
    AxisOption("Sigma Churn", float, apply_field("s_churn")),
    AxisOption("Sigma min", float, apply_field("s_tmin")),
    AxisOption("Sigma max", float, apply_field("s_tmax")),
    AxisOption("Sigma noise", float, apply_field("s_noise")),
    AxisOption("Schedule type", str, apply_field("scheduler"), choices=_schedule_labels),
    AxisOption("Schedule min sigma", float, apply_override("sigma_min")),
    AxisOption("Schedule max sigma", float, apply_override("sigma_max")),
    AxisOption("Schedule rho", float, apply_override("rho")),
    AxisOption("Eta", float, apply_field("eta")),
    AxisOption("Clip skip", int, apply_override("CLIP_stop_at_last_layers")),
    AxisOption("Denoising", float, apply_field("denoising_strength")),
    AxisOption("Initial noise multiplier", float, apply_field("initial_noise_multiplier")),
    AxisOption("Extra noise", float, apply_override("img2img_extra_noise")),
    AxisOptionTxt2Img("Hires upscaler", str, apply_field("hr_upscaler"), choices=_upscaler_names),
    AxisOptionImg2Img("Cond. Image Mask Weight", float, apply_override("inpainting_mask_weight")),
    AxisOption("VAE", str, apply_override("sd_vae"), cost=0.7, choices=_choices_of("sd_vae")),
    AxisOption("Styles", str, axes.apply_styles, confirm=axes.confirm_styles, choices=lambda: list(shared.prompt_styles.styles)),
    AxisOption("UniPC Order", int, axes.apply_uni_pc_order),
    AxisOption("Face restore", str, axes.apply_face_restore, format_value=axes.format_value,
               choices=lambda: ["CodeFormer", "GFPGAN", "True", "False"]),
    AxisOption("Token merging ratio", float, apply_override("token_merging_ratio")),
    AxisOption("Token merging ratio high-res", float, apply_override("token_merging_ratio_hr")),
    _switch("Always discard next-to-last sigma", "always_discard_next_to_last_sigma", reverse=True),
    _switch("SGM noise multiplier", "sgm_noise_multiplier", reverse=True),
    AxisOption("Refiner checkpoint", str, axes.apply_refiner_checkpoint, format_value=axes.format_remove_path, cost=1.0,
               confirm=axes.confirm_checkpoints_or_none, choices=lambda: ["None", *axes.checkpoint_titles()]),
    AxisOption("Refiner switch at", float, apply_field("refiner_switch_at")),
    AxisOption("RNG source", str, apply_override("randn_source"), choices=lambda: ["GPU", "CPU", "NV"]),
    AxisOption("FP8 mode", str, apply_override("fp8_storage"), cost=0.9, choices=_choices_of("fp8_storage")),
    AxisOption("Size", str, axes.apply_size, confirm=axes.confirm_sizes),
    AxisOption("Width", int, apply_field("width"), confirm=axes.confirm_range(8, 16384, "Width")),
    AxisOption("Height", int, apply_field("height"), confirm=axes.confirm_range(8, 16384, "Height")),
    AxisOption("Resize seed from width", int, apply_field("seed_resize_from_w")),
    AxisOption("Resize seed from height", int, apply_field("seed_resize_from_h")),
    AxisOption("Tiling", str, lambda p, x, xs: setattr(p, "tiling", x == "True"), choices=boolean_choice(True)),
    AxisOptionTxt2Img("Hires upscale", float, apply_field("hr_scale")),
    AxisOptionTxt2Img("Hires width", int, apply_field("hr_resize_x")),
    AxisOptionTxt2Img("Hires height", int, apply_field("hr_resize_y")),
    AxisOptionTxt2Img("Hires schedule type", str, apply_field("hr_scheduler"), choices=_schedule_labels),
    AxisOptionTxt2Img("Hires checkpoint", str, apply_field("hr_checkpoint_name"), format_value=axes.format_remove_path, cost=1.0,
                      confirm=axes.confirm_checkpoints, choices=axes.checkpoint_titles),
    AxisOptionTxt2Img("Hires CFG scale", float, apply_field("hr_cfg")),
    AxisOptionImg2Img("Mask blur", int, apply_field("mask_blur")),
    AxisOptionImg2Img("Masked area padding", int, apply_field("inpaint_full_res_padding")),
    AxisOption("Variation chain", str, apply_field("variations"), confirm=axes.confirm_chains),
]
