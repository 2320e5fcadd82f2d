"""Learned embeddings that A1111 stores in pictures: as a text chunk, or in the lower four bits of two bands at the sides."""
from __future__ import annotations

import base64
import binascii
import json
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

SUFFIXES = (".png", ".webp")
PREVIEW = ".preview"
CHUNK = "sd-ti-embedding"
TENSOR = "TORCHTENSOR"
MOST_BYTES = 64 * 2**20
MOST_PIXELS = 4096 * 4096
FORMATS = ("PNG", "WEBP")
NOT_READABLE = (OSError, ValueError, SyntaxError, KeyError, TypeError, OverflowError, struct.error, zlib.error, binascii.Error,
                RecursionError, Image.DecompressionBombError)


def contents_of(path: Path) -> dict[str, Any] | None:
    """The table in a picture, in the form of a .pt file; None where it is an ordinary picture, or cannot be read as one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is lower
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    return None
                text = image.info.get(CHUNK)
                if isinstance(text, str) and text:
                    return _table(base64.b64decode(text))
                hidden = _from_pixels(np.asarray(image.convert("RGB")))
        return None if hidden is None else _table(hidden)
    except NOT_READABLE:
        return None


def _table(content: bytes) -> dict[str, Any] | None:
    table = json.loads(content, object_hook=lambda entry: torch.tensor(entry[TENSOR]) if TENSOR in entry else entry)
    return table if isinstance(table, dict) and "string_to_param" in table else None


def _from_pixels(pixels: np.ndarray) -> bytes | None:
    """The bytes in the low bits of pixels [h, w, 3]: the low halves left of a band of black low bits, the high halves right of it."""
    low = _without_border(pixels) & 0x0F
    empty = np.flatnonzero(low.sum(axis=(0, 2), dtype=np.int64) == 0)
    if len(empty) < 2 or empty[0] == 0 or empty[-1] + 1 >= low.shape[1]:
        return None
    left, right = _unmixed(low[:, :empty[0]]), _unmixed(low[:, empty[-1] + 1:])
    if left.shape != right.shape:
        return None
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(((right << 4) | left).reshape(-1).tobytes(), MOST_BYTES)
    return content if unpacker.eof else None


def _without_border(pixels: np.ndarray) -> np.ndarray:
    """The picture without black rows and columns around it."""
    bright = np.all(pixels > 0, axis=2)
    rows, columns = np.flatnonzero(np.any(bright, axis=1)), np.flatnonzero(np.any(bright, axis=0))
    return pixels if not len(rows) else pixels[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def _unmixed(block: np.ndarray) -> np.ndarray:
    """A block of half bytes with the pattern of the format taken off; it is its own inverse."""
    return block ^ (_pattern(block.size) & 0x0F).reshape(block.shape)


def _pattern(count: int) -> np.ndarray:
    """The lowest bytes of a linear congruential generator (a = 1664525, c = 1013904223, modulus 2^32) that starts at zero.

    They depend on the lowest bytes before them alone, so they come again after 256.
    """
    values, state = [], 0
    for _ in range(256):
        state = (1664525 * state + 1013904223) & 0xFF
        values.append(state)
    return np.resize(np.array(values, np.uint8), count)
