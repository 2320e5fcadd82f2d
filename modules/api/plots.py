"""Routes of the grid of a plot: what it is made of, its cells as they are made, their pictures, and what is added to it."""
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from modules import scripts
from modules.api.answers import SafeJSONResponse
from modules.api.own_queue import Viewer, own_queue, viewer_of
from modules.api.picture_files import picture_file
from modules.errors import NotFound, RequestError, UserError
from modules.generation.planned_script import planned_by_script, selected_of
from modules.generation.plot_export import ALL, Shown, exported
from modules.generation.plots import (
    LETTERS,
    Continuation,
    KeptCell,
    Place,
    PlotDescription,
    PlotFolder,
    all_plots,
    plot_folder,
    plot_of_job,
)
from modules.generation.request import SCRIPTS
from modules.generation.script_values import ARGS, SELECTED
from modules.imaging.thumbnails import folder_of_thumbnails, thumbnail
from modules.jobs.fairness import user_of
from modules.jobs.job import Job
from modules.runtime import Runtime

MOST_LISTED = 100
MOST_BYTES = 2**50
THUMBNAIL_SIDES = (128, 256, 512)


class CellsRequest(BaseModel):
    """Which cells are to be made (again): [x, y, z] each; an empty list for all that are missing."""

    places: list[tuple[int, int, int]] = []


class ExtendRequest(BaseModel):
    """Values that are put behind those of an axis, written as in its value box."""

    axis: Literal["X", "Y", "Z"]
    values: str


def plots_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix="/internal/plots", tags=["page"], default_response_class=SafeJSONResponse)

    def own_plot(plot_id: str, request: Request) -> PlotFolder:
        plot = plot_folder(rt, plot_id)
        if not may_see(viewer_of(request), plot.description()):
            raise NotFound("There is no such plot.")
        return plot

    own: Any = Depends(own_plot)
    _add_reading(router, rt, own)
    _add_pictures(router, rt, own)

    @router.post("/{plot_id}/cells")
    def make_cells(asked: CellsRequest, plot: PlotFolder = own) -> dict[str, Any]:
        """Queue a job that makes cells (again)."""
        return {"id": continued(rt, plot, plot.description().axes_texts, asked.places).id}

    @router.post("/{plot_id}/extend")
    def extend(asked: ExtendRequest, plot: PlotFolder = own) -> dict[str, Any]:
        """Queue a job that makes the cells of further values."""
        texts = plot.description().axes_texts
        place = LETTERS.index(asked.axis)
        if not asked.values.strip():
            raise RequestError("values", "There are no values to add.")
        texts[place] = f"{texts[place]}, {asked.values}" if texts[place] else asked.values
        return {"id": continued(rt, plot, texts, ()).id}

    @router.post("/{plot_id}/delete")
    def delete(plot: PlotFolder = own) -> dict[str, Any]:
        """Forget a plot; pictures in the output folders stay."""
        if jobs_of(rt, plot):
            raise UserError("This plot is being made.", remedy="Stop its job first.")
        plot.delete()
        return {}

    return router


