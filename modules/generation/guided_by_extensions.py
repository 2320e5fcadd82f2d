"""Guidance as extensions know it: the object behind `sampler.model_wrap_cfg`, whose methods they replace, and conditions in its form."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from modules.prompt.conditioning import Conditioning, StepConditions, conditioning_from
from modules.sampling.guidance import GuidedDenoiser, combined
from modules.sampling.step import beside

ConditionDict = dict[str, Any]


def as_dict(cond: Conditioning, x: Tensor) -> ConditionDict:
    """What the network is told, in the mapping that replaced forward methods expect."""
    concat = cond.concat if cond.concat is not None else x.new_zeros(len(x), 5, 1, 1)
    named: ConditionDict = {"c_crossattn": [cond.crossattn], "c_concat": [concat]}
    if cond.vector is not None:
        named = {"crossattn": cond.crossattn, "vector": cond.vector, "c_concat": [concat], "c_crossattn": [cond.crossattn]}
    return named


class InnerModel(nn.Module):
    """The network behind guidance; extensions replace `forward(x, level, cond=dict)`, samplers' own code calls it through here."""

    def __init__(self, model: Any):
        super().__init__()
        self.__dict__["inner_model"] = model
        self.__dict__["denoise"] = None  # the estimate of the running pass
        self.quantize = False

    @property
    def sigmas(self) -> Tensor:
        """The training levels, rising."""
        alphas = self.inner_model.alphas_cumprod
        return ((1 - alphas) / alphas).sqrt()

    @property
    def log_sigmas(self) -> Tensor:
        return self.sigmas.log()

    @property
    def sigma_min(self) -> Tensor:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> Tensor:
        return self.sigmas[-1]

    def forward(self, x: Tensor, level: Tensor, cond: Any = None, **further: Any) -> Tensor:
        """x [R, C, h, w], level [R] -> the estimate of the running pass. Raises RuntimeError outside of one."""
        if self.denoise is None:
            raise RuntimeError("no sampling pass is running")
        return self.denoise(x, level.detach().to("cpu", torch.float32), conditioning_from(cond if cond is not None else further))

    def apply_model(self, x: Tensor, t: Tensor, cond: Any) -> Tensor:
        """The network's own prediction."""
        return self.inner_model.apply_model(x, t, conditioning_from(cond))


class CFGDenoiser(nn.Module):
    """`sampler.model_wrap_cfg`: what extensions read of guidance, and the formula that they replace."""

    def __init__(self, sampler: Any):
        super().__init__()
        # Not as submodules: moving or saving this must not touch the network.
        self.__dict__.update(sampler=sampler, model_wrap=None, guided=None)
        self.p: Any = None
        self.mask = self.nmask = self.init_latent = None
        self.steps: int | None = None
        self.image_cfg_scale: float | None = None
        self.padded_cond_uncond = self.padded_cond_uncond_v0 = False
        self.mask_before_denoising = self.need_last_noise_uncond = False
        self.last_noise_uncond = None
        self.cond_scale_miltiplier = 1.0
        self.classic_ddim_eps_estimation = False

    @property
    def inner_model(self) -> InnerModel:
        """The network; the same object for the life of this one."""
        if self.model_wrap is None:
            self.__dict__["model_wrap"] = InnerModel(self.sampler.sd_model)
        return self.model_wrap

    @property
    def step(self) -> int:
        return self.guided.step if self.guided is not None else 0

    @property
    def total_steps(self) -> int:
        return self.guided.steps if self.guided is not None else self.steps or 0

    def combine_denoised(self, x_out: Tensor, conds_list: list[list[tuple[int, float]]], uncond: Any, cond_scale: float) -> Tensor:
        """U + sum of weight * scale * (C - U) over the parts of each picture; x_out [R + B, ...], uncond has B rows."""
        owners = tuple(tuple((row, weight) for row, weight in parts) for parts in conds_list)
        empty = Conditioning(crossattn=x_out)
        return combined(x_out, StepConditions(cond=empty, uncond=empty, owners=owners), cond_scale)

    def forward(self, x: Tensor, sigma: Tensor, uncond: Any, cond: Any, cond_scale: float, s_min_uncond: float, image_cond: Any) -> Tensor:
        """One guided estimate of the running pass: x [B, C, h, w], sigma [B]."""
        return self.guided(x, sigma.detach().to("cpu", torch.float32))


class CFGDenoiserKDiffusion(CFGDenoiser):
    """For samplers that ask for the clean latent at a noise level."""


class CFGDenoiserTimesteps(CFGDenoiser):
    """For samplers that ask for the noise at a timestep."""


def replaced(owner: Any, name: str, classes: tuple[type, ...]) -> bool:
    """Whether a method of `owner` is none of those that these classes have here."""
    method = getattr(owner, name)
    return getattr(method, "__func__", method) not in [_ORIGINALS[kind, name] for kind in classes if (kind, name) in _ORIGINALS]


_ORIGINALS: dict[tuple[type, str], Callable[..., Any]] = {
    (CFGDenoiser, "combine_denoised"): CFGDenoiser.combine_denoised, (CFGDenoiser, "forward"): CFGDenoiser.forward}


def combine_by(denoiser: CFGDenoiser) -> Callable[[Tensor, StepConditions, float], Tensor]:
    """The formula of guidance that a denoiser of an extension has."""
    def combine(out: Tensor, now: StepConditions, scale: float) -> Tensor:
        uncond = now.uncond.crossattn if now.uncond.vector is None else {"crossattn": now.uncond.crossattn, "vector": now.uncond.vector}
        return denoiser.combine_denoised(out, [list(parts) for parts in now.owners], uncond, scale)
    return combine


class AskedThrough:
    """An estimate that is asked through `inner_model`, whose forward an extension may have replaced."""

    def __init__(self, inner: Any, module: InnerModel):
        self.inner, self.module = inner, module
        module.__dict__["denoise"] = inner

    def __call__(self, x: Tensor, level: Tensor, cond: Conditioning) -> Tensor:
        return self.module(x, beside(level, x), cond=as_dict(cond, x))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)


class AnsweredByDict:
    """A network of which an extension has replaced `apply_model`, so that it is told its conditions as a mapping."""

    def __init__(self, model: Any):
        self.__dict__["model"] = model

    def apply_model(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        return self.model.apply_model(x, t, cond=as_dict(cond, x))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["model"], name)


def watch(guided: GuidedDenoiser, denoiser: CFGDenoiser) -> None:
    """Let a pass ask through the denoiser's network where anybody has looked at it."""
    denoiser.__dict__["guided"] = guided
    if "apply_model" in vars(guided.model) and hasattr(guided.inner, "model"):
        guided.inner.model = AnsweredByDict(guided.model)
    if denoiser.model_wrap is not None:
        guided.inner = AskedThrough(guided.inner, denoiser.model_wrap)  # type: ignore[assignment]
