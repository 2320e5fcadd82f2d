"""Random numbers under the names of A1111's `rng`."""
import torch

from modules import runtime
from modules.generation.noise import NoiseSource, slerp


class ImageRNG(NoiseSource):
    """The noise of a batch: first() for its start, next() for later steps."""

    def __init__(self, shape, seeds, subseeds=None, subseed_strength: float = 0.0, seed_resize_from_h: int = 0,
                 seed_resize_from_w: int = 0):
        rt = runtime.current()
        super().__init__(shape, seeds, subseeds, subseed_strength, (seed_resize_from_w, seed_resize_from_h), rt.settings.randn_source,
                         rt.settings.eta_noise_seed_delta, rt.hardware.device)


def randn(seed: int, shape, generator=None):
    """Unit noise of a seed."""
    return ImageRNG(tuple(shape), [seed]).first()[0]


def randn_local(seed: int, shape):
    """The same; the global generator stays as it is."""
    return randn(seed, shape)


def randn_without_seed(shape, generator=None):
    """Unit noise of no seed."""
    return torch.randn(tuple(shape), generator=generator, device=runtime.current().hardware.device)


def randn_like(x):
    """Unit noise in the shape of x."""
    return torch.randn_like(x)


def manual_seed(seed: int) -> None:
    """Set the global generator."""
    torch.manual_seed(seed)


def create_generator(seed: int):
    """A generator of its own."""
    return torch.Generator("cpu").manual_seed(int(seed))
