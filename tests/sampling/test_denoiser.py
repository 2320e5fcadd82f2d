"""Noise levels and the networks of either parameterization."""
import numpy as np
import pytest
import torch
from sampling.gaussian_parts import RecordedNetwork, recorded, text

from modules.sampling.denoiser import EpsDenoiser, EpsPredictor, NoiseLevels, VDenoiser, VPredictor, effective_alphas, inner_denoiser

ALPHAS = torch.from_numpy(recorded()[1]["alphas_cumprod"])
LEVELS = NoiseLevels(ALPHAS)


class AsV:
    """The recorded network told as a v-prediction network: v = sqrt(a) eps - sqrt(1-a) x0."""

    parameterization = "v"
    alphas_cumprod = ALPHAS

    def apply_model(self, x, t, cond):
        eps = RecordedNetwork().apply_model(x, t, cond)
        a = (1 / (LEVELS.sigma_of_t(t) ** 2 + 1))[:, None, None, None]
        return a.sqrt() * eps - (1 - a).sqrt() * (x - (1 - a).sqrt() * eps) / a.sqrt()


def test_levels_are_those_of_the_recording():
    np.testing.assert_allclose(LEVELS.sigmas.numpy(), recorded()[1]["model_sigmas_1000"], rtol=1e-5)
    assert LEVELS.sigma_min == pytest.approx(0.0292, abs=1e-4) and LEVELS.sigma_max == pytest.approx(14.6146, abs=1e-4)


def test_timestep_undoes_level():
    t = torch.tensor([0.0, 0.5, 17.25, 998.75, 999.0])
    torch.testing.assert_close(LEVELS.t_of_sigma(LEVELS.sigma_of_t(t)), t, atol=0.01, rtol=0)


def test_levels_beyond_the_schedule_are_its_ends():
    assert LEVELS.t_of_sigma(torch.tensor([1e-6, 1e3])).tolist() == [0.0, 999.0]


def test_both_parameterizations_give_the_same_estimate():
    x, sigma = torch.randn(3, 4, 8, 8), LEVELS.sigma_of_t(torch.tensor([5.0, 400.0, 900.0]))
    eps = EpsDenoiser(RecordedNetwork(), LEVELS)(x, sigma, text(1.0))
    torch.testing.assert_close(VDenoiser(AsV(), LEVELS)(x, sigma, text(1.0)), eps, atol=2e-3, rtol=1e-3)


def test_both_parameterizations_give_the_same_noise_at_timesteps():
    x, t = torch.randn(3, 4, 8, 8), torch.tensor([5.0, 400.0, 900.0])
    eps = EpsPredictor(RecordedNetwork(), LEVELS)(x, t, text(1.0))
    torch.testing.assert_close(VPredictor(AsV(), LEVELS)(x, t, text(1.0)), eps, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind, network, expected", [
    ("sigma", RecordedNetwork, EpsDenoiser), ("sigma", AsV, VDenoiser), ("timestep", RecordedNetwork, EpsPredictor),
    ("timestep", AsV, VPredictor)])
def test_a_model_gets_the_wrapper_of_its_parameterization(kind, network, expected):
    assert isinstance(inner_denoiser(network(), LEVELS, kind), expected)


def test_zero_terminal_snr_equals_the_recorded_schedule():
    got = effective_alphas(ALPHAS, zero_terminal_snr=True)
    np.testing.assert_allclose(got.numpy(), recorded()[1]["alphas_cumprod_zsnr"], rtol=1e-4, atol=1e-9)
    assert torch.equal(effective_alphas(ALPHAS), ALPHAS)


def test_rounded_alphas_stay_close():
    np.testing.assert_allclose(effective_alphas(ALPHAS, downcast=True).numpy(), ALPHAS.numpy(), rtol=1e-3)
