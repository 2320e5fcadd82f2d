"""From the network's output to what samplers ask for: x0 at a noise level, or eps at a timestep; eps and v prediction."""
from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor

from modules.prompt.conditioning import Conditioning
from modules.sampling.step import beside


class DiffusionModel(Protocol):
    """The part of a latent diffusion model that sampling needs."""

    alphas_cumprod: Tensor
    parameterization: str

    def apply_model(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor: ...


class NoiseLevels:
    """The training schedule as noise levels: sigmas [N] rising, and the map between level and (fractional) timestep.

    Between training steps log sigma is linear in t. Everything is float32 on the CPU. Karras et al. 2022 (arXiv:2206.00364), app. C.
    """

    def __init__(self, alphas_cumprod: Tensor, *, quantize: bool = False):
        self.alphas_cumprod = alphas_cumprod.detach().to("cpu", torch.float32)
        self.sigmas = ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt()
        self.log_sigmas = self.sigmas.log()
        self._quantize = quantize

    def __len__(self) -> int:
        return len(self.sigmas)

    @property
    def sigma_min(self) -> float:
        return self.sigmas[0].item()

    @property
    def sigma_max(self) -> float:
        return self.sigmas[-1].item()

    def t_of_sigma(self, sigma: Tensor) -> Tensor:
        """Timesteps [...] of levels [...]: fractional, or the nearest one where the schedule is quantised."""
        wanted = sigma.log()
        if self._quantize:
            return (wanted[..., None] - self.log_sigmas).abs().argmin(-1)
        low = (torch.searchsorted(self.log_sigmas, wanted, right=True) - 1).clamp(0, len(self) - 2)
        left, right = self.log_sigmas[low], self.log_sigmas[low + 1]
        return low + ((wanted - left) / (right - left)).clamp(0, 1)

    def sigma_of_t(self, t: Tensor) -> Tensor:
        """Levels [...] of timesteps [...] in 0..N-1."""
        t = t.float()
        low = t.floor().long().clamp(0, len(self) - 1)
        high = (low + 1).clamp(max=len(self) - 1)
        part = t - low
        return ((1 - part) * self.log_sigmas[low] + part * self.log_sigmas[high]).exp()


class EpsDenoiser:
    """x0 from a network that predicts the noise: x [B, C, h, w] = x0 + sigma eps, sigma [B] on the CPU."""

    def __init__(self, model: DiffusionModel, noise_levels: NoiseLevels):
        self.model, self.levels = model, noise_levels

    def __call__(self, x: Tensor, sigma: Tensor, cond: Conditioning) -> Tensor:
        scale = 1 / (sigma**2 + 1).sqrt()
        out = self.model.apply_model(x * _column(scale, x), _moved(self.levels.t_of_sigma(sigma), x), cond)
        return x - out.to(x.dtype) * _column(sigma, x)


class VDenoiser:
    """x0 from a network that predicts v = sqrt(a) eps - sqrt(1-a) x0. Salimans and Ho 2022 (arXiv:2202.00512)."""

    def __init__(self, model: DiffusionModel, noise_levels: NoiseLevels):
        self.model, self.levels = model, noise_levels

    def __call__(self, x: Tensor, sigma: Tensor, cond: Conditioning) -> Tensor:
        variance = sigma**2 + 1
        out = self.model.apply_model(x * _column(1 / variance.sqrt(), x), _moved(self.levels.t_of_sigma(sigma), x), cond)
        return out.to(x.dtype) * _column(-sigma / variance.sqrt(), x) + x * _column(1 / variance, x)


class ConsistencyDenoiser:
    """x0 from a latent consistency model: the noise prediction with the boundary condition at t = 0.

    The network knows 50 of the training steps (every 20th, from the end). Luo et al. 2023 (arXiv:2310.04378), eq. 9.
    """

    known_steps = 50
    sigma_data = 0.5

    def __init__(self, model: DiffusionModel, noise_levels: NoiseLevels):
        self.model = model
        self._stride = len(noise_levels) // self.known_steps
        self.levels = NoiseLevels(noise_levels.alphas_cumprod[self._stride - 1::self._stride], quantize=True)

    def timestep(self, sigma: Tensor) -> Tensor:
        """Training timesteps [...] nearest to the levels [...], of those that the network knows."""
        return self.levels.t_of_sigma(sigma) * self._stride + (self._stride - 1)

    def __call__(self, x: Tensor, sigma: Tensor, cond: Conditioning) -> Tensor:
        t = self.timestep(sigma)
        scale = 1 / (sigma**2 + 1).sqrt()
        eps = self.model.apply_model(x * _column(scale, x), _moved(t, x), cond)
        clean = x - eps.to(x.dtype) * _column(sigma, x)
        scaled_t = t.float() * 10
        keep = self.sigma_data**2 / (scaled_t**2 + self.sigma_data**2)
        take = scaled_t / (scaled_t**2 + self.sigma_data**2).sqrt()
        return clean * _column(take, x) + x * _column(keep, x)


class EpsPredictor:
    """eps at timesteps t [B] (on the CPU) from a network that predicts it; x [B, C, h, w] is variance preserving."""

    def __init__(self, model: DiffusionModel, noise_levels: NoiseLevels):
        self.model, self.levels = model, noise_levels

    def __call__(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        return self.model.apply_model(x, _moved(t, x), cond).to(x.dtype)


class VPredictor:
    """eps from a network that predicts v: sqrt(a) v + sqrt(1-a) x. Salimans and Ho 2022 (arXiv:2202.00512)."""

    def __init__(self, model: DiffusionModel, noise_levels: NoiseLevels):
        self.model, self.levels = model, noise_levels

    def __call__(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        v = self.model.apply_model(x, _moved(t, x), cond).to(x.dtype)
        a = self.levels.alphas_cumprod[t.long()]
        return v * _column(a.sqrt(), x) + x * _column((1 - a).sqrt(), x)


InnerDenoiser = EpsDenoiser | VDenoiser | ConsistencyDenoiser | EpsPredictor | VPredictor
Kind = Literal["sigma", "timestep", "consistency"]


def inner_denoiser(model: DiffusionModel, noise_levels: NoiseLevels, kind: Kind) -> InnerDenoiser:
    """What a sampler of this kind asks, for a model of either parameterization."""
    predicts_v = model.parameterization == "v"
    if kind == "timestep":
        return VPredictor(model, noise_levels) if predicts_v else EpsPredictor(model, noise_levels)
    if kind == "consistency":
        return ConsistencyDenoiser(model, noise_levels)
    return VDenoiser(model, noise_levels) if predicts_v else EpsDenoiser(model, noise_levels)


def effective_alphas(alphas_cumprod: Tensor, *, downcast: bool = False, zero_terminal_snr: bool = False) -> Tensor:
    """The training schedule [N] after the two settings that change it: rounded to half precision, rescaled to end without signal."""
    alphas = alphas_cumprod.detach().to("cpu", torch.float32)
    if downcast:
        alphas = alphas.half().float()
    return zero_terminal_snr_alphas(alphas) if zero_terminal_snr else alphas


def zero_terminal_snr_alphas(alphas_cumprod: Tensor) -> Tensor:
    """The schedule [N] rescaled so that nothing of the picture is left at the last step. Lin et al. 2023 (arXiv:2305.08891), algorithm 1.

    The last value stays just above 0, since its inverse is a noise level.
    """
    signal = alphas_cumprod.sqrt()
    signal = (signal - signal[-1]) * (signal[0] / (signal[0] - signal[-1]))
    rescaled = signal**2
    rescaled[-1] = 4.8973451890853435e-08
    return rescaled


def _column(values: Tensor, x: Tensor) -> Tensor:
    """[B] -> [B, 1, 1, 1] beside x."""
    return beside(values, x, x.dtype)[:, None, None, None]


def _moved(t: Tensor, x: Tensor) -> Tensor:
    """Timesteps beside x, as float32."""
    return beside(t, x, torch.float32)
