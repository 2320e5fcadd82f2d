"""Our samplers and schedules against k-diffusion, as installed for the tests."""
import numpy as np
import pytest
import torch
from sampling.gaussian_parts import peer, recorded

from modules.sampling.denoiser import EpsDenoiser, NoiseLevels, VDenoiser
from modules.sampling.registry import SAMPLERS, find_sampler
from modules.sampling.schedules import SCHEDULES, exponential_sigmas, karras_sigmas, normal_sigmas, polyexponential_sigmas, uniform_sigmas

ALPHAS = torch.from_numpy(recorded()[1]["alphas_cumprod"])
FUNCTIONS = {
    "Euler": "sample_euler", "Euler a": "sample_euler_ancestral", "Heun": "sample_heun", "DPM2": "sample_dpm_2",
    "DPM2 a": "sample_dpm_2_ancestral", "LMS": "sample_lms", "DPM++ 2S a": "sample_dpmpp_2s_ancestral", "DPM++ SDE": "sample_dpmpp_sde",
    "DPM++ 2M": "sample_dpmpp_2m", "DPM++ 2M SDE": "sample_dpmpp_2m_sde", "DPM++ 2M SDE Heun": "sample_dpmpp_2m_sde",
    "DPM++ 3M SDE": "sample_dpmpp_3m_sde", "DPM fast": "sample_dpm_fast", "DPM adaptive": "sample_dpm_adaptive",
}
STOCHASTIC = {"Euler a", "DPM2 a", "DPM++ 2S a", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE", "DPM fast"}


def bent(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """A denoiser that is not linear, so that no two methods agree on it by chance."""
    s = sigma.to(x)[:, None, None, None]
    return torch.tanh(x / (1 + s)) + 0.1 * torch.sin(s + x)


class Draws:
    """The same noise for both: a number for each pair of levels."""

    def __call__(self, level, next_level):
        seed = int(float(level) * 1e3) * 100_003 + int(float(next_level) * 1e3)
        return torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name, eta", [(name, eta) for name in FUNCTIONS for eta in ((0.0, 0.6, 1.0) if name in STOCHASTIC else (0.0,))])
def test_a_sampler_equals_its_peer(name, eta):
    sampler = find_sampler(name)
    # Odd levels, so that rounding to thousandths gives both sides the same draws.
    sigmas = torch.tensor([11.0504, 6.3005, 2.1006, 1.3004, 0.6005, 0.2504, 0.0], dtype=torch.float64)
    x = 11 * torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    arguments = {"eta": eta, **sampler.fixed} if name in STOCHASTIC else {**sampler.fixed}
    theirs = {**arguments, "noise_sampler": Draws()} if name in STOCHASTIC else arguments
    function = getattr(peer()[0], FUNCTIONS[name])
    if sampler.chooses_steps:
        ends = {"sigma_min": 0.2504, "sigma_max": 11.0504, "n": 6} if name == "DPM fast" else {"sigma_min": 0.2504, "sigma_max": 11.0504}
        expected = function(bent, x, **ends, disable=True, **theirs)
    else:
        expected = function(bent, x, sigmas, disable=True, **theirs)
    got = sampler.function(bent, x, sigmas, noise=Draws(), **arguments)
    # The step sizes of the adaptive one differ in the last digits of float32, which its peer computes them in.
    np.testing.assert_allclose(got.numpy(), expected.numpy(), atol=2e-3 if name in ("DPM adaptive", "LMS", "DPM fast") else 1e-5)


@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_schedules_equal_their_peers(steps):
    theirs = peer()[0]
    for ours, expected in (
            (karras_sigmas(steps, 0.03, 14.6), theirs.get_sigmas_karras(steps, 0.03, 14.6)),
            (karras_sigmas(steps, 0.1, 10.0, 3.0), theirs.get_sigmas_karras(steps, 0.1, 10.0, 3.0)),
            (exponential_sigmas(steps, 0.03, 14.6), theirs.get_sigmas_exponential(steps, 0.03, 14.6)),
            (polyexponential_sigmas(steps, 0.03, 14.6, 1.7), theirs.get_sigmas_polyexponential(steps, 0.03, 14.6, 1.7))):
        np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-6)


def their_schedule(quantize: bool = False):
    model = peer()[1].DiscreteEpsDDPMDenoiser(None, ALPHAS, quantize)
    return model


def test_the_plain_schedules_equal_the_peers():
    levels = NoiseLevels(ALPHAS)
    for steps in (1, 5, 20, 33):
        expected = their_schedule().get_sigmas(steps).numpy()
        np.testing.assert_allclose(uniform_sigmas(steps, levels).numpy(), expected, rtol=1e-5)
        np.testing.assert_allclose(normal_sigmas(steps, levels.sigma_min, levels.sigma_max, levels).numpy(), expected, rtol=1e-4)


@pytest.mark.parametrize("quantize", [False, True])
def test_level_and_timestep_map_as_the_peers_do(quantize):
    ours, theirs = NoiseLevels(ALPHAS, quantize=quantize), their_schedule(quantize)
    sigma = torch.tensor([0.001, 0.02916754, 0.05, 0.7, 3.0, 14.6, 14.614643, 80.0])
    np.testing.assert_allclose(ours.t_of_sigma(sigma).numpy(), theirs.sigma_to_t(sigma).numpy(), atol=2e-3)
    t = torch.tensor([0.0, 0.25, 500.5, 998.9, 999.0])
    np.testing.assert_allclose(ours.sigma_of_t(t).numpy(), theirs.t_to_sigma(t).numpy(), rtol=1e-5)


class Network:
    """Any function of x and t as a network; also in the form that the peer wraps."""

    alphas_cumprod = ALPHAS
    parameterization = "eps"

    def apply_model(self, x, t, cond=None):
        return torch.sin(x + t.to(x)[:, None, None, None] / 300)

    def __call__(self, x, t):
        return self.apply_model(x, t)


@pytest.mark.parametrize("ours, theirs", [(EpsDenoiser, "DiscreteEpsDDPMDenoiser"), (VDenoiser, "DiscreteVDDPMDenoiser")])
def test_a_denoiser_equals_its_peer(ours, theirs):
    x = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(1))
    sigma = torch.tensor([0.1, 2.0, 13.0])
    expected = getattr(peer()[1], theirs)(Network(), ALPHAS, False)(x, sigma)
    np.testing.assert_allclose(ours(Network(), NoiseLevels(ALPHAS))(x, sigma, None).numpy(), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if "peer" in s.checks], ids=lambda s: s.name)
def test_a_sampler_that_claims_a_peer_has_one_here(sampler):
    assert sampler.name in FUNCTIONS


@pytest.mark.parametrize("schedule", [s for s in SCHEDULES if "peer" in s.checks], ids=lambda s: s.label)
def test_a_schedule_that_claims_a_peer_has_one(schedule):
    """SGM Uniform is compared with scipy-free formulas and Normal's peer; Beta with scipy, in test_beta_quantile."""
    assert schedule.label in {"Uniform", "Karras", "Exponential", "Polyexponential", "Normal", "Beta"}
