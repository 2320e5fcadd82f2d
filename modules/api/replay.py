"""The route that has a picture made again and compared with what it was."""
import uuid
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile

from modules.api.answers import SafeJSONResponse
from modules.api.body import parsed_object
from modules.api.own_queue import viewer_of
from modules.atomic_files import file_below
from modules.errors import NotFound, RequestError
from modules.generation import replay
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.jobs.job import Job
from modules.runtime import Runtime

MAX_UPLOAD_BYTES = 256 * 2**20


def replay_router(rt: Runtime) -> APIRouter:
    """The route for this runtime."""
    router = APIRouter(prefix="/internal", tags=["page"], default_response_class=SafeJSONResponse)

    @router.post("/replay")
    async def make_again(request: Request) -> dict[str, Any]:
        """Queue a replay of a picture: {"path": ...} of one that this server made, or an uploaded `file`.

        The answer is the id of the job; its result holds the report under "replay".
        """
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=8) as form:
                job = await uploaded(rt, form.get("file"), viewer_of(request).user)
        else:
            job = known(rt, parsed_object(await request.body()).get("path"), viewer_of(request).user)
        return {"id": job.id, "id_task": job.id}

    return router


async def uploaded(rt: Runtime, file: Any, owner: str) -> Job:
    """The job for a picture that came with the request. Raises RequestError."""
    if not isinstance(file, UploadFile):
        raise RequestError("file", "The file is missing.")
    content = await file.read(MAX_UPLOAD_BYTES + 1)
    if len(content) > MAX_UPLOAD_BYTES:
        raise RequestError("file", f"The file has more than {MAX_UPLOAD_BYTES >> 20} MB.")
    return job_for_bytes(rt, content, owner)


def known(rt: Runtime, name: Any, owner: str) -> Job:
    """The job for a picture of the output folders or of a job's result. Raises RequestError, NotFound."""
    if not isinstance(name, str) or not name:
        raise RequestError("path", "The path of the picture is missing.")
    if name.startswith(MEMORY_PREFIX):
        content = rt.unsaved.content(name)
        if content is None:
            raise NotFound("There is no such picture any more.")
        return job_for_bytes(rt, content, owner)
    roots = [rt.folders.outputs, rt.folders.log, rt.folders.results, rt.folders.temporary]
    return replay.submit(rt, file_below(roots, name), owner=owner)


def job_for_bytes(rt: Runtime, content: bytes, owner: str) -> Job:
    """Keeps the content in a file until its job is done."""
    path = rt.folders.temporary / f"replay-{uuid.uuid4().hex}"
    path.write_bytes(content)
    return replay.submit(rt, path, owner=owner, is_temporary=True)
