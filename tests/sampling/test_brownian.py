"""Brownian noise: the peer's numbers, one path per picture, additive, of unit variance."""
import math

import pytest
import torch
from sampling.gaussian_parts import peer

from modules.sampling.brownian import BrownianNoise

LIKE = torch.zeros(3, 4, 6, 5)


@pytest.mark.filterwarnings("ignore")
def test_increments_equal_those_of_the_peer():
    ours = BrownianNoise(LIKE, 0.03, 14.6, [5, 6, 7])
    theirs = peer()[0].BrownianTreeNoiseSampler(LIKE, 0.03, 14.6, seed=[5, 6, 7])
    for level, next_level in ((14.6, 8.25), (8.25, 0.7), (8.25, 3.125), (0.7, 0.03), (0.051234, 0.050001), (5.1, 9.9)):
        expected = theirs(torch.tensor(level, dtype=torch.float64), torch.tensor(next_level, dtype=torch.float64))
        torch.testing.assert_close(ours(level, next_level), expected.float(), atol=1e-4, rtol=0)


def test_a_path_is_the_same_alone_and_in_a_batch():
    together = BrownianNoise(LIKE, 0.03, 14.6, [5, 6, 7])
    alone = BrownianNoise(LIKE[:1], 0.03, 14.6, [6])
    assert torch.equal(together(9.5, 2.5)[1], alone(9.5, 2.5)[0])


def test_a_path_does_not_depend_on_the_steps_it_is_read_with():
    noise = BrownianNoise(LIKE, 0.03, 14.6, [5, 6, 7])
    once = noise(8.0, 2.0) * math.sqrt(6)
    twice = BrownianNoise(LIKE, 0.03, 14.6, [5, 6, 7])
    parts = twice(8.0, 5.0) * math.sqrt(3) + twice(5.0, 2.0) * math.sqrt(3)
    torch.testing.assert_close(once, parts, atol=1e-4, rtol=0)


def test_increments_have_unit_variance():
    noise = BrownianNoise(torch.zeros(2, 4, 64, 64), 0.03, 14.6, [1, 2])
    assert noise(7.0, 6.5).std().item() == pytest.approx(1, abs=0.02)


def test_other_numbers_may_be_drawn():
    asked = []
    noise = BrownianNoise(LIKE[:1], 0.03, 14.6, [5], normal=lambda seed, shape: asked.append(seed) or torch.zeros(tuple(shape)))
    assert not noise(9.0, 1.0).any() and len(asked) == len(set(asked)) > 20


def test_levels_beyond_the_range_count_as_its_ends():
    noise = BrownianNoise(LIKE, 0.0291675366, 14.6146430968, [5, 6, 7])
    whole = noise(14.6146430968, 0.0291675366)
    torch.testing.assert_close(noise(20.0, 0.0) * math.sqrt(20), whole * math.sqrt(14.6146430968 - 0.0291675366))
