"""Which seed each picture of a job gets."""
import random
import re

from modules.errors import RequestError

HIGHEST_RANDOM_SEED = 2**32 - 2
MOST_VARIATIONS = 50
VARIATION = re.compile(r"\s*(\d{1,19})\s*:\s*(0?\.\d+|[01](?:\.0*)?)\s*")


def fixed_seed(seed: int | None) -> int:
    """`seed`, or a random one from 0 to 2**32 - 2 where it is None or -1."""
    return random.SystemRandom().randint(0, HIGHEST_RANDOM_SEED) if seed is None or seed == -1 else int(seed)


def seeds_of_pictures(seed: int, subseed: int, subseed_strength: float, count: int) -> tuple[list[int], list[int]]:
    """Seeds and variation seeds of `count` pictures.

    The main seed rises from picture to picture; with a variation strength only the variation seed does.
    """
    rises = subseed_strength == 0
    return [seed + i * rises for i in range(count)], [subseed + i for i in range(count)]


def variation_chain(text: str) -> list[tuple[int, float]]:
    """The further variations of a picture, "12:0.2, 77:0.1" as [(seed, strength)]: each turns the noise that the ones before left.

    Raises RequestError for what is no such list, or a longer one than MOST_VARIATIONS.
    """
    parts = [part for part in text.split(",") if part.strip()]
    found = [VARIATION.fullmatch(part) for part in parts]
    if any(match is None for match in found):
        raise RequestError("variations", f'The variation chain "{text[:80]}" cannot be read.',
                           remedy="Write seed:strength, seed:strength, ...")
    if len(found) > MOST_VARIATIONS:
        raise RequestError("variations", f"The variation chain has more than {MOST_VARIATIONS} parts.")
    return [(int(match[1]), float(match[2])) for match in found if match]
