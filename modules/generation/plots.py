"""Plots kept on disk: what a plot is made of, and its cells as they are made, to be shown, completed and exported later."""
from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from modules.atomic_files import write_atomically
from modules.errors import NotFound, RequestError
from modules.generation.request import SCRIPTS
from modules.generation.script_values import ARGS, SELECTED
from modules.imaging.encode import png_bytes
from modules.jobs.job import Job
from modules.jobs.store import is_plain_json
from modules.runtime import Runtime

DESCRIPTION, CELLS = "plot.json", "cells.jsonl"
LETTERS = "XYZ"
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
Place = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class KeptAxis:
    """One axis: `text` gives its values in the form of a value box, drawn seeds included; `titles` has one title for each."""

    letter: str
    label: str
    text: str
    titles: list[str]


@dataclass(frozen=True, kw_only=True)
class PlotDescription:
    """What a plot is made of: the request and settings of its job, and three axes. `version` rises with every change."""

    title: str
    kind: str
    owner: str
    created: float
    request: dict[str, Any]
    settings: dict[str, Any]
    axes: list[KeptAxis]
    version: int = 1

    @property
    def cell_count(self) -> int:
        return math.prod(len(axis.titles) for axis in self.axes)

    @property
    def axes_texts(self) -> list[str]:
        """The values of the three axes as they are written."""
        return [axis.text for axis in self.axes]


@dataclass(frozen=True, kw_only=True)
class KeptCell:
    """One cell: the file of its first picture with what is stored in it, or the `problem` that it had."""

    place: Place
    path: str = ""
    infotext: str = ""
    problem: str = ""
    seed: int | None = None
    size: tuple[int, int] = (0, 0)
    time: float = field(default_factory=time.time)

    def picture(self) -> Image.Image:
        """The picture, read from its file. Raises OSError."""
        with Image.open(self.path) as image:
            image.load()
        image.already_saved_as, image.is_saved = self.path, True
        return image


class PlotFolder:
    """The folder of one plot. One thread writes; readers see whole lines and whole descriptions."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def exists(self) -> bool:
        return (self.folder / DESCRIPTION).is_file()

    def description(self) -> PlotDescription:
        """Raises NotFound for a plot that is gone, or whose description cannot be read."""
        try:
            stored = json.loads((self.folder / DESCRIPTION).read_bytes())
            return PlotDescription(**stored | {"axes": [KeptAxis(**axis) for axis in stored["axes"]]})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise NotFound("This plot is not there any more.", "It was deleted, or its description cannot be read.") from error

    def describe(self, description: PlotDescription) -> None:
        """Keep the description, with a version above the last one's. Raises OSError."""
        version = self.description().version + 1 if self.exists else 1
        content = json.dumps(asdict(replace(description, version=version)), ensure_ascii=False)
        write_atomically(self.folder / DESCRIPTION, content.encode("utf-8", "surrogatepass"))

    def add(self, cell: KeptCell) -> None:
        """Note a cell; a later line for a place replaces an earlier one. Raises OSError."""
        with open(self.folder / CELLS, "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a kill may have cut the last line
                    file.write(b"\n")
            file.write(json.dumps(asdict(cell)).encode() + b"\n")

    def keep_picture(self, place: Place, image: Image.Image, infotext: str) -> str:
        """A picture that lies among the results of its job alone, which are forgotten one day; its path here. Raises OSError."""
        path = self.folder / f"{'-'.join(map(str, place))}.png"
        part = path.with_suffix(".part")
        try:
            part.unlink(missing_ok=True)
            os.link(getattr(image, "already_saved_as", ""), part)  # it is on disk already, so a second name saves writing it again
            os.replace(part, path)
        except OSError:  # in memory alone, or on another disk
            write_atomically(path, png_bytes(image, infotext, compress_level=1))
        return str(path)

    def lines(self, after: int = 0) -> tuple[list[KeptCell], int]:
        """What was noted from byte `after` on, in that order, and the byte at which the rest will begin."""
        try:
            with open(self.folder / CELLS, "rb") as file:
                file.seek(after)
                content = file.read()
        except OSError:
            return [], after
        whole = content[:content.rfind(b"\n") + 1]
        return [cell for cell in map(_cell_of, whole.splitlines()) if cell is not None], after + len(whole)

    def cells(self) -> dict[Place, KeptCell]:
        """Every cell that was made or tried, by its place."""
        return {cell.place: cell for cell in self.lines()[0]}

    def delete(self) -> None:
        """Forget the plot; pictures in the output folders stay."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _cell_of(line: bytes) -> KeptCell | None:
    try:
        stored = json.loads(line)
        return KeptCell(**stored | {"place": _place(stored["place"]), "size": tuple(stored["size"])})
    except (ValueError, TypeError, KeyError):
        return None


def _place(given: Iterable[int]) -> Place:
    x, y, z = map(int, given)
    return x, y, z


def plot_folder(rt: Runtime, name: str) -> PlotFolder:
    """The plot of that id, which may not exist. Raises NotFound for what is no id."""
    if not NAME.fullmatch(name):
        raise NotFound("There is no such plot.")
    return PlotFolder(rt.folders.plots / name)


def all_plots(rt: Runtime) -> list[PlotFolder]:
    """Every plot that is kept, the newest first."""
    found = [PlotFolder(path.parent) for path in rt.folders.plots.glob(f"*/{DESCRIPTION}")]
    return sorted(found, key=lambda plot: (plot.folder / DESCRIPTION).stat().st_mtime, reverse=True)


# Jobs and plots


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """What a further job is to do for a plot: the cells at `places`, or where there are none those that are missing."""

    plot: str
    places: tuple[Place, ...] = ()

    @classmethod
    def read(cls, text: str) -> Continuation | None:
        """From the value of the script's last control. Raises RequestError."""
        if not text:
            return None
        try:
            stored = json.loads(text)
            return cls(plot=str(stored["plot"]), places=tuple(map(_place, stored.get("places") or ())))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RequestError(SCRIPTS, "What is to be made of which plot cannot be read.") from error

    def written(self) -> str:
        return json.dumps({"plot": self.plot, "places": self.places})


def plot_of_job(rt: Runtime, job: Job) -> PlotFolder | None:
    """The plot that a job makes, or adds to; None for any other job."""
    own = plot_folder(rt, job.folder_name)
    if own.exists:
        return own
    stored = job.request.get(SCRIPTS) or {}
    for text in ((stored.get(ARGS) or {}).get(stored.get(SELECTED)) or ())[-1:]:
        try:
            wish = Continuation.read(text) if isinstance(text, str) else None
            plot = plot_folder(rt, wish.plot) if wish else None
        except (RequestError, NotFound):
            return None
        return plot if plot and plot.exists else None
    return None


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that can be stored, such as the request of a job."""
    return {name: value for name, value in values.items() if is_plain_json(value)}
