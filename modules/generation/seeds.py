"""Which seed each picture of a job gets."""
import random

HIGHEST_RANDOM_SEED = 2**32 - 2


def fixed_seed(seed: int | None) -> int:
    """`seed`, or a random one from 0 to 2**32 - 2 where it is None or -1."""
    return random.SystemRandom().randint(0, HIGHEST_RANDOM_SEED) if seed is None or seed == -1 else int(seed)


def seeds_of_pictures(seed: int, subseed: int, subseed_strength: float, count: int) -> tuple[list[int], list[int]]:
    """Seeds and variation seeds of `count` pictures.

    The main seed rises from picture to picture; with a variation strength only the variation seed does.
    """
    rises = subseed_strength == 0
    return [seed + i * rises for i in range(count)], [subseed + i for i in range(count)]
