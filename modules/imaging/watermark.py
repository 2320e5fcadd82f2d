"""A short text hidden in the colours of a picture, as the first Stable Diffusion programs wrote it ("dwtDct").

One level of a Haar transform of the U channel; in each 4x4 block of its low band the largest coefficient but the first carries one
bit, and the bits of the text follow one another over the whole picture again and again. The reader takes the majority.
It survives PNG, and JPEG of quality 95; it does not survive a change of the size.
"""
from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modules.errors import UserError
from modules.imaging.open_picture import decoded

Floats = NDArray[np.float64]
Bits = NDArray[np.bool_]

# Where two values of the same bit lie apart; the other bit lies half-way between.
SCALE = 36.0
BLOCK = 4
LEAST_PIXELS = 256 * 256
STRIPE_PX = 512
# How far a coefficient is kept from values that mean the other bit, and whether it gives way where blue is at its end already;
# the next one is tried when the watermark does not survive.
ATTEMPTS = ((4.0, True), (5.5, True), (7.0, True), (5.5, False))
TEXT_LENGTHS = range(4, 33)
# Of the repeats of any one bit, and of all on average, 0..1, in a text that is not known beforehand.
LEAST_AGREEMENTS = (0.3, 0.7)
LEAST_MATCH = 0.93

# U = 0.492 (B - Y) + 128 with Y = 0.299 R + 0.587 G + 0.114 B; a change of U at the same Y and R changes B and G.
LUMA = np.array((0.299, 0.587, 0.114))
BLUE_OF_Y = 0.492
CHANGE_OF_RGB = np.array((0.0, -0.114 / (0.587 * BLUE_OF_Y), 1.0 / BLUE_OF_Y))

