"""Strengths of a LoRA by block of the U-Net, as prompts give them: <lora:name:1:lbw=1,0,0,...> or <lora:name:1:lbw=MIDD>."""
from __future__ import annotations

import re
from collections.abc import Mapping

from modules.errors import RequestError


def _blocks(letter: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:02}" for number in numbers)


BASE, MIDDLE = "BASE", "M00"
# The blocks that a list of so many numbers names, in the order of the network; the first number is for the text encoder.
LISTS: dict[int, tuple[str, ...]] = {
    12: (BASE, *_blocks("IN", 4, 5, 7, 8), MIDDLE, *_blocks("OUT", *range(6))),
    17: (BASE, *_blocks("IN", 1, 2, 4, 5, 7, 8), MIDDLE, *_blocks("OUT", *range(3, 12))),
    20: (BASE, *_blocks("IN", *range(9)), MIDDLE, *_blocks("OUT", *range(9))),
    26: (BASE, *_blocks("IN", *range(12)), MIDDLE, *_blocks("OUT", *range(12))),
}
# Lists of 17 that have names.
NAMED = {
    "NONE": "00000000000000000", "ALL": "11111111111111111", "INS": "11110000000000000", "IND": "10001110000000000",
    "INALL": "11111110000000000", "MIDD": "10001111111100000", "OUTD": "10000000111100000", "OUTS": "10000000000011111",
    "OUTALL": "10000000111111111"}
PLACE = re.compile(r"\.(input|middle|output)_blocks?\.(\d+)\.")
LETTERS = {"input": "IN", "output": "OUT"}


def block_factors(text: str) -> dict[str, float]:
    """Factors by block for a name or a list of numbers. Raises RequestError for what is neither."""
    numbers = NAMED.get(text.strip().upper())
    try:
        factors = [float(number) for number in (numbers or text.split(","))]
    except ValueError:
        factors = []
    if len(factors) not in LISTS:
        raise RequestError("prompt", f"lbw={text[:60]} is no list of block weights.",
                           remedy=f"Give {', '.join(map(str, LISTS))} numbers, or one of {', '.join(NAMED)}.")
    return dict(zip(LISTS[len(factors)], factors, strict=True))


def factor_of(factors: Mapping[str, float], parameter: str) -> float:
    """The factor for a parameter of the U-Net. A block that the list leaves out goes with the one before it, or after it at the start.

    What is in no block, such as the embedding of the time, has the factor 1.
    """
    found = PLACE.search(parameter)
    if found is None:
        return 1.0
    if found[1] == "middle":
        return factors[MIDDLE]
    named = [name for name in factors if name.startswith(LETTERS[found[1]])]
    before = [name for name in named if int(name[-2:]) <= int(found[2])]
    return factors[before[-1] if before else named[0]]
