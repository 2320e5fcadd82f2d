"""Seeds rise from picture to picture; with a variation strength only the variation seed does."""
from modules.generation.seeds import HIGHEST_RANDOM_SEED, fixed_seed, seeds_of_pictures


def test_seeds_rise_by_one_from_picture_to_picture():
    assert seeds_of_pictures(5, 9, 0.0, 3) == ([5, 6, 7], [9, 10, 11])


def test_with_a_variation_strength_the_main_seed_stays():
    assert seeds_of_pictures(5, 9, 0.3, 3) == ([5, 5, 5], [9, 10, 11])


def test_minus_one_draws_a_seed_in_the_range_of_the_field():
    drawn = {fixed_seed(-1) for _ in range(50)}
    assert len(drawn) > 40 and min(drawn) >= 0 and max(drawn) <= HIGHEST_RANDOM_SEED


def test_a_given_seed_is_kept():
    assert fixed_seed(42) == 42
