"""Soft inpainting: original and repainted latents mixed in shares, and a mask made from how far the latents moved."""
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageFilter

from modules import images

LATENT_BLUR_PX = 4
KERNEL_REACH, KERNEL_DEVIATION = 2, 1.5
TINY = 1e-5


@dataclass(frozen=True, kw_only=True)
class SoftInpainting:
    """The six values of the script."""

    schedule_bias: float = 1
    preservation_strength: float = 0.5
    transition_contrast: float = 4
    mask_influence: float = 0
    difference_threshold: float = 0.5
    difference_contrast: float = 2


def repainted_share(nmask, sigma, wish):
    """How much of the repainted latent counts at the level `sigma`, from the share [.., h, w] that the mask says."""
    return nmask ** (sigma**wish.schedule_bias * wish.preservation_strength)


def blended(original, current, share, wish):
    """Both latents [B, C, h, w] mixed in straight lines, at a length that is the power mean of both lengths."""
    exponent = wish.transition_contrast
    mixed = original * (1 - share) + current * share
    length = lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True).double()  # high powers need the room
    part = share.double()[..., :1, :, :]
    wanted = (length(original) ** exponent * (1 - part) + length(current) ** exponent * part) ** (1 / exponent)
    return mixed * (wanted / (length(mixed) + TINY)).to(mixed.dtype)


def moved_mask(original, result, nmask, wish):
    """An array [h, w] in 0..1: where the latent [C, h, w] moved so far that the result is to be seen."""
    distance = torch.linalg.vector_norm(result.float() - original.float(), dim=0).cpu().numpy()
    for low, high in ((0.9, 1.0), (0.25, 0.75)):
        distance = between_percentiles(distance, low, high)
    relative = distance / (wish.difference_threshold * allowance(nmask[0].cpu().numpy(), wish) + 1e-9)
    return 1 - smootherstep(1 / (1 + relative**wish.difference_contrast))


def allowance(nmask, wish):
    """What the difference threshold is multiplied by; with no mask influence about 1 everywhere."""
    by_mask = 1 - nmask.clip(0, 1) ** (wish.preservation_strength / 2)
    scalar = 0.5 * (1 - wish.mask_influence) + by_mask * wish.mask_influence
    return scalar / (1 + TINY - scalar)


def smootherstep(x):
    """A curve from 0 to 1 that is level at both ends."""
    return x * x * x * (x * (x * 6 - 15) + 10)


def kernel():
    """Weights [5, 5], 1 in the middle, that fall with the distance and reach 0 beyond the edge."""
    places = np.arange(-KERNEL_REACH, KERNEL_REACH + 1)
    square = places[:, None] ** 2 + places[None, :] ** 2
    gaussian = lambda squared: np.exp(-squared / KERNEL_DEVIATION**2)
    outside = gaussian((KERNEL_REACH + 1) ** 2)
    return np.maximum(gaussian(square) - outside, 0) / (1 - outside)


def between_percentiles(values, low, high):
    """For each place of `values` [h, w] the weighted mean of its neighbours between two percentiles, over a width of at least 1."""
    weights, reach = kernel(), KERNEL_REACH
    offsets = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    padded = np.pad(values.astype(float), reach)
    inside = np.pad(np.ones_like(values, dtype=float), reach)
    view = lambda array, y, x: array[reach + y:reach + y + values.shape[0], reach + x:reach + x + values.shape[1]]
    neighbours = np.stack([view(padded, y, x) for y, x in offsets])
    shares = np.stack([view(inside, y, x) * weights[reach + y, reach + x] for y, x in offsets])
    order = np.argsort(np.where(shares > 0, neighbours, np.inf), axis=0, kind="stable")
    neighbours, shares = np.take_along_axis(neighbours, order, 0), np.take_along_axis(shares, order, 0)
    ends = np.cumsum(shares, axis=0)
    total = ends[-1]
    start, end = window(total, low, high)
    taken = (np.minimum(ends, end) - np.maximum(ends - shares, start)).clip(0)
    return (neighbours * taken).sum(axis=0) / taken.sum(axis=0)


def window(total, low, high):
    """Where the part between two percentiles begins and ends along weights of this sum; at least 1 wide, as far as there is room."""
    start, end = total * low, total * high
    middle, narrow = (start + end) / 2, end - start < 1
    start, end = np.where(narrow, middle - 0.5, start), np.where(narrow, middle + 0.5, end)
    over = (end - total).clip(0)
    return (start - over).clip(0), end - over


def overlay_mask(share, size, paste_to, whole):
    """An L picture of the size `whole`: the array `share` [h, w] enlarged to `size`, at the region that was repainted."""
    mask = Image.fromarray((255 * share).astype(np.uint8))
    mask = images.resize_image(2, mask, *size).convert("L").filter(ImageFilter.GaussianBlur(LATENT_BLUR_PX))
    if paste_to is None:
        return mask
    x, y, width, height = paste_to
    larger = Image.new("L", whole)
    larger.paste(images.resize_image(1, mask, width, height), (x, y))
    return larger
