"""Quantiles of the beta distribution, without scipy."""
from __future__ import annotations

import math


def beta_quantile(probability: float, alpha: float, beta: float) -> float:
    """The x in 0..1 below which a beta(alpha, beta) variable lies with this probability, to about 1e-13.

    Bisection on the regularised incomplete beta function. Raises ValueError unless alpha, beta > 0 and probability in 0..1.
    """
    if not (alpha > 0 and beta > 0 and 0 <= probability <= 1):
        raise ValueError(f"needs alpha, beta > 0 and a probability in 0..1, not {alpha}, {beta}, {probability}")
    if probability in (0, 1):
        return float(probability)
    low, high = 0.0, 1.0
    # 1100 halvings reach the smallest positive number; quantiles near 0 of small alpha are that small.
    for _ in range(1100):
        middle = 0.5 * (low + high)
        if middle in (low, high) or high - low < 1e-16 * high:
            break
        if beta_probability(middle, alpha, beta) < probability:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def beta_probability(x: float, alpha: float, beta: float) -> float:
    """The regularised incomplete beta function I_x(alpha, beta), x in 0..1. Abramowitz and Stegun 26.5.8."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(alpha * math.log(x) + beta * math.log1p(-x)
                     + math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta))
    # The fraction converges fast only below the mean; above it the mirrored one does.
    if x < (alpha + 1) / (alpha + beta + 2):
        return front * _continued_fraction(x, alpha, beta) / alpha
    return 1 - front * _continued_fraction(1 - x, beta, alpha) / beta


def _continued_fraction(x: float, a: float, b: float) -> float:
    """1 / (1 + d1 / (1 + d2 / (1 + ...))), from the inside out."""
    value = 1.0
    # Below the mean the depth needed grows with the root of the larger parameter.
    for n in range(40 + int(6 * math.sqrt(max(a, b))), 0, -1):
        m = n // 2
        if n % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        value = 1 + d / value
    return 1 / value
