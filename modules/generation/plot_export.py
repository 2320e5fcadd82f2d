"""A kept plot as a file to give away: one picture, a page, or an archive with all pictures."""
from __future__ import annotations

import base64
import html
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from modules.generation.plots import KeptCell, Place, PlotDescription, PlotFolder
from modules.imaging.encode import png_bytes
from modules.imaging.grids import image_grid
from modules.imaging.legend import GridAnnotation, Lettering, draw_grid_annotations
from modules.imaging.thumbnails import reduced
from modules.runtime import Runtime

Address = Callable[[KeptCell], str | None]

BLANK_PX = 64
ALL = -1
PAGE_SIDE_PX = 512
STYLE = """body{font:14px system-ui,sans-serif;margin:16px;background:#fff;color:#1a1d21}
table{border-collapse:collapse;margin:0 0 24px}
th{padding:6px 8px;font-weight:600;text-align:center}td{padding:2px;vertical-align:middle;text-align:center}
img{max-width:256px;display:block}
td.failed{background:#fbe9e7;color:#b71c1c;max-width:256px;padding:8px;text-align:left}details{max-width:256px}pre{white-space:pre-wrap}"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How the page shows a plot: columns and rows changed, some hidden ("x0", "y2"), one value of Z or all of them."""

    transposed: bool = False
    hidden: frozenset[str] = frozenset()
    z: int = ALL


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One value of Z as it is shown: titles of columns and rows, and the places of the cells row by row."""

    title: str
    columns: list[str]
    rows: list[str]
    places: list[list[Place]]


def sheets_of(kept: PlotDescription, shown: Shown) -> Iterator[Sheet]:
    """The sheets that are shown."""
    x_axis, y_axis, z_axis = kept.axes
    xs = [x for x in range(len(x_axis.titles)) if f"x{x}" not in shown.hidden]
    ys = [y for y in range(len(y_axis.titles)) if f"y{y}" not in shown.hidden]
    for z, title in enumerate(z_axis.titles):
        if shown.z not in (ALL, z):
            continue
        columns, rows = [x_axis.titles[x] for x in xs], [y_axis.titles[y] for y in ys]
        if shown.transposed:
            yield Sheet(title=title, columns=rows, rows=columns, places=[[(x, y, z) for y in ys] for x in xs])
        else:
            yield Sheet(title=title, columns=columns, rows=rows, places=[[(x, y, z) for x in xs] for y in ys])


def exported(rt: Runtime, plot: PlotFolder, form: str, shown: Shown) -> tuple[bytes, str]:
    """The content of the file, and its type. Raises NotFound for a plot that is gone."""
    kept, cells = plot.description(), plot.cells()
    if form == "html":
        return page_of(kept, cells, shown, embedded).encode(), "text/html; charset=utf-8"
    picture = png_bytes(picture_of(kept, cells, shown, max_megapixels=rt.settings.img_max_size_mp,
                                   lettering=Lettering.of(rt.settings)), "")
    return (picture, "image/png") if form == "png" else (archive_of(kept, cells, shown, picture), "application/zip")


def picture_of(kept: PlotDescription, cells: Mapping[Place, KeptCell], shown: Shown, *, max_megapixels: float,
               lettering: Lettering | None = None) -> Image.Image:
    """All that is shown on one sheet with titles, shrunk to the limit."""
    sheets, side_by_side = list(sheets_of(kept, shown)), []
    share = max_megapixels / max(1, len(sheets))
    for sheet in sheets:
        pictures = [opened(cells.get(place)) for row in sheet.places for place in row]
        if not pictures:
            continue
        grid = image_grid(pictures, rows=len(sheet.rows), max_megapixels=share)
        titles = [[GridAnnotation(title)] for title in sheet.columns], [[GridAnnotation(title)] for title in sheet.rows]
        cell = grid.width // len(sheet.columns), grid.height // len(sheet.rows)
        side_by_side.append(draw_grid_annotations(grid, *cell, *titles, 0, lettering))
    if not side_by_side:
        return Image.new("RGB", (BLANK_PX, BLANK_PX), "white")
    if len(side_by_side) == 1:
        return side_by_side[0]
    whole = image_grid(side_by_side, rows=1, max_megapixels=max_megapixels)
    titles = [[GridAnnotation(sheet.title)] for sheet in sheets], [[]]
    return draw_grid_annotations(whole, whole.width // len(sheets), whole.height, *titles, 0, lettering)


def opened(cell: KeptCell | None) -> Image.Image:
    """The picture of a cell, or a blank one."""
    try:
        if cell is not None and cell.path:
            return cell.picture()
    except OSError:
        pass  # its file was moved or deleted: its place stays blank
    return Image.new("RGB", cell.size if cell is not None and min(cell.size) else (BLANK_PX, BLANK_PX), "white")


def page_of(kept: PlotDescription, cells: Mapping[Place, KeptCell], shown: Shown, address: Address) -> str:
    """A page that needs nothing else: `address(cell)` gives the source of a picture, None where there is none."""
    tables = []
    for sheet in sheets_of(kept, shown):
        head = "".join(f"<th>{html.escape(title)}</th>" for title in sheet.columns)
        rows = "".join(f"<tr><th>{html.escape(title)}</th>{''.join(_cell_html(cells.get(place), address) for place in places)}</tr>"
                       for title, places in zip(sheet.rows, sheet.places, strict=True))
        heading = f"<h2>{html.escape(sheet.title)}</h2>" if sheet.title else ""
        tables.append(f"{heading}<table><tr><th></th>{head}</tr>{rows}</table>")
    title = html.escape(kept.title or "Plot")
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
            f"<h1>{title}</h1>{''.join(tables)}</html>")


def _cell_html(cell: KeptCell | None, address: Address) -> str:
    source = address(cell) if cell is not None and cell.path else None
    if source is None:
        return f'<td class="failed">{html.escape(cell.problem)}</td>' if cell is not None and cell.problem else "<td></td>"
    text = html.escape(cell.infotext) if cell is not None else ""
    return f'<td><img src="{html.escape(source)}" alt=""><details><summary>Parameters</summary><pre>{text}</pre></details></td>'


def embedded(cell: KeptCell) -> str | None:
    """The picture inside the page, None where its file is gone."""
    try:
        return f"data:image/webp;base64,{base64.b64encode(reduced(Path(cell.path), PAGE_SIDE_PX)).decode()}"
    except OSError:
        return None


def archive_of(kept: PlotDescription, cells: Mapping[Place, KeptCell], shown: Shown, picture: bytes) -> bytes:
    """A zip archive: the sheet, a page, the pictures of all cells that are shown, and what the plot is made of."""
    names = {place: f"cells/{'-'.join(map(str, place))}{Path(cells[place].path).suffix}"
             for sheet in sheets_of(kept, shown) for row in sheet.places for place in row if place in cells and cells[place].path}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("plot.png", picture)
        for place, name in list(names.items()):
            try:
                archive.write(cells[place].path, name)
            except OSError:
                del names[place]  # its file was moved or deleted
        archive.writestr("index.html", page_of(kept, cells, shown, lambda cell: names.get(cell.place)))
        axes = [{"letter": axis.letter, "label": axis.label, "titles": axis.titles} for axis in kept.axes]
        description = {"title": kept.title, "axes": axes,
                       "cells": [{"place": place, "file": name, "infotext": cells[place].infotext} for place, name in names.items()]}
        archive.writestr("plot.json", json.dumps(description, ensure_ascii=False, indent=1))
    return content.getvalue()
