"""The table of samplers: names, functions, default schedules, options; and how old names are read."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from modules.errors import RequestError
from modules.sampling.denoiser import Kind
from modules.sampling.dpm_fast import sample_dpm_adaptive, sample_dpm_fast
from modules.sampling.dpm_solver import (
    sample_dpmpp_2m,
    sample_dpmpp_2m_sde,
    sample_dpmpp_2s_ancestral,
    sample_dpmpp_3m_sde,
    sample_dpmpp_sde,
)
from modules.sampling.euler import sample_euler, sample_euler_ancestral
from modules.sampling.heun_dpm2 import sample_dpm_2, sample_dpm_2_ancestral, sample_heun
from modules.sampling.lcm import sample_lcm
from modules.sampling.lms import sample_lms
from modules.sampling.names import nearest_first
from modules.sampling.restart import sample_restart
from modules.sampling.schedules import SCHEDULES, Schedule, find_schedule
from modules.sampling.timesteps import sample_ddim, sample_ddim_cfgpp, sample_plms
from modules.sampling.unipc import sample_unipc

ALWAYS_OWN_SCHEDULE = ("Restart",)  # never had another one under its name
Check = Literal["golden", "analytic", "peer", "formula"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampler:
    """A row of the table.

    `kind`: what the function is given (x0 at sigmas, eps at timesteps, consistency model). `schedule`: used for "Automatic".
    `options`: user parameters that it reads. `fixed`: arguments that make this row of its function. `calls_per_step`: evaluations
    in an ordinary step. `chooses_steps`: takes the ends of the schedule only. `needs_unguided`, `knows_img2img`: it has the arguments
    last_unguided, is_img2img. `cfg_factor`: times the CFG scale. `checks`: which tests judge it.
    """

    name: str
    function: Callable[..., Tensor]
    aliases: tuple[str, ...]
    checks: tuple[Check, ...]
    kind: Kind = "sigma"
    schedule: str = "Uniform"
    options: tuple[str, ...] = ()
    fixed: dict[str, Any] = field(default_factory=dict)
    calls_per_step: int = 1
    discards_next_to_last: bool = False
    brownian: bool = False
    chooses_steps: bool = False
    uses_ensd: bool = False
    needs_unguided: bool = False
    knows_img2img: bool = False
    cfg_factor: float = 1.0
    least_steps: int = 1

    @property
    def second_order(self) -> bool:
        return self.calls_per_step == 2

    @property
    def api_options(self) -> dict[str, str]:
        """What GET /sdapi/v1/samplers tells about it."""
        rows = {"scheduler": find_schedule(self.schedule).name if self.schedule != "Uniform" else "",
                "second_order": self.second_order, "brownian_noise": self.brownian, "uses_ensd": self.uses_ensd,
                "discard_next_to_last_sigma": self.discards_next_to_last, **self.fixed}
        return {key: str(value) for key, value in rows.items() if value}


_CHURN = ("s_churn", "s_tmin", "s_tmax", "s_noise")
_UNIPC = ("uni_pc_variant", "uni_pc_skip_type", "uni_pc_order", "uni_pc_lower_order_final")
_ALL: tuple[Check, ...] = ("golden", "analytic", "peer")

SAMPLERS: tuple[Sampler, ...] = (
    Sampler(name="DPM++ 2M", function=sample_dpmpp_2m, aliases=("k_dpmpp_2m",), schedule="Karras", checks=_ALL),
    Sampler(name="DPM++ SDE", function=sample_dpmpp_sde, aliases=("k_dpmpp_sde",), schedule="Karras", options=("eta", "s_noise"),
            calls_per_step=2, brownian=True, checks=_ALL),
    Sampler(name="DPM++ 2M SDE", function=sample_dpmpp_2m_sde, aliases=("k_dpmpp_2m_sde",), schedule="Exponential",
            options=("eta", "s_noise"), brownian=True, checks=_ALL),
    Sampler(name="DPM++ 2M SDE Heun", function=sample_dpmpp_2m_sde, aliases=("k_dpmpp_2m_sde_heun",), schedule="Exponential",
            options=("eta", "s_noise"), fixed={"solver_type": "heun"}, brownian=True, checks=_ALL),
    Sampler(name="DPM++ 2S a", function=sample_dpmpp_2s_ancestral, aliases=("k_dpmpp_2s_a",), schedule="Karras",
            options=("eta", "s_noise"), calls_per_step=2, uses_ensd=True, checks=_ALL),
    Sampler(name="DPM++ 3M SDE", function=sample_dpmpp_3m_sde, aliases=("k_dpmpp_3m_sde",), schedule="Exponential",
            options=("eta", "s_noise"), discards_next_to_last=True, brownian=True, checks=_ALL),
    Sampler(name="Euler a", function=sample_euler_ancestral, aliases=("k_euler_a", "k_euler_ancestral"), options=("eta",),
            uses_ensd=True, checks=_ALL),
    Sampler(name="Euler", function=sample_euler, aliases=("k_euler",), options=_CHURN, checks=_ALL),
    Sampler(name="LMS", function=sample_lms, aliases=("k_lms",), checks=_ALL),
    Sampler(name="Heun", function=sample_heun, aliases=("k_heun",), options=_CHURN, calls_per_step=2, checks=_ALL),
    Sampler(name="DPM2", function=sample_dpm_2, aliases=("k_dpm_2",), schedule="Karras", options=_CHURN, calls_per_step=2,
            discards_next_to_last=True, checks=_ALL),
    Sampler(name="DPM2 a", function=sample_dpm_2_ancestral, aliases=("k_dpm_2_a",), schedule="Karras", options=("eta", "s_noise"),
            calls_per_step=2, discards_next_to_last=True, uses_ensd=True, checks=_ALL),
    Sampler(name="DPM fast", function=sample_dpm_fast, aliases=("k_dpm_fast",), options=("eta", "s_noise"), chooses_steps=True,
            uses_ensd=True, checks=_ALL),
    Sampler(name="DPM adaptive", function=sample_dpm_adaptive, aliases=("k_dpm_ad",), options=("eta",), chooses_steps=True,
            uses_ensd=True, checks=_ALL),
    Sampler(name="Restart", function=sample_restart, aliases=("restart",), schedule="Karras", calls_per_step=2,
            checks=("golden", "analytic")),
    Sampler(name="DDIM", function=sample_ddim, aliases=("ddim",), kind="timestep", options=("eta",), checks=("golden", "analytic")),
    Sampler(name="DDIM CFG++", function=sample_ddim_cfgpp, aliases=("ddim_cfgpp",), kind="timestep", options=("eta",),
            needs_unguided=True, cfg_factor=1 / 12.5, checks=("analytic", "formula")),
    Sampler(name="PLMS", function=sample_plms, aliases=("plms",), kind="timestep", checks=("golden", "analytic")),
    Sampler(name="UniPC", function=sample_unipc, aliases=("unipc",), kind="timestep", options=_UNIPC, knows_img2img=True,
            checks=("golden", "analytic")),
    Sampler(name="LCM", function=sample_lcm, aliases=("k_lcm",), kind="consistency", checks=("golden", "analytic")),
)

# Short forms of schedules in the old names of the API, "k_dpmpp_2m_ka".
_SUFFIXES = {"ka": "Karras", "exp": "Exponential"}
_BY_NAME = {key.lower(): row for row in SAMPLERS for key in (row.name, *row.aliases)}


def schedule_of_old_name(sampler: str) -> str:
    """The schedule that a name without one meant before schedules had a field of their own, "Automatic" where that means the same.

    "DPM++ 2M" was the model's own levels then, "DPM++ 2M Karras" the others. Raises RequestError for an unknown name.
    """
    row = find_sampler(sampler)
    return "Automatic" if row.schedule == "Uniform" or row.name in ALWAYS_OWN_SCHEDULE else "Uniform"


def split_sampler_name(text: str) -> tuple[str, str | None]:
    """(sampler name, schedule label or None) of a name that may hold both: "DPM++ 2M Karras", "k_dpmpp_2m_ka", "Euler a Karras".

    Raises RequestError naming the samplers, nearest first, if no sampler is in it.
    """
    wanted = " ".join(text.split()).lower()
    if wanted in _BY_NAME:
        return _BY_NAME[wanted].name, None
    for schedule in SCHEDULES:
        for word in (schedule.label, schedule.name, *schedule.aliases):
            stem = wanted.removesuffix(" " + word.lower())
            if stem != wanted and stem in _BY_NAME:
                return _BY_NAME[stem].name, schedule.label
    stem, _, suffix = wanted.rpartition("_")
    if suffix in _SUFFIXES and stem in _BY_NAME:
        return _BY_NAME[stem].name, _SUFFIXES[suffix]
    names = nearest_first(text, [row.name for row in SAMPLERS])
    raise RequestError("sampler_name", f"There is no sampler {text[:60]!r}.", remedy=f"Choose one of: {', '.join(names)}.")


def find_sampler(name: str) -> Sampler:
    """The sampler of this name or alias, in any case; a schedule in the name is left aside. Raises RequestError as split_sampler_name."""
    return _BY_NAME[split_sampler_name(name)[0].lower()]


def schedule_for(sampler: Sampler, name: str | None) -> Schedule:
    """The schedule that a choice stands for: "Automatic", empty and None mean the sampler's own."""
    chosen = find_schedule(name or "Automatic")
    return find_schedule(sampler.schedule) if chosen.function is None else chosen
