"""Each schedule to its formula, and what is refused."""
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from sampling.gaussian_parts import recorded
from scipy import stats

from modules.errors import RequestError
from modules.sampling.denoiser import NoiseLevels
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import schedule_sigmas
from modules.sampling.schedules import (
    SCHEDULES,
    align_your_steps_sigmas,
    discrete_timesteps,
    find_schedule,
    karras_sigmas,
    parse_sigmas,
)

LEVELS = NoiseLevels(torch.from_numpy(recorded()[1]["alphas_cumprod"]))
LOW, HIGH = LEVELS.sigma_min, LEVELS.sigma_max
TRAINED = LEVELS.sigmas.double().numpy()


def interpolated(t):
    """Level at a fractional timestep: linear in the log."""
    return np.exp(np.interp(t, np.arange(1000), np.log(TRAINED)))


def falling_ramp(n):
    return np.linspace(1, 0, n) if n > 1 else np.ones(1)


FORMULAS = {
    "Uniform": lambda n: interpolated(999 * falling_ramp(n)),
    "Karras": lambda n: (HIGH ** (1 / 7) + (1 - falling_ramp(n)) * (LOW ** (1 / 7) - HIGH ** (1 / 7))) ** 7,
    "Exponential": lambda n: LOW * (HIGH / LOW) ** falling_ramp(n),
    "Polyexponential": lambda n: LOW * (HIGH / LOW) ** falling_ramp(n),
    "SGM Uniform": lambda n: interpolated(np.linspace(999, 0, n + 1)[:-1]),
    "Normal": lambda n: interpolated(999 * falling_ramp(n)),
    "Simple": lambda n: TRAINED[[999 - int(i * 1000 / n) for i in range(n)]],
    "DDIM": lambda n: TRAINED[1::1000 // n][::-1],
    "Beta": lambda n: LOW + (HIGH - LOW) * stats.beta.ppf(falling_ramp(n), 0.6, 0.6),
    "Align Your Steps": lambda n: np.exp(np.interp(
        np.linspace(0, 10, n), np.arange(11),
        np.log([14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]))),
}


@pytest.mark.parametrize("steps", [2, 7, 20, 50])
@pytest.mark.parametrize("label", FORMULAS)
def test_a_schedule_follows_its_formula_and_ends_at_zero(label, steps):
    np.testing.assert_allclose(schedule_sigmas(label, steps, LEVELS).numpy(), [*FORMULAS[label](steps), 0], rtol=1e-4, atol=1e-6)


def test_kl_optimal_ends_at_the_lowest_level():
    got = schedule_sigmas("KL Optimal", 12, LEVELS).numpy()
    np.testing.assert_allclose(got, np.tan(np.linspace(math.atan(HIGH), math.atan(LOW), 13)), rtol=1e-4)


def test_ten_optimised_steps_keep_the_published_levels():
    published = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029, 0.0]
    np.testing.assert_allclose(align_your_steps_sigmas(11).numpy(), published, rtol=1e-5)
    assert align_your_steps_sigmas(11, is_sdxl=True)[1].item() == pytest.approx(6.315)


def test_automatic_is_the_plain_schedule_where_no_sampler_says_otherwise():
    assert torch.equal(schedule_sigmas("Automatic", 9, LEVELS), schedule_sigmas("Uniform", 9, LEVELS))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.label)
def test_every_schedule_falls_from_one_step_to_hundreds(schedule):
    for steps in (1, 2, 3, 13, 150, 999):
        sigmas = schedule_sigmas(schedule.label, steps, LEVELS).tolist()
        assert len(sigmas) >= steps + 1 and sigmas[-1] in (0.0, pytest.approx(LOW, rel=1e-3))
        assert all(a > b for a, b in pairwise(sigmas))


def test_beta_takes_its_shape_from_the_settings():
    got = schedule_sigmas("Beta", 9, LEVELS, SamplingOptions(beta_dist_alpha=2.0, beta_dist_beta=0.5)).numpy()
    np.testing.assert_allclose(got[:-1], LOW + (HIGH - LOW) * stats.beta.ppf(falling_ramp(9), 2.0, 0.5), rtol=1e-4)


def test_bend_acts_only_where_a_schedule_has_one():
    options = SamplingOptions(rho=3.0)
    assert torch.equal(schedule_sigmas("Karras", 8, LEVELS, options), karras_sigmas(8, LOW, HIGH, 3.0))
    assert torch.equal(schedule_sigmas("Exponential", 8, LEVELS, options), schedule_sigmas("Exponential", 8, LEVELS))


def test_schedules_are_found_by_label_name_and_alias_in_any_case():
    assert find_schedule("sgm uniform") is find_schedule("SGMUniform") is find_schedule("sgm_uniform")


def test_a_list_of_levels_is_a_schedule_whose_label_is_the_list():
    found = find_schedule(" 14.614643 6.5,2")
    assert found.label == "14.61464, 6.5, 2, 0" and find_schedule(found.label).label == found.label


def test_a_list_that_is_wrong_or_endless_is_refused():
    with pytest.raises(RequestError, match="does not fall"):
        find_schedule("1, 2")
    with pytest.raises(RequestError, match="holds 5001 levels; 1001 are the most"):
        find_schedule(" ".join(str(n) for n in range(5000, 0, -1)))


def test_an_unknown_schedule_names_the_valid_ones_nearest_first():
    with pytest.raises(RequestError) as refused:
        find_schedule("Karas")
    assert "There is no schedule type 'Karas'. Choose one of: Karras, " in str(refused.value)
    assert all(row.label in str(refused.value) for row in SCHEDULES)


@pytest.mark.parametrize("text, values", [("14.6, 6.5 2,0", [14.6, 6.5, 2, 0]), ("3 1 0.5", [3, 1, 0.5, 0]), ("1", [1, 0])])
def test_a_free_list_of_levels_is_read(text, values):
    np.testing.assert_allclose(parse_sigmas(text).numpy(), values, rtol=1e-6)


@pytest.mark.parametrize("text, reason", [
    ("", "at least one level"), ("0", "at least one level"), ("3, 5, 0", "does not fall: entry 2 is 5 after 3"),
    ("3, 3", "does not fall"), ("3, x", "'x', which is not a number"), ("nan", "Entry 1"), ("5, inf", "Entry 2"), ("2, -1", "Entry 2"),
    ("4, 0, 0", "does not fall")])
def test_a_list_that_does_not_fall_is_refused_with_its_place(text, reason):
    with pytest.raises(RequestError, match=reason):
        parse_sigmas(text)


@pytest.mark.parametrize("steps", [0, 1001])
def test_timesteps_exist_for_one_to_a_thousand_steps(steps):
    with pytest.raises(RequestError, match="1 to 1000 steps"):
        discrete_timesteps(steps)


def test_an_empty_range_of_levels_is_refused():
    with pytest.raises(RequestError, match="Sigma min 20 is not below sigma max"):
        schedule_sigmas("Karras", 5, LEVELS, SamplingOptions(sigma_min=20.0))
    with pytest.raises(ValueError):
        karras_sigmas(0, 0.1, 1.0)