# What programs write: a text, or 48 bits without one.
DEFAULT_TEXT = "StableDiffusionV1"
SDXL_BITS = "101100111110110010010000011110111011000110011110"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A watermark. `text`: what it says, or whose it is; `share`: of its bits that were read as they must be, 0..1."""

    text: str
    share: float = 1.0


def is_large_enough(image: Image.Image) -> bool:
    """Whether a picture has room for a watermark."""
    return image.width * image.height >= LEAST_PIXELS and min(image.size) >= 2 * BLOCK


def checked_text(text: str) -> str:
    """`text` as it can be hidden. Raises UserError unless it is 4 to 32 plain characters."""
    text = text.strip()
    if not (text.isascii() and text.isprintable() and len(text) in TEXT_LENGTHS):
        raise UserError(f"The watermark {text[:40]!r} cannot be written.", "It must be 4 to 32 letters, digits and signs of plain ASCII.",
                        "Change it in Settings, Watermark and safety filter.")
    return text


def with_watermark(image: Image.Image, text: str) -> Image.Image:
    """A copy of `image` (RGB, or RGBA) with `text` hidden in it. Raises UserError where it is too small or cannot hold it.

    What was written is read back, from a JPEG too; where it does not survive that, it is written more strongly.
    """
    if not is_large_enough(image):
        raise UserError("No watermark was added.", f"The picture has {image.width}x{image.height} pixels, and a watermark needs 256x256.")
    message = bits_of(checked_text(text))
    rgba = image if image.mode == "RGBA" else image.convert("RGB")
    pixels = np.array(rgba)
    best: NDArray[np.uint8] | None = None
    for distance, is_gentle in ATTEMPTS:
        marked = embedded(pixels[..., :3], message, distance, is_gentle=is_gentle)
        if not np.array_equal(read_bits(marked, len(message)), message):
            continue
        best = marked if best is None else best
        if np.array_equal(read_bits(after_jpeg(marked), len(message)), message):
            best = marked
            break
    if best is None:
        raise UserError("No watermark was added.", "The colours of the picture leave no room for it.")
    pixels[..., :3] = best
    return Image.fromarray(pixels)


def after_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] as they come back from a JPEG of quality 95."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return np.array(Image.open(file))


def watermark_in_file(content: bytes) -> str:
    """What the watermark in a picture file says, in a few words; "" without one. Raises PictureRefused."""
    found = decoded(content, then=find_watermark)
    if found is None:
        return ""
    return found.text if found.share == 1 else f"{found.text} ({found.share:.0%} of its bits)"


def find_watermark(image: Image.Image) -> Found | None:
    """The watermark of a picture, if it has one that is known or a text."""
    if not is_large_enough(image):
        return None
    flags = block_flags(np.array(image.convert("RGB")))
    for text, message in known_messages():
        share = float((majority(flags, len(message))[0] == message).mean())
        if share >= LEAST_MATCH:
            return Found(text=text, share=share)
    return _any_text(flags)


def known_messages() -> Iterator[tuple[str, Bits]]:
    """What other programs write."""
    for text in (DEFAULT_TEXT, "SDV2"):
        yield text, bits_of(text)
    yield "Stable Diffusion XL", np.array([sign == "1" for sign in SDXL_BITS])


def _any_text(flags: Bits) -> Found | None:
    best, found = LEAST_AGREEMENTS[1], None
    for length in TEXT_LENGTHS:
        bits, agreement = majority(flags, 8 * length)
        content = np.packbits(bits).tobytes()
        is_text = all(32 <= sign < 127 for sign in content) and len(set(content)) > 1
        if is_text and agreement.mean() > best and agreement.min() >= LEAST_AGREEMENTS[0]:
            best, found = agreement.mean() + 0.01, Found(text=content.decode("ascii"))  # twice the text fits too: the shorter one counts
    return found


def bits_of(text: str) -> Bits:
    """The bits of a text, eight per character, highest first."""
    return np.unpackbits(np.frombuffer(text.encode("ascii"), np.uint8)).astype(bool)


def read_bits(pixels: NDArray[np.uint8], count: int) -> Bits:
    """The `count` bits of a watermark in pixels [H, W, 3]."""
    return majority(block_flags(pixels), count)[0]


def majority(flags: Bits, count: int) -> tuple[Bits, Floats]:
    """(bit k of `count` by the votes of the flags k, k + count, ..., how much these agree 0..1); without a vote it is 0."""
    places = np.arange(len(flags)) % count
    votes = np.bincount(places, minlength=count)
    share = np.bincount(places, weights=flags, minlength=count) / np.maximum(votes, 1)
    return share * 255 > 127, np.abs(2 * share - 1)


def block_flags(pixels: NDArray[np.uint8]) -> Bits:
    """The bit that each block says, row by row."""
    sizes = [np.abs(carriers(blocks_of(low_band(pixels[rows])))) for rows in stripes(pixels)]
    return np.concatenate(sizes) % SCALE > SCALE / 2


def stripes(pixels: NDArray[np.uint8]) -> Iterator[slice]:
    """Rows of whole blocks, few at a time: the numbers behind a picture take ten times its room."""
    side = 2 * BLOCK
    for start in range(0, pixels.shape[0] // side * side, STRIPE_PX):
        yield slice(start, min(start + STRIPE_PX, pixels.shape[0] // side * side))


def low_band(pixels: NDArray[np.uint8]) -> Floats:
    """The low band [h, w] of a Haar transform of U, of pixels [H, W, 3] without what goes beyond multiples of 4."""
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    rgb = pixels[:height, :width].astype(np.float64)
    u = BLUE_OF_Y * (rgb[..., 2] - rgb @ LUMA) + 128
    return u.reshape(height // 2, 2, width // 2, 2).sum((1, 3)) / 2


def blocks_of(band: Floats) -> Floats:
    """Its 4x4 blocks [rows, columns, 16] from the upper left, as far as they are whole."""
    rows, columns = (side // BLOCK for side in band.shape)
    whole = band[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return whole.transpose(0, 2, 1, 3).reshape(rows, columns, BLOCK * BLOCK)


def carriers(blocks: Floats) -> Floats:
    """The largest coefficient but the first of each block, [blocks]."""
    flat = blocks.reshape(-1, BLOCK * BLOCK)[:, 1:]
    return np.take_along_axis(flat, np.abs(flat).argmax(1)[:, None], 1)[:, 0]


def embedded(pixels: NDArray[np.uint8], message: Bits, distance: float, *, is_gentle: bool = True) -> NDArray[np.uint8]:
    """Pixels [H, W, 3] with the bits in them. The U of a block is moved as a whole, so that no filter singles the coefficient out.

    distance: how far a coefficient stays from values that mean the other bit, 0..9. is_gentle: less where blue ends before.
    """
    result = pixels.copy()
    done = 0
    for rows in stripes(pixels):
        change = changes(pixels[rows], np.roll(message, -done), distance, is_gentle)
        done += change.size
        u_change = np.kron(change / 2, np.ones((2 * BLOCK, 2 * BLOCK)))
        width = u_change.shape[1]
        result[rows, :width] = np.clip(np.rint(pixels[rows, :width] + u_change[..., None] * CHANGE_OF_RGB), 0, 255)
    return result


def changes(pixels: NDArray[np.uint8], message: Bits, distance: float, is_gentle: bool) -> Floats:
    """What has to be added to the low band of each block, [rows, columns], the first bit of the message in the first block."""
    blocks = blocks_of(low_band(pixels))
    coefficients = carriers(blocks)
    sign, sizes = np.where(coefficients < 0, -1, 1), np.abs(coefficients)
    wanted = np.resize(message, len(sizes))
    less, more = (sign * change for change in changes_to_level(sizes, wanted, distance))
    lowest, highest = room(pixels)
    first = np.where(np.abs(less) <= np.abs(more), less, more)
    fits = (first >= lowest) & (first <= highest)
    says_it = is_gentle & ((sizes % SCALE > SCALE / 2) == wanted)
    otherwise = np.where(says_it, np.clip(first, lowest, highest), np.where(first == less, more, less))
    return np.where(fits, first, otherwise).reshape(blocks.shape[:2])


def changes_to_level(sizes: Floats, wanted: Bits, distance: float) -> tuple[Floats, Floats]:
    """The least changes, downwards and upwards, that bring values >= 0 where they say the bit; 0 for those that do."""
    middle = SCALE * (0.25 + 0.5 * wanted)
    slack = SCALE / 4 - distance
    below = np.floor((sizes - middle + slack) / SCALE) * SCALE + middle
    above = np.maximum(np.ceil((sizes - middle - slack) / SCALE), 0) * SCALE + middle
    down = np.minimum(below + slack - sizes, 0)
    up = np.maximum(above - slack - sizes, 0)
    return np.where(below < 0, up, down), up


def room(pixels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """How far each block's coefficients can go down and up before blue leaves its range, [blocks]; green changes little."""
    side = 2 * BLOCK
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    blue = pixels[: rows * side, : columns * side, 2].reshape(rows, side, columns, side).astype(np.float64)
    step = 2 / CHANGE_OF_RGB[2]
    return -step * blue.min((1, 3)).ravel(), step * (255 - blue.max((1, 3))).ravel()
