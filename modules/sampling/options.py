"""Every user parameter of sampling, by the name of its setting, with its default."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """Names and defaults are those of the settings; 0 means "the sampler's own" where the settings say so.

    eta: of this request, None = eta_ancestral or eta_ddim. sigmas: a free list of levels instead of a schedule (sigma samplers).
    schedule_override: steps -> levels, from a script. padding: the empty prompt's encoding [1, 77, C] for pad_cond_uncond.
    conditions_per_call: prompts advance by network evaluation instead of by step (old timing of second-order samplers).
    """

    eta: float | None = None
    eta_ancestral: float = 1.0
    eta_ddim: float = 0.0
    s_churn: float = 0.0
    s_tmin: float = 0.0
    s_tmax: float = 0.0
    s_noise: float = 1.0
    sigma_min: float = 0.0
    sigma_max: float = 0.0
    rho: float = 0.0
    beta_dist_alpha: float = 0.6
    beta_dist_beta: float = 0.6
    sigmas: tuple[float, ...] | None = None
    schedule_override: Callable[[int], Tensor] | None = None
    always_discard_next_to_last_sigma: bool = False
    sgm_noise_multiplier: bool = False
    uni_pc_variant: Literal["bh1", "bh2", "vary_coeff"] = "bh1"
    uni_pc_skip_type: Literal["time_uniform", "time_quadratic", "logSNR"] = "time_uniform"
    uni_pc_order: int = 3
    uni_pc_lower_order_final: bool = True
    sd_noise_schedule: Literal["Default", "Zero Terminal SNR"] = "Default"
    use_downcasted_alpha_bar: bool = False
    enable_quantization: bool = False
    use_old_karras_scheduler_sigmas: bool = False
    no_dpmpp_sde_batch_determinism: bool = False
    s_min_uncond: float = 0.0
    skip_early_cond: float = 0.0
    batch_cond_uncond: bool = True
    pad_cond_uncond: bool = False
    pad_cond_uncond_v0: bool = False
    padding: Tensor | None = None
    image_cfg_scale: float | None = None
    img2img_extra_noise: float = 0.0
    conditions_per_call: bool = False
