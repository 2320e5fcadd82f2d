"""Quantiles of the beta distribution against scipy."""
import pytest
from scipy import stats

from modules.sampling.beta_quantile import beta_probability, beta_quantile


@pytest.mark.parametrize("alpha, beta", [(0.6, 0.6), (0.1, 0.1), (1.0, 1.0), (2.0, 5.0), (30.0, 3.0), (0.6, 2.0)])
def test_quantiles_equal_those_of_scipy(alpha, beta):
    for probability in (0.0, 1e-6, 0.03, 0.25, 0.5, 0.77, 0.999, 1.0):
        assert beta_quantile(probability, alpha, beta) == pytest.approx(stats.beta.ppf(probability, alpha, beta), abs=1e-12)


def test_probability_undoes_quantile():
    for probability in (0.01, 0.4, 0.9):
        assert beta_probability(beta_quantile(probability, 0.6, 0.8), 0.6, 0.8) == pytest.approx(probability, abs=1e-12)


@pytest.mark.parametrize("arguments", [(1.1, 1, 1), (-0.1, 1, 1), (0.5, 0, 1), (0.5, 1, -1), (float("nan"), 1, 1)])
def test_what_is_no_probability_is_refused(arguments):
    with pytest.raises(ValueError):
        beta_quantile(*arguments)
