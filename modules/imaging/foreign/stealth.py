"""Text hidden in the lowest bits of a picture's pixels, the form called stealth pnginfo.

Bits run down the columns, from the left; of each pixel that of alpha, or those of red, green and blue. They spell a signature of
fifteen letters, the length of the rest in bits (32 bits, the highest first), and UTF-8 text, compressed by gzip or not.
"""
from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

MOST_BYTES = 4_000_000
SIGNATURE_BITS, LENGTH_BITS = 15 * 8, 32
GZIP = 31  # zlib's window size, plus 16 for the header of gzip
# Signature -> whether the text is compressed; for alpha, and for red, green and blue.
IN_ALPHA = {b"stealth_pnginfo": False, b"stealth_pngcomp": True}
IN_COLOURS = {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}


def stealth_text(image: Image.Image) -> str:
    """The hidden text, empty where there is none. Reads no more columns than the text has."""
    places = ((slice(3, 4), IN_ALPHA), (slice(0, 3), IN_COLOURS)) if image.mode == "RGBA" else ((slice(0, 3), IN_COLOURS),)
    if image.mode not in ("RGB", "RGBA"):
        return ""
    for channels, signatures in places:
        signature = _bytes(image, channels, 0, SIGNATURE_BITS)
        if signature not in signatures:
            continue
        length = int.from_bytes(_bytes(image, channels, SIGNATURE_BITS, LENGTH_BITS), "big")
        begin = SIGNATURE_BITS + LENGTH_BITS
        content = _bytes(image, channels, begin, min(length, MOST_BYTES * 8) // 8 * 8)
        return _unpacked(content) if signatures[signature] else content.decode("utf-8", "replace")
    return ""


def _bytes(image: Image.Image, channels: slice, begin: int, count: int) -> bytes:
    """`count` bits from bit number `begin` on, as far as the picture goes."""
    per_column = image.height * (channels.stop - channels.start)
    first, last = begin // per_column, min(-(-(begin + count) // per_column), image.width)
    if first >= last:
        return b""
    columns = np.asarray(image.crop((first, 0, last, image.height)))[..., channels]  # [H, columns, channels]
    bits = columns.transpose(1, 0, 2).reshape(-1) & 1
    offset = begin - first * per_column
    return np.packbits(bits[offset: offset + count]).tobytes()


def _unpacked(content: bytes) -> str:
    try:
        return zlib.decompressobj(GZIP).decompress(content, MOST_BYTES).decode("utf-8", "replace")
    except zlib.error:
        return ""
