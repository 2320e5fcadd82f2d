"""The normal numbers of CUDA's torch.randn on any device: Philox 4x32 with Box and Muller."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ROUND_FACTORS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))
_LOW = np.uint64(0xFFFFFFFF)
_TO_UNIT = np.float32(2.0**-32)
_TO_ANGLE = np.float32(2 * np.pi * 2.0**-32)


class PhiloxGenerator:
    """A stream of normal numbers for a seed; each call takes the next counter, whatever the number of values.

    Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (10 rounds); Box and Muller 1958.
    """

    def __init__(self, seed: int):
        self._key = np.array([seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF], dtype=np.uint32)
        self._calls = 0

    def normal(self, shape: Sequence[int]) -> np.ndarray:
        """float32 normal numbers of this shape."""
        count = int(np.prod(shape))
        counter: np.ndarray = np.zeros((4, count), dtype=np.uint32)
        counter[0] = self._calls
        counter[2] = np.arange(count, dtype=np.uint32)
        self._calls += 1
        bits = _philox(counter, self._key)
        radius = np.sqrt(-2 * np.log(bits[0] * _TO_UNIT + _TO_UNIT / 2))
        return (radius * np.sin(bits[1] * _TO_ANGLE + _TO_ANGLE / 2)).astype(np.float32).reshape(shape)


def _philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Ten rounds over counters [4, n] with one key [2]; uint32 [4, n]."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    with np.errstate(over="ignore"):  # the key wraps on purpose
        for _ in range(10):
            product_0, product_1 = c0 * _ROUND_FACTORS[0], c2 * _ROUND_FACTORS[1]
            high_0, low_0 = (product_0 >> np.uint64(32)).astype(np.uint32), (product_0 & _LOW).astype(np.uint32)
            high_1, low_1 = (product_1 >> np.uint64(32)).astype(np.uint32), (product_1 & _LOW).astype(np.uint32)
            c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
            k0, k1 = k0 + _KEY_STEPS[0], k1 + _KEY_STEPS[1]
    return np.stack([c0, c1, c2, c3])
