"""Upscalers in the form that extensions know: a name, and a scaler that enlarges."""
from dataclasses import dataclass

from PIL import Image

from modules import runtime
from modules.imaging import upscale


class Upscaler:
    """Enlarges pictures; `scaler` of UpscalerData."""

    def __init__(self, row: upscale.Upscaler):
        self.name, self._row = row.name, row

    def upscale(self, img: Image.Image, scale: float, selected_model: str | None = None) -> Image.Image:
        """`img` enlarged by `scale`, to whole multiples of 8 px."""
        return self._row(img, scale)


@dataclass
class UpscalerData:
    """One entry of the lists of upscalers."""

    name: str
    data_path: str | None
    scaler: Upscaler


def upscalers() -> list[UpscalerData]:
    """All upscalers; the first is "None"."""
    rows = runtime.current().upscalers.rows()
    return [UpscalerData(row.name, str(row.path) if row.path else None, Upscaler(row)) for row in rows]