def _add_reading(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("")
    def listed(request: Request) -> dict[str, Any]:
        """The newest plots."""
        found = []
        for plot in all_plots(rt):
            try:
                kept = plot.description()
            except NotFound:  # deleted meanwhile, or not to be read
                continue
            if may_see(viewer_of(request), kept):
                found.append(summary(rt, plot, kept))
            if len(found) == MOST_LISTED:
                break
        return {"plots": found}

    @router.get("/of-job/{job_id:path}")
    def of_job(job_id: str, request: Request) -> dict[str, Any]:
        """The id of the plot that a job makes or adds to; none for other jobs, and before its job has begun it."""
        job = own_queue(rt, request).get(job_id)
        plot = plot_of_job(rt, job) if job is not None else None
        return {"plot": plot.id if plot else None}

    @router.get("/{plot_id}")
    def detail(plot: PlotFolder = own, after: Annotated[int, Query(ge=0, le=MOST_BYTES)] = 0, version: int = 0) -> dict[str, Any]:
        """What changed since the version and the place in the list of cells that the page has."""
        kept = plot.description()
        cells, end = plot.lines(after)
        jobs = [{"id": job.id, "status": job.status} for job in jobs_of(rt, plot)]
        answer: dict[str, Any] = {"id": plot.id, "version": kept.version, "after": end, "jobs": jobs,
                                  "cells": [cell_data(plot, cell) for cell in cells]}
        if kept.version != version:
            answer |= {"title": kept.title, "kind": kept.kind, "created": kept.created,
                       "axes": [{"letter": axis.letter, "label": axis.label, "titles": axis.titles} for axis in kept.axes]}
        return answer

    @router.get("/{plot_id}/cell/{place}")
    def cell(place: str, plot: PlotFolder = own) -> dict[str, Any]:
        """One cell with its parameters."""
        found = cell_at(plot, place)
        return cell_data(plot, found) | {"infotext": found.infotext, "path": found.path}


def _add_pictures(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("/{plot_id}/picture/{place}")
    def picture(place: str, plot: PlotFolder = own, side: int = 0, download: bool = False) -> Response:
        """The picture of a cell, or a small copy of it."""
        path = cell_at(plot, place).path
        if side not in THUMBNAIL_SIDES:
            return picture_file(rt, path, download)
        try:
            content = thumbnail(rt.folders.data / path, folder_of_thumbnails(rt.folders.cache), side)
        except OSError as error:
            raise NotFound("The file of this picture is gone.", "It was moved or deleted.") from error
        return Response(content, media_type="image/webp", headers={"Cache-Control": "private, max-age=86400"})

    @router.get("/{plot_id}/export/{form}")
    def export(form: Literal["png", "html", "zip"], plot: PlotFolder = own, transposed: bool = False, hidden: str = "",
               z: int = ALL) -> Response:
        """The plot as the page shows it: `hidden` names columns and rows, as in "x0,y2"; `z` one sheet of several."""
        content, kind = exported(rt, plot, form, Shown(transposed=transposed, hidden=frozenset(hidden.split(",")), z=z))
        return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="plot-{plot.id}.{form}"'})


def may_see(viewer: Viewer, kept: PlotDescription) -> bool:
    """Whether the plot is theirs."""
    return viewer.is_admin or user_of(kept.owner) == viewer.user


def jobs_of(rt: Runtime, plot: PlotFolder) -> list[Job]:
    """Running and waiting jobs that make this plot."""
    found = ((job, plot_of_job(rt, job)) for job in rt.queue.jobs())
    return [job for job, made in found if made is not None and made.id == plot.id]


def cell_at(plot: PlotFolder, text: str) -> KeptCell:
    """The cell whose place is written as "x-y-z". Raises NotFound."""
    numbers = re.fullmatch(r"(\d{1,5})-(\d{1,5})-(\d{1,5})", text)
    cell = plot.cells().get((int(numbers[1]), int(numbers[2]), int(numbers[3]))) if numbers else None
    if cell is None:
        raise NotFound("There is no such cell.")
    return cell


def cell_data(plot: PlotFolder, cell: KeptCell) -> dict[str, Any]:
    """A cell for the page. Its address changes when it is made again."""
    place = "-".join(map(str, cell.place))
    url = f"/internal/plots/{quote(plot.id)}/picture/{place}?t={int(cell.time * 1000)}" if cell.path else None
    return {"place": cell.place, "url": url, "problem": cell.problem, "seed": cell.seed, "size": cell.size}


def summary(rt: Runtime, plot: PlotFolder, kept: PlotDescription) -> dict[str, Any]:
    """A plot in the list."""
    cells = plot.cells().values()
    first = next((cell_data(plot, cell)["url"] for cell in cells if cell.path), None)
    return {"id": plot.id, "title": kept.title, "kind": kept.kind, "created": kept.created, "cells": kept.cell_count,
            "made": sum(bool(cell.path) for cell in cells), "failed": sum(bool(cell.problem) for cell in cells), "thumbnail": first,
            "axes": [{"label": axis.label, "count": len(axis.titles)} for axis in kept.axes if axis.label != "Nothing"]}


def continued(rt: Runtime, plot: PlotFolder, texts: Sequence[str], places: Sequence[Place]) -> Job:
    """Queue a job for cells of the plot, whose axes then have these values. Raises UserError for what the job would refuse."""
    kept = plot.description()
    runner = scripts.scripts_img2img if kept.kind == "img2img" else scripts.scripts_txt2img
    selected = selected_of(runner, kept.request)
    if selected is None:
        raise NotFound("This plot has no script.")
    script, args = selected
    wish = Continuation(plot=plot.id, places=tuple(places))
    args = script.continued(args, [axis.label for axis in kept.axes], texts, wish.written())  # type: ignore[attr-defined]
    stored = kept.request[SCRIPTS]
    request = kept.request | {SCRIPTS: {**stored, ARGS: {**stored[ARGS], stored[SELECTED]: args}}}
    planned_by_script(runner, kept.kind, request)
    return rt.queue.submit(kept.kind, request, kept.settings, title=kept.title, owner=kept.owner)
