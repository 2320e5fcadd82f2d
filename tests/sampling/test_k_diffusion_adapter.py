"""Functions written for k-diffusion run as samplers of ours."""
import pytest
import torch
from sampling.gaussian_parts import NormalData, no_noise, peer

from modules.sampling.k_diffusion_adapter import from_k_diffusion
from modules.sampling.registry import find_sampler
from modules.sampling.schedules import karras_sigmas

SIGMAS = karras_sigmas(8, 0.05, 14.0)
X = 14 * torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name, function", [("Heun", "sample_heun"), ("DPM++ 2M", "sample_dpmpp_2m"), ("DPM fast", "sample_dpm_fast")])
def test_an_adapted_function_gives_what_ours_gives(name, function):
    adapted = from_k_diffusion(getattr(peer()[0], function))
    ours, theirs = [], []
    got = adapted(NormalData(), X, SIGMAS, noise=lambda level, next_level: torch.zeros_like(X), on_step=theirs.append)
    expected = find_sampler(name).function(NormalData(), X, SIGMAS, noise=no_noise, on_step=ours.append)
    torch.testing.assert_close(got, expected, atol=1e-3, rtol=1e-3)
    assert [(step.i, pytest.approx(step.sigma, rel=1e-4)) for step in ours] == [(step.i, step.sigma) for step in theirs]


def test_noise_and_options_reach_the_function_and_foreign_options_do_not():
    asked = []

    def noise(level, next_level):
        asked.append((level, next_level))
        return torch.zeros_like(X)

    adapted = from_k_diffusion(peer()[0].sample_euler_ancestral)
    got = adapted(NormalData(), X, SIGMAS, noise=noise, eta=0.0, s_churn=3.0)
    torch.testing.assert_close(got, find_sampler("Euler").function(NormalData(), X, SIGMAS, noise=no_noise), atol=1e-4, rtol=1e-4)
    assert len(asked) == 7 and asked[0] == pytest.approx((14.0, SIGMAS[1].item()))
