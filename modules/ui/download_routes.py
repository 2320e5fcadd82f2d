"""The routes behind "needs FILE in FOLDER": which files are missing, and fetching one."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from modules import downloads
from modules.api.own_queue import NotAllowed, viewer_of
from modules.imaging.known_files import KnownFile
from modules.jobs.job import Job
from modules.ui.card_routes import check_may_write

if TYPE_CHECKING:
    from modules.runtime import Runtime


class DownloadRequest(BaseModel):
    """The name of a file in the table of known files."""

    name: str = Field(min_length=1, max_length=300)


def downloads_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime. Only files of the table can be asked for, and only by those who may write beside models."""
    router = APIRouter(prefix="/internal/known-files", include_in_schema=False)

    def allowed(request: Request) -> None:
        check_may_write(rt, request)

    @router.get("")
    def known_files(request: Request, uses: str = "") -> dict[str, Any]:
        """The files that parts of the program need, those of `uses` (names between commas) alone where it is given."""
        wanted = {use.strip() for use in uses.split(",") if use.strip()}
        files = [file for file in downloads.downloadable().values() if not wanted or file.use in wanted]
        return {"files": [row(rt, file) for file in files], "may_download": may_download(rt, request)}

    @router.post("/download", dependencies=[Depends(allowed)])
    def download(asked: DownloadRequest, request: Request) -> dict[str, Any]:
        """Queue the fetching of a file."""
        return {"job": downloads.submit(rt, asked.name, owner=viewer_of(request).user).id}

    return router


def may_download(rt: Runtime, request: Request) -> bool:
    try:
        check_may_write(rt, request)
    except NotAllowed:
        return False
    return True


def row(rt: Runtime, file: KnownFile) -> dict[str, Any]:
    """A file as the page shows it."""
    job = downloads.job_of(rt, file)
    return {"name": file.name, "use": file.use, "place": file.place, "size": file.shown_size, "url": file.url,
            "is_there": file.path(rt.folders.models) is not None, "job": job_row(rt, job) if job else None}


def job_row(rt: Runtime, job: Job) -> dict[str, Any]:
    snapshot = rt.queue.state.snapshot()
    return {"id": job.id, "status": job.status, "progress": snapshot.progress if snapshot.job_id == job.id else 0.0}
