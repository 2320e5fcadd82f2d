"""Pieces of samplers under the names of `k_diffusion.sampling`."""
import torch

from k_diffusion.utils import append_dims


def append_zero(x):
    """The levels with a final 0."""
    return torch.cat([x, x.new_zeros([1])])


def to_d(x, sigma, denoised):
    """The slope of the probability-flow ODE."""
    return (x - denoised) / append_dims(sigma, x.ndim)


def get_sigmas_karras(n: int, sigma_min: float, sigma_max: float, rho: float = 7.0, device: str = "cpu"):
    """Levels of Karras et al. 2022 with a final 0."""
    ramp = torch.linspace(0, 1, n, device=device)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return append_zero((high + ramp * (low - high)) ** rho)


def get_sigmas_exponential(n: int, sigma_min: float, sigma_max: float, device: str = "cpu"):
    """Levels even in their logarithm with a final 0."""
    return append_zero(torch.linspace(float(sigma_max), float(sigma_min), n, device=device).log().exp() if n == 1
                       else torch.logspace(torch.tensor(sigma_max).log10(), torch.tensor(sigma_min).log10(), n, device=device))


def get_ancestral_step(sigma_from, sigma_to, eta: float = 1.0):
    """(level to step down to, standard deviation of fresh noise)."""
    if not eta:
        return sigma_to, 0.0
    up = min(sigma_to, eta * (sigma_to**2 * (sigma_from**2 - sigma_to**2) / sigma_from**2) ** 0.5)
    return (sigma_to**2 - up**2) ** 0.5, up


def default_noise_sampler(x):
    """(level, next level) -> unit noise."""
    return lambda sigma, sigma_next: torch.randn_like(x)


