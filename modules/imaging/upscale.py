"""Upscalers by name: those that need no model. Those with models are further rows of the table."""
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from modules.errors import NotFound

MAXIMUM_PASSES = 3
GRID_PX = 8


@dataclass(frozen=True, kw_only=True)
class Upscaler:
    """A way to enlarge pictures. `enlarge(image, factor)` gives a picture of its own size, e.g. always 4 times as large."""

    name: str
    enlarge: Callable[[Image.Image, float], Image.Image] | None

    def __call__(self, image: Image.Image, factor: float) -> Image.Image:
        """`image` enlarged by `factor`, to whole multiples of 8 px: enlarged up to three times, then Lanczos to the exact size."""
        if self.enlarge is None:
            return image
        size = int(image.width * factor) // GRID_PX * GRID_PX, int(image.height * factor) // GRID_PX * GRID_PX
        for _ in range(MAXIMUM_PASSES):
            if image.width >= size[0] and image.height >= size[1]:
                break
            enlarged = self.enlarge(image, factor)
            if enlarged.size == image.size:
                break
            image = enlarged
        return image if image.size == size or 0 in size else image.resize(size, Image.Resampling.LANCZOS)


def _resampled(image: Image.Image, factor: float, filter: Image.Resampling) -> Image.Image:
    return image.resize((int(image.width * factor), int(image.height * factor)), filter)


UPSCALERS: tuple[Upscaler, ...] = (
    Upscaler(name="None", enlarge=None),
    Upscaler(name="Lanczos", enlarge=lambda image, factor: _resampled(image, factor, Image.Resampling.LANCZOS)),
    Upscaler(name="Nearest", enlarge=lambda image, factor: _resampled(image, factor, Image.Resampling.NEAREST)),
)


def find_upscaler(name: str) -> Upscaler:
    """The upscaler called `name`, whatever its case. Raises NotFound naming the choices."""
    for upscaler in UPSCALERS:
        if upscaler.name.lower() == name.lower():
            return upscaler
    known = ", ".join(upscaler.name for upscaler in UPSCALERS)
    raise NotFound(f'There is no upscaler named "{name[:100]}".', remedy=f"Choose one of: {known}.")
