"""The random numbers of a batch: a generator per picture, variation seeds, seeds of another size, sources."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from modules.generation.philox import PhiloxGenerator

Source = Literal["CPU", "GPU", "NV"]
Draw = Callable[[Sequence[int]], Tensor]


class NoiseSource:
    """Start noise and later noise for pictures with these seeds, each [B, *shape] float32 on `device`.

    shape: [C, h, w] of the latent. Every picture has its own generator, so it does not matter which others are in the batch.
    subseed_strength 0..1: how far the start noise goes towards that of the subseed. seed_resize_from: (width_px, height_px) of a picture
    whose composition is kept, or None. source: "CPU" and "NV" give the same bytes on every device, "GPU" those of the device.
    eta_noise_seed_delta: added to the seeds of the later noise. more_variations: (seed, strength) applied after the subseed, in turn.
    """

    def __init__(self, shape: Sequence[int], seeds: Sequence[int], subseeds: Sequence[int] | None = None, subseed_strength: float = 0.0,
                 seed_resize_from: tuple[int, int] | None = None, source: Source = "CPU", eta_noise_seed_delta: int = 0,
                 device: torch.device | str = "cpu", *, more_variations: Sequence[tuple[int, float]] = ()):
        self.shape, self.seeds, self.device = tuple(shape), tuple(int(seed) for seed in seeds), torch.device(device)
        self.generator_device = self.device if source == "GPU" and self.device.type != "mps" else torch.device("cpu")
        self._source = source
        self._subseeds, self._strength = subseeds, subseed_strength
        self._more = tuple(more_variations)
        self._delta = eta_noise_seed_delta
        wanted = (0, 0) if seed_resize_from is None else seed_resize_from
        self._old_shape = (self.shape[0], wanted[1] // 8, wanted[0] // 8) if wanted[0] > 0 and wanted[1] > 0 else self.shape
        self._draws = [self._generator(seed) for seed in self.seeds]
        self._started = False

    @property
    def normal(self) -> Callable[[int, Sequence[int]], Tensor] | None:
        """Where Brownian paths are to get their numbers: (seed, shape) -> noise, or None for torch's own generator."""
        return (lambda seed, shape: self._generator(seed)(shape)) if self._source == "NV" else None

    def first(self) -> Tensor:
        """The start noise. Called once; what `next` gives afterwards continues it."""
        noise = torch.stack([self._start(i) for i in range(len(self.seeds))])
        if self._delta:
            self._draws = [self._generator(seed + self._delta) for seed in self.seeds]
        self._started = True
        return self._moved(noise)

    def next(self) -> Tensor:
        """Noise for a later step. The first call gives the start noise if nobody took it."""
        if not self._started:
            return self.first()
        return self._moved(torch.stack([draw(self.shape) for draw in self._draws]))

    def _moved(self, noise: Tensor) -> Tensor:
        # CUDA stages the copy at once, so the step need not wait for the device; others are not sure to.
        return noise.to(self.device, non_blocking=self.device.type == "cuda")

    def _start(self, i: int) -> Tensor:
        resized = self._old_shape != self.shape
        noise = (self._generator(self.seeds[i]) if resized else self._draws[i])(self._old_shape)
        if self._strength and self._subseeds is not None:
            subseed = self._subseeds[i] if i < len(self._subseeds) else 0
            noise = slerp(self._strength, noise, self._generator(subseed)(self._old_shape))
        for seed, strength in self._more:
            noise = slerp(strength, noise, self._generator(seed)(self._old_shape))
        return placed(noise, self._draws[i](self.shape)) if resized else noise

    def _generator(self, seed: int) -> Draw:
        if self._source == "NV":
            philox = PhiloxGenerator(seed)
            return lambda shape: torch.from_numpy(philox.normal(shape))
        generator = torch.Generator(self.generator_device).manual_seed(int(seed))
        return lambda shape: torch.randn(tuple(shape), device=self.generator_device, generator=generator)


def slerp(strength: float, low: Tensor, high: Tensor) -> Tensor:
    """From low (strength 0) to high (1) along the arc: [C, h, w], the vectors run along the height, so every column has its own angle.

    Nearly parallel noise (mean cosine above 0.9995) is mixed linearly, since the arc has no direction there. Shoemake 1985.
    """
    cosine = (low / low.norm(dim=1, keepdim=True) * (high / high.norm(dim=1, keepdim=True))).sum(1, keepdim=True)
    if cosine.mean() > 0.9995:
        return low * (1 - strength) + high * strength
    angle = cosine.acos()
    return (torch.sin((1 - strength) * angle) * low + torch.sin(strength * angle) * high) / torch.sin(angle)


def placed(noise: Tensor, canvas: Tensor) -> Tensor:
    """`canvas` [C, h, w] with `noise` [C, h0, w0] in its middle, cropped evenly where it is larger."""
    (top, into_top, height), (left, into_left, width) = (
        (max(-gap, 0), max(gap, 0), old if gap >= 0 else old + 2 * gap)
        for gap, old in (((new - old) // 2, old) for new, old in zip(canvas.shape[1:], noise.shape[1:], strict=True)))
    result = canvas.clone()
    result[:, into_top:into_top + height, into_left:into_left + width] = noise[:, top:top + height, left:left + width]
    return result
