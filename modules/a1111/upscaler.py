"""Upscalers in the form that extensions know, and the base class of those that they bring."""
from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from PIL import Image

from modules import errors, runtime
from modules.imaging import upscale

LANCZOS, NEAREST = Image.Resampling.LANCZOS, Image.Resampling.NEAREST


class Upscaler:
    """Base class: a class derived from it shows its `scalers` in every list of upscalers, and enlarges in `do_upscale`."""

    name: str | None = None
    model_path: str | None = None
    model_name: str | None = None
    model_url: str | None = None
    user_path: str | None = None
    scalers: list = []
    tile = True
    enable = True

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if not cls.__module__.startswith("modules."):
            runtime.current().upscalers.further.append(partial(_rows_of, cls))

    def __init__(self, create_dirs: bool = False):
        self.scalers = list(self.scalers)

    def do_upscale(self, img: Image.Image, selected_model: str) -> Image.Image:
        """`img` enlarged once, by the scale of the model."""
        return img

    def upscale(self, img: Image.Image, scale: float, selected_model: str | None = None) -> Image.Image:
        """`img` enlarged by `scale`, to whole multiples of 8 px."""
        enlarge = lambda image, factor: self.do_upscale(image, selected_model or "")
        return upscale.Upscaler(name=self.name or "", enlarge=enlarge)(img, scale)

    def load_model(self, path: str) -> Any:
        """The network in a file; for classes that load one."""

    def find_models(self, ext_filter: Iterable[str] | None = None) -> list:
        """Files that the class can use."""
        return []


class UpscalerData:
    """One entry of the lists of upscalers."""

    def __init__(self, name: str, path: str | None = None, upscaler: Upscaler | None = None, scale: float = 4, model: Any = None):
        self.name, self.data_path, self.local_data_path, self.scaler, self.scale, self.model = name, path, path, upscaler, scale, model


class _Own(Upscaler):
    """One of the program's own, as extensions call it."""

    def __init__(self, row: upscale.Upscaler):
        super().__init__()
        self.name, self._row = row.name, row

    def upscale(self, img: Image.Image, scale: float, selected_model: str | None = None) -> Image.Image:
        return self._row(img, scale)


def upscalers() -> list[UpscalerData]:
    """All upscalers; the first is "None"."""
    rows = runtime.current().upscalers.rows()
    return [UpscalerData(row.name, str(row.path) if row.path else None, _Own(row), row.scale) for row in rows]


def _rows_of(cls: type[Upscaler]) -> list[upscale.Upscaler]:
    """The upscalers of an extension's class as the program's table has them; one that fails is reported and left out."""
    try:
        scaler = cls() if cls.__init__ is Upscaler.__init__ else cls(None)  # type: ignore[arg-type]
        return [upscale.Upscaler(name=data.name, scale=data.scale, enlarge=partial(_enlarged, scaler, data)) for data in scaler.scalers]
    except Exception as error:  # an extension's fault must not empty the lists
        errors.report(f"The upscaler {cls.__name__} of {cls.__module__} cannot be used", error)
        return []


def _enlarged(scaler: Upscaler, data: UpscalerData, image: Image.Image, factor: float) -> Image.Image:
    return (data.scaler or scaler).do_upscale(image, data.data_path or "")
