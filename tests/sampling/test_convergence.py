"""The error against a closed form falls with the order of the sampler; stochastic samplers keep mean and variance of the data."""
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sampling.gaussian_parts import NormalData, no_noise, recorded

from modules.sampling.brownian import BrownianNoise
from modules.sampling.denoiser import ConsistencyDenoiser, NoiseLevels
from modules.sampling.registry import SAMPLERS, find_sampler
from modules.sampling.schedules import exponential_sigmas

DATA = NormalData()
ALPHAS = torch.from_numpy(recorded()[1]["alphas_cumprod"])
START = torch.linspace(-20, 20, 64, dtype=torch.float64).reshape(1, 1, 8, 8)

# sampler -> (order, its arguments)
SIGMA_ORDERS = {
    "Euler": (1, {}), "Heun": (2, {}), "DPM2": (2, {}), "DPM++ 2M": (2, {}), "LMS": (2, {"order": 2}), "Restart": (2, {}),
    "Euler a": (1, {"eta": 0.0}), "DPM2 a": (2, {"eta": 0.0}), "DPM++ 2S a": (2, {"eta": 0.0}), "DPM++ SDE": (2, {"eta": 0.0}),
    "DPM++ 2M SDE": (2, {"eta": 0.0}), "DPM++ 2M SDE Heun": (2, {"eta": 0.0, "solver_type": "heun"}), "DPM++ 3M SDE": (3, {"eta": 0.0}),
    "DPM fast": (2, {}),
}


def falling(steps: int, high: float = 10.0, low: float = 0.3) -> torch.Tensor:
    """Levels evenly spaced in their log that end above 0, in float64."""
    return torch.linspace(math.log(high), math.log(low), steps + 1, dtype=torch.float64).exp()


def sigma_error(name: str, steps: int, **arguments) -> float:
    sigmas = falling(steps)
    if name == "DPM fast":
        # It takes the ends alone, and the last of a schedule is 0 by its contract.
        arguments["sigma_min"] = sigmas[-1].item()
    got = find_sampler(name).function(DATA, START, sigmas, noise=no_noise, **arguments)
    return (got - DATA.moved(START, 10.0, 0.3)).abs().max().item()


@pytest.mark.parametrize("name", SIGMA_ORDERS)
def test_error_falls_with_the_order_of_the_sampler(name):
    order, arguments = SIGMA_ORDERS[name]
    # Restart goes back up from 20 steps on; below that it is Heun's method.
    # DPM fast ends with a step of order 1 for both numbers, whose own error is of second order.
    coarse, fine = {"Restart": (9, 18), "DPM fast": (40, 79), "DPM++ 3M SDE": (40, 80)}.get(name, (80, 160))
    slope = math.log2(sigma_error(name, coarse, **arguments) / sigma_error(name, fine, **arguments))
    assert slope == pytest.approx(order, abs=0.35)


def test_the_adaptive_sampler_stays_within_its_tolerance():
    got = find_sampler("DPM adaptive").function(DATA, START, torch.tensor([10.0, 0.3, 0.0]), noise=no_noise)
    assert (got - DATA.moved(START, 10.0, 0.3)).abs().max().item() < 0.05


