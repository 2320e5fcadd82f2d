"""The route that has a picture made again and compared with what it was."""
import asyncio
import uuid
from typing import Any

from fastapi import APIRouter, Request

from modules.api.answers import SafeJSONResponse
from modules.api.body import parsed_object
from modules.api.own_files import served_file
from modules.api.own_queue import viewer_of
from modules.api.uploads import is_upload, uploaded_file
from modules.errors import NotFound, RequestError, UserError
from modules.generation import replay
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.jobs.job import Job
from modules.runtime import Runtime


def replay_router(rt: Runtime) -> APIRouter:
    """The route for this runtime."""
    router = APIRouter(prefix="/internal", tags=["page"], default_response_class=SafeJSONResponse)

    @router.post("/replay")
    async def make_again(request: Request) -> dict[str, Any]:
        """Queue a replay of a picture: {"path": ...} of one that this server made, or an uploaded `file`.

        The answer is the id of the job; its result holds the report under "replay".
        """
        owner = viewer_of(request).user
        if is_upload(request):
            job = await asyncio.to_thread(job_for_bytes, rt, await uploaded_file(request), owner)
        else:
            job = await asyncio.to_thread(known, rt, request, parsed_object(await request.body()).get("path"))
        return {"id": job.id, "id_task": job.id}

    return router


def known(rt: Runtime, request: Request, name: Any) -> Job:
    """The job for a picture of the output folders or of a job's result. Raises RequestError, NotFound."""
    owner = viewer_of(request).user
    if not isinstance(name, str) or not name:
        raise RequestError("path", "The path of the picture is missing.")
    if name.startswith(MEMORY_PREFIX):
        content = rt.unsaved.content(name)
        if content is None:
            raise NotFound("There is no such picture any more.")
        return job_for_bytes(rt, content, owner)
    return replay.submit(rt, served_file(rt, request, name), owner=owner)


def job_for_bytes(rt: Runtime, content: bytes, owner: str) -> Job:
    """Keeps the content in a file until its job is done. Raises UserError where the queue does not take it."""
    path = rt.folders.temporary / f"replay-{uuid.uuid4().hex}"
    path.write_bytes(content)
    try:
        return replay.submit(rt, path, owner=owner, is_temporary=True)
    except UserError:
        path.unlink(missing_ok=True)
        raise
