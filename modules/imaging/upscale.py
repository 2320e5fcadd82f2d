"""What an upscaler is, and those that need no network; those in files are rows of modules.imaging.upscaler_table."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from modules.errors import NotFound

MAXIMUM_PASSES = 3
GRID_PX = 8
MOST_NAMED = 12


@dataclass(frozen=True, kw_only=True)
class Upscaler:
    """A way to enlarge pictures. `enlarge(image, factor)` gives a picture of its own size, e.g. always 4 times as large.

    path: the file of its network; scale: what that file's name says of its factor.
    """

    name: str
    enlarge: Callable[[Image.Image, float], Image.Image] | None
    path: Path | None = None
    scale: float = 4.0

    def __call__(self, image: Image.Image, factor: float) -> Image.Image:
        """`image` enlarged by `factor`, to whole multiples of 8 px: enlarged up to three times, then Lanczos to the exact size.

        A factor of 1 leads it through once, for networks that clean pictures. Sides below 8 px keep their exact length.
        """
        if self.enlarge is None:
            return image
        size = _on_grid(image.width * factor), _on_grid(image.height * factor)
        for number in range(MAXIMUM_PASSES):
            if image.width >= size[0] and image.height >= size[1] and (number > 0 or factor != 1):
                break
            enlarged = self.enlarge(image, factor)
            is_as_before = enlarged.size == image.size
            image = enlarged
            if is_as_before:
                break
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _on_grid(length: float) -> int:
    return int(length) // GRID_PX * GRID_PX or max(1, int(length))


def _resampled(image: Image.Image, factor: float, filter: Image.Resampling) -> Image.Image:
    return image.resize((max(1, int(image.width * factor)), max(1, int(image.height * factor))), filter)


UPSCALERS: tuple[Upscaler, ...] = (
    Upscaler(name="None", enlarge=None),
    Upscaler(name="Lanczos", enlarge=lambda image, factor: _resampled(image, factor, Image.Resampling.LANCZOS)),
    Upscaler(name="Nearest", enlarge=lambda image, factor: _resampled(image, factor, Image.Resampling.NEAREST)),
)


def find_upscaler(name: str, rows: Sequence[Upscaler] = UPSCALERS, *, missing: str = "") -> Upscaler:
    """The upscaler called `name`, whatever its case. Raises NotFound with `missing`, or naming the choices."""
    for upscaler in rows:
        if upscaler.name.lower() == name.lower():
            return upscaler
    known = ", ".join(upscaler.name for upscaler in rows[:MOST_NAMED]) + (", ..." if len(rows) > MOST_NAMED else "")
    raise NotFound(f'There is no upscaler named "{name[:100]}".', missing, remedy="" if missing else f"Choose one of: {known}.")