def timestep_error(name: str, steps: int, **arguments) -> float:
    timesteps = list(range(100, 1000, 864 // steps)) if name != "UniPC" else list(range(steps))
    predict = lambda x, t: DATA.eps(ALPHAS, x, t)
    x = torch.linspace(-2, 2, 64, dtype=torch.float64).reshape(1, 1, 8, 8)
    if name == "DDIM CFG++":
        latest = []
        predict = lambda x, t: latest.append(DATA.eps(ALPHAS, x, t)) or latest[-1]
        arguments["last_unguided"] = lambda: latest[-1]
    got = find_sampler(name).function(predict, x, timesteps, ALPHAS, noise=no_noise, **arguments)
    top, end = (999, 0) if name == "UniPC" else (timesteps[-1], timesteps[0])
    a_top, a_end = ALPHAS[top].item(), ALPHAS[end].item()
    moved = DATA.moved(x / math.sqrt(a_top), *(math.sqrt((1 - a) / a) for a in (a_top, a_end)))
    return (got - moved * math.sqrt(a_end)).abs().max().item()


@pytest.mark.parametrize("name, order, arguments", [
    ("DDIM", 1, {}), ("DDIM CFG++", 1, {}), ("PLMS", 2, {}), ("UniPC", 2, {"order": 2, "lower_order_final": False, "skip_type": "logSNR"}),
    ("UniPC", 3, {"order": 3, "lower_order_final": False, "skip_type": "logSNR"}),
    ("UniPC", 3, {"order": 3, "lower_order_final": False, "skip_type": "logSNR", "variant": "bh2"}),
    ("UniPC", 3, {"order": 3, "lower_order_final": False, "skip_type": "logSNR", "variant": "vary_coeff"})])
def test_error_on_timesteps_falls_at_least_with_the_order(name, order, arguments):
    # PLMS and DDIM take whole timesteps; on coarse grids the errors of the two ends of PLMS cancel in part.
    errors = [timestep_error(name, steps, **arguments) for steps in ((24, 48) if name == "UniPC" else (216, 432))]
    assert math.log2(errors[0] / errors[1]) > order - 0.4
    assert errors[1] < 0.1


STOCHASTIC = ["Euler a", "DPM2 a", "DPM++ 2S a", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE", "DPM fast",
              "DPM adaptive"]


@pytest.mark.parametrize("name", STOCHASTIC)
def test_stochastic_samplers_keep_mean_and_variance_of_the_data(name):
    sampler = find_sampler(name)
    x = 15 * torch.randn(2, 4, 48, 48, generator=torch.Generator().manual_seed(0))
    path = BrownianNoise(x, 0.01, 15.0, [1, 2])
    sigmas = exponential_sigmas(100, 0.02, 15.0)
    got = sampler.function(NormalData(0.7, 0.5), x.double(), sigmas, noise=path, eta=1.0, **sampler.fixed)
    assert got.mean().item() == pytest.approx(0.7, abs=0.02)
    assert got.std().item() == pytest.approx(0.5, rel=0.04)


def test_churn_and_restarts_keep_mean_and_variance_of_the_data():
    x = 15 * torch.randn(2, 4, 48, 48, generator=torch.Generator().manual_seed(0))
    path = lambda level, next_level: torch.randn(x.shape, generator=fresh)
    fresh = torch.Generator().manual_seed(5)
    sigmas = exponential_sigmas(60, 0.02, 15.0)
    for name, arguments in (("Heun", {"s_churn": 20.0}), ("DPM2", {"s_churn": 20.0}), ("Restart", {})):
        got = find_sampler(name).function(NormalData(0.7, 0.5), x.double(), sigmas, noise=path, **arguments)
        assert got.mean().item() == pytest.approx(0.7, abs=0.02)
        assert got.std().item() == pytest.approx(0.5, rel=0.04)


def test_full_eta_makes_ddim_a_diffusion_with_the_right_spread():
    x = torch.randn(2, 4, 48, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fresh = torch.Generator().manual_seed(5)
    noise = lambda t, t_next: torch.randn(x.shape, generator=fresh)
    got = find_sampler("DDIM").function(lambda x, t: DATA.eps(ALPHAS, x, t), x, list(range(1, 1000, 4)), ALPHAS, noise=noise, eta=1.0)
    assert got.mean().item() == pytest.approx(0.7, abs=0.02)
    assert got.std().item() == pytest.approx(0.5, rel=0.04)


def test_consistency_sampling_has_the_spread_of_its_own_recurrence():
    """Each jump shrinks the spread by s^2/(s^2+sigma^2) and adds the next level's noise: a closed form for mean and variance."""
    sigmas = [14.0, 3.0, 1.0, 0.0]
    x = 14 * torch.randn(2, 4, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fresh = torch.Generator().manual_seed(5)
    got = find_sampler("LCM").function(DATA, x, torch.tensor(sigmas), noise=lambda a, b: torch.randn(x.shape, generator=fresh))
    mean, variance = 0.0, 14.0**2
    for sigma, sigma_next in pairwise(sigmas):
        keep = DATA.spread**2 / (DATA.spread**2 + sigma**2)
        mean, variance = keep * mean + (1 - keep) * DATA.mean, keep**2 * variance + sigma_next**2
    assert got.mean().item() == pytest.approx(mean, abs=0.01)
    assert got.std().item() == pytest.approx(math.sqrt(variance), rel=0.02)


def test_a_consistency_model_knows_every_twentieth_training_step():
    levels = ConsistencyDenoiser(None, NoiseLevels(ALPHAS)).levels  # type: ignore[arg-type]
    assert len(levels) == 50
    np.testing.assert_allclose(levels.alphas_cumprod.numpy(), ALPHAS.numpy()[19::20])


@pytest.mark.parametrize("sampler", [s for s in SAMPLERS if "analytic" in s.checks], ids=lambda s: s.name)
def test_a_sampler_that_claims_an_analytic_check_has_one_here(sampler):
    timesteps = {"DDIM", "DDIM CFG++", "PLMS", "UniPC"}
    assert sampler.name in {*SIGMA_ORDERS, *STOCHASTIC, *timesteps, "LCM"}
