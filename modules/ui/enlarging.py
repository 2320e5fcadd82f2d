"""The route behind ✨: hires fix on the selected picture."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from modules.api.own_queue import viewer_of
from modules.errors import NotFound, UserError
from modules.generation import enlarged
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.jobs.job import Job
from modules.ui.saving import job_of

if TYPE_CHECKING:
    from modules.runtime import Runtime


class EnlargeRequest(BaseModel):
    """A picture of a job, and the values of the form by the names of their fields."""

    id: str
    index: int = 0
    values: dict[str, Any] = {}


def enlarging_router(rt: Runtime) -> APIRouter:
    """The route for this runtime."""
    router = APIRouter(prefix="/internal/pictures", include_in_schema=False)

    @router.post("/upscale")
    def upscale(asked: EnlargeRequest, request: Request) -> dict[str, str]:
        path, infotext = picture_of(job_of(rt, request, asked.id), asked.index)
        return {"id": enlarged.submit(rt, path, infotext, asked.values, owner=viewer_of(request).user).id}

    return router


def picture_of(job: Job, index: int) -> tuple[Path, str]:
    """Path and infotext of a job's picture; the path comes from the job, never from the request. Raises NotFound, UserError."""
    if job.result:
        images = job.result.get("images", ())
        pictures = [("", "") if image.get("is_grid") else (image["path"], image["infotext"]) for image in images]
    else:
        pictures = [(picture.path, picture.infotext) for picture in job.pictures]
    path, infotext = pictures[index] if 0 <= index < len(pictures) else ("", "")
    if not path:
        raise NotFound("Choose a single picture.", "A grid cannot be enlarged this way.")
    if path.startswith(MEMORY_PREFIX):
        raise UserError("This picture is in memory only.", "No disk took it.", "Free some space, save it, and make it again.")
    return Path(path), infotext
