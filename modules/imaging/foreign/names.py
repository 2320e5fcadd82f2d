"""Samplers and schedules by the names that other programs have for them."""
from __future__ import annotations

import re
from dataclasses import dataclass

from modules.errors import RequestError
from modules.sampling.registry import split_sampler_name
from modules.sampling.schedules import SCHEDULES


@dataclass(frozen=True, kw_only=True)
class NamedSampler:
    """Our name; the schedule, where the foreign name holds one; the variant of UniPC."""

    name: str
    schedule: str = ""
    variant: str = ""


# Keys are in lower case, without "k_" before and "_gpu" behind. Names of k-diffusion are shared by most programs; others stand behind.
SAMPLERS: dict[str, str] = {
    "euler": "Euler", "euler_ancestral": "Euler a", "euler_a": "Euler a", "euler a": "Euler a",
    "heun": "Heun", "lms": "LMS",
    "dpm_2": "DPM2", "dpm2": "DPM2", "kdpm_2": "DPM2",
    "dpm_2_ancestral": "DPM2 a", "dpm_2_a": "DPM2 a", "dpm2_a": "DPM2 a", "kdpm_2_a": "DPM2 a",
    "dpm_fast": "DPM fast", "dpm_adaptive": "DPM adaptive",
    "dpmpp_2s_ancestral": "DPM++ 2S a", "dpmpp_2s_a": "DPM++ 2S a", "dpmpp_2_a": "DPM++ 2S a",
    "dpmpp_2m": "DPM++ 2M", "dpmpp_2": "DPM++ 2M", "dpmpp_sde": "DPM++ SDE", "dpm sde": "DPM++ SDE",
    "dpmpp_2m_sde": "DPM++ 2M SDE", "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun", "dpmpp_3m_sde": "DPM++ 3M SDE",
    "ddim": "DDIM", "ddim_v3": "DDIM", "ddim_cfgpp": "DDIM CFG++", "plms": "PLMS", "pndm": "PLMS",
    "unipc": "UniPC", "uni_pc": "UniPC", "unipc_tu": "UniPC", "unipc_snr": "UniPC", "uni_pc_bh2": "UniPC",
    "lcm": "LCM", "restart": "Restart",
    # Classes of diffusers
    "eulerdiscretescheduler": "Euler", "eulerancestraldiscretescheduler": "Euler a", "heundiscretescheduler": "Heun",
    "lmsdiscretescheduler": "LMS", "ddimscheduler": "DDIM", "pndmscheduler": "PLMS", "unipcmultistepscheduler": "UniPC",
    "dpmsolvermultistepscheduler": "DPM++ 2M", "kdpm2discretescheduler": "DPM2", "kdpm2ancestraldiscretescheduler": "DPM2 a",
    "lcmscheduler": "LCM",
}
VARIANTS = {"uni_pc_bh2": "bh2"}

SCHEDULE_NAMES: dict[str, str] = {
    "normal": "Normal", "karras": "Karras", "exponential": "Exponential", "polyexponential": "Polyexponential",
    "sgm_uniform": "SGM Uniform", "simple": "Simple", "ddim_uniform": "DDIM", "beta": "Beta", "kl_optimal": "KL Optimal",
    "native": "Uniform", "uniform": "Uniform", "ays": "Align Your Steps", "align_your_steps": "Align Your Steps",
    "automatic": "Automatic", "default": "Automatic",
    **{schedule.label.lower(): schedule.label for schedule in SCHEDULES},
}


def sampler_of(name: str) -> NamedSampler | None:
    """The sampler of ours that another program calls `name`; None if there is none like it."""
    key = re.sub(r"_gpu$", "", re.sub(r"^(k_|sample_)", "", " ".join(name.split()).lower()))
    if key in SAMPLERS:
        return NamedSampler(name=SAMPLERS[key], variant=VARIANTS.get(key, ""))
    try:
        known, schedule = split_sampler_name(name[:200])
    except RequestError:
        return None
    return NamedSampler(name=known, schedule=schedule or "")


def schedule_of(name: str) -> str:
    """The schedule of ours that another program calls `name`; empty if there is none like it."""
    return SCHEDULE_NAMES.get(" ".join(name.split()).lower(), "")
