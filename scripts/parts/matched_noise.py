"""Noise that looks like the rest of a picture: its spectrum and its colours, as a start for new borders."""
import numpy as np

GENERATOR_SEED = 0  # the same noise every time, so that the same seed gives the same picture
SMALLEST = 1e-8


def with_matched_noise(pixels, is_new, fall_off=1.0, color_variation=0.05):
    """`pixels`, float [H, W, 3] in 0..1, with noise where `is_new` [H, W] is true.

    The noise has the amplitude spectrum of the known part to the power of `fall_off` (lower: more detail) and per channel its
    distribution of levels. `color_variation` 0..1 is how far the noise of the channels differs.
    """
    known = pixels[~is_new]
    if not len(known) or not is_new.any():
        return pixels
    rng = np.random.default_rng(GENERATOR_SEED)
    grey, colors = rng.standard_normal((*pixels.shape[:2], 1)), rng.standard_normal(pixels.shape)
    amplitude = known_amplitude(pixels, is_new) ** fall_off
    shaped = np.fft.ifft2(np.fft.fft2(grey * (1 - color_variation) + colors * color_variation, axes=(0, 1)) * amplitude, axes=(0, 1)).real
    result = pixels.copy()
    for channel in range(pixels.shape[2]):
        result[is_new, channel] = with_distribution_of(shaped[is_new, channel], known[:, channel])
    return result


def known_amplitude(pixels, is_new):
    """The amplitudes [H, W, 3] of the known part around its mean, faded out towards the new one, with 1 as the largest."""
    weight = (~is_new).astype(float)[..., None]
    mean = (pixels * weight).sum(axis=(0, 1)) / weight.sum()
    window = np.hanning(pixels.shape[0] + 2)[1:-1, None, None] * np.hanning(pixels.shape[1] + 2)[None, 1:-1, None]
    amplitude = np.abs(np.fft.fft2((pixels - mean) * weight * window, axes=(0, 1)))
    return np.maximum(amplitude / max(amplitude.max(), SMALLEST), SMALLEST)


def with_distribution_of(values, reference):
    """`values` mapped, keeping their order, to the distribution of `reference`; both one-dimensional."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = (np.arange(len(values)) + 0.5) / len(values)
    ordered = np.sort(reference)
    return np.interp(ranks, (np.arange(len(ordered)) + 0.5) / len(ordered), ordered)
