"""Stand-ins for a network whose answers are known: the recorded analytic one, and the exact denoiser of normal data."""
from __future__ import annotations

import importlib.util
import json
import math
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from modules.generation.noise import NoiseSource
from modules.prompt.conditioning import BatchConditions, ComposedCond, Conditioning, ScheduledCond
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import SamplingHooks, sample_from_noise
from modules.sampling.registry import find_sampler, split_sampler_name

GOLDENS = Path(__file__).parents[1] / "goldens"
# The recordings come from a version in which a plain name meant the model's own levels, except for these.
RECORDED_SCHEDULES = {"Restart": "Karras"}


@cache
def recorded() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(facts, arrays) of the recorded samplers."""
    return json.loads((GOLDENS / "samplers.json").read_text()), dict(np.load(GOLDENS / "samplers.npz"))


def recorded_choice(name: str) -> tuple[str, str]:
    """(sampler, schedule) that a recorded name stands for."""
    sampler, schedule = split_sampler_name(name)
    return sampler, schedule or RECORDED_SCHEDULES.get(name, "Uniform")


class RecordedNetwork:
    """The analytic network of the recordings: normal data around g mu, g = first number of the text."""

    parameterization = "eps"

    def __init__(self) -> None:
        arrays = recorded()[1]
        self.alphas_cumprod = torch.from_numpy(arrays["alphas_cumprod"])
        self._log_sigmas = torch.from_numpy(arrays["model_sigmas_1000"]).log()
        self.calls: list[tuple[int, int]] = []

    def apply_model(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        self.calls.append((len(x), cond.crossattn.shape[1]))
        low = t.floor().long().clamp(0, 999)
        part = t - low
        sigma = ((1 - part) * self._log_sigmas[low] + part * self._log_sigmas[(low + 1).clamp(max=999)]).exp()
        a = (1 / (sigma**2 + 1))[:, None, None, None]
        c, y, z = torch.meshgrid(*(torch.arange(float(n)) for n in x.shape[1:]), indexing="ij")
        mu = torch.sin(0.7 * c + 0.5 * y + 0.3 * z) * cond.crossattn[:, :1, :1, None]
        return (1 - a).sqrt() * (x - a.sqrt() * mu) / (a * 0.25 + 1 - a)


def text(g: float, tokens: int = 77) -> Conditioning:
    """A text that means g."""
    return Conditioning(crossattn=torch.full((1, tokens, 1), g))


def held(*parts: tuple[int, Conditioning]) -> ScheduledCond:
    return ScheduledCond(parts=parts)


def plain_conditions(pictures: int, prompt: float = 1.0, negative: float = 0.5, tokens: tuple[int, int] = (77, 77)) -> BatchConditions:
    """One prompt and one negative prompt for all pictures and steps."""
    composed = ComposedCond(parts=((held((1000, text(prompt, tokens[0]))), 1.0),))
    return BatchConditions(positive=(composed,) * pictures, negative=(held((1000, text(negative, tokens[1]))),) * pictures)


def sampled(name: str, steps: int = 8, seed: int = 1, pictures: int = 2, *, cfg_scale: float = 7.0, source: str = "CPU", ensd: int = 0,
            hooks: SamplingHooks | None = None, network: RecordedNetwork | None = None, conditions: BatchConditions | None = None,
            **options: Any) -> Tensor:
    """A latent [B, 4, 8, 8] made as the recordings were."""
    sampler, schedule = recorded_choice(name)
    noise = NoiseSource((4, 8, 8), range(seed, seed + pictures), source=source, eta_noise_seed_delta=ensd)  # type: ignore[arg-type]
    return sample_from_noise(network or RecordedNetwork(), find_sampler(sampler), schedule, steps, noise,
                             conditions or plain_conditions(pictures), cfg_scale, SamplingOptions(**options), hooks)


class NormalData:
    """The exact denoiser of data ~ N(mean, spread^2), in float64, and the closed form of its probability-flow ODE."""

    def __init__(self, mean: float = 0.7, spread: float = 0.5):
        self.mean, self.spread = mean, spread

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        variance = (sigma.double() ** 2)[:, None, None, None]
        return (x * self.spread**2 + self.mean * variance) / (self.spread**2 + variance)

    def eps(self, alphas_cumprod: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """The noise in a variance-preserving x at (fractional) timesteps t, alphas interpolated in their log."""
        log_a = alphas_cumprod.double().log()
        low = t.double().floor().long().clamp(0, len(log_a) - 2)
        a = (log_a[low] + (t.double() - low) * (log_a[low + 1] - log_a[low])).exp()[:, None, None, None]
        return (x - a.sqrt() * self.mean) * (1 - a).sqrt() / (a * self.spread**2 + 1 - a)

    def moved(self, x: Tensor, sigma: float, sigma_next: float) -> Tensor:
        """Where the ODE brings x from sigma to sigma_next."""
        return self.mean + (x - self.mean) * math.sqrt((self.spread**2 + sigma_next**2) / (self.spread**2 + sigma**2))


def no_noise(level: float, next_level: float) -> Tensor:
    raise AssertionError("a deterministic sampler asked for noise")


@cache
def peer() -> tuple[types.ModuleType, types.ModuleType]:
    """(sampling, external) of the k-diffusion in site-packages, loaded under another name without its package's own imports."""
    spec = importlib.util.find_spec("k_diffusion")
    assert spec and spec.origin and "site-packages" in spec.origin, "the peer must not be our own module of that name"
    folder = Path(spec.origin).parent
    package = types.ModuleType("peer_k_diffusion")
    package.__path__ = [str(folder)]
    # It imports torchvision for two functions about pictures, which takes seconds and is not needed here.
    pictures = types.ModuleType("torchvision.transforms")
    pictures.functional = None  # type: ignore[attr-defined]
    with patch.dict(sys.modules, {"torchvision": types.ModuleType("torchvision"), "torchvision.transforms": pictures}):
        sys.modules["peer_k_diffusion"] = package
        for name in ("utils", "sampling", "external"):
            part = importlib.util.spec_from_file_location(f"peer_k_diffusion.{name}", folder / f"{name}.py")
            assert part and part.loader
            module = importlib.util.module_from_spec(part)
            sys.modules[part.name] = module
            part.loader.exec_module(module)
            setattr(package, name, module)
    return package.sampling, package.external  # type: ignore[attr-defined]
