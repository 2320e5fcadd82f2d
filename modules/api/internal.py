"""Routes of the page: progress, queue, results. All under /internal; /internal/progress is polled."""
import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from modules.api import about
from modules.api.answers import SafeJSONResponse
from modules.api.own_queue import OwnQueue, admin_only, own_queue
from modules.api.picture_files import picture_file
from modules.api.queue_view import picture_path, progress_answer, queue_answer, result_answer
from modules.api.token_count import token_count
from modules.errors import NotFound, RequestError
from modules.runtime import Runtime
from modules.self_check import self_check

QueueAction = Literal["move", "cancel", "cancel-all", "pause", "resume", "retry", "resume-unfinished", "discard"]


class ProgressRequest(BaseModel):
    """Which job is asked for, and the preview that the page has already."""

    model_config = ConfigDict(extra="ignore")

    id_task: str | None = None
    live_preview: bool = Field(True, validation_alias=AliasChoices("live_preview", "live"))
    id_live_preview: int = Field(-1, validation_alias=AliasChoices("id_live_preview", "last"))


class TaskRequest(BaseModel):
    """The job that an action is meant for; none means whichever runs. `after_current`: stop when the present picture is done."""

    id_task: str | None = None
    after_current: bool = False


class TokenCountRequest(BaseModel):
    """A prompt as it stands in the box, and the chosen styles."""

    text: str = ""
    steps: int = 20
    styles: list[str] = []
    is_positive: bool = True


class QueueRequest(BaseModel):
    """An action on the queue. `before`: the job in front of which a moved one goes; none means the end."""

    action: QueueAction | None = None
    id: str | None = None
    before: str | None = None


def internal_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix="/internal", tags=["page"], default_response_class=SafeJSONResponse)

    def queue_of(request: Request) -> OwnQueue:
        return own_queue(rt, request)

    own = Depends(queue_of)
    _add_progress(router, own)
    _add_queue(router, rt, own)
    _add_results(router, rt, own)
    _add_information(router, rt)
    return router


def _add_progress(router: APIRouter, own: Any) -> None:
    @router.post("/progress")
    async def progress(body: ProgressRequest, queue: OwnQueue = own) -> Response:
        """How far one job is; polled by the page."""
        # Written here: FastAPI would walk through the answer once more, preview included, twice a second for every page.
        return SafeJSONResponse(progress_answer(queue, body.id_task or "", body.id_live_preview, body.live_preview))

    @router.get("/ping")
    async def ping() -> dict[str, Any]:
        """Tells the page that the server is there."""
        return {}

    @router.get("/pending-tasks")
    async def pending_tasks(queue: OwnQueue = own) -> dict[str, Any]:
        """Ids of the running job and those that wait."""
        tasks = [job.id for job in queue.jobs()]
        return {"size": len(tasks), "tasks": tasks}

    @router.post("/interrupt")
    async def interrupt(body: TaskRequest | None = None, queue: OwnQueue = own) -> dict[str, bool]:
        """Stop a job if it runs at this moment."""
        body = body or TaskRequest()
        return {"acted": queue.interrupt(body.id_task, after_current=body.after_current)}

    @router.post("/skip")
    async def skip(body: TaskRequest | None = None, queue: OwnQueue = own) -> dict[str, bool]:
        """Give up the current batch of a job if it runs at this moment."""
        return {"acted": queue.skip(body.id_task if body else None)}


def _add_queue(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("/queue")
    async def listed(version: Annotated[int | None, Query()] = None, queue: OwnQueue = own) -> dict[str, Any]:
        """The jobs that run, wait, are unfinished or over."""
        return queue_answer(queue, rt.all_notices(), version)

    async def act(queue: OwnQueue, action: QueueAction, body: QueueRequest) -> dict[str, Any]:
        # In a thread: these write to disk, which must not hold up the polling of other pages.
        extra = await asyncio.to_thread(queue_action, queue, action, body)
        return {**queue_answer(queue, rt.all_notices()), **extra}

    @router.post("/queue")
    async def queue_action_in_body(body: QueueRequest, queue: OwnQueue = own) -> dict[str, Any]:
        """Change the queue; the action stands in the body."""
        if body.action is None:
            raise RequestError("action", what="The action is missing.")
        return await act(queue, body.action, body)

    @router.post("/queue/{action}")
    async def queue_action_in_path(action: QueueAction, body: QueueRequest | None = None, queue: OwnQueue = own) -> dict[str, Any]:
        """Change the queue."""
        return await act(queue, action, body or QueueRequest())


def queue_action(queue: OwnQueue, action: QueueAction, body: QueueRequest) -> dict[str, Any]:
    """Carry out one action; returns what the answer says beside the list. Raises NotFound, RequestError, NotAllowed."""
    if action in ("move", "cancel", "retry") and body.id is None:
        raise RequestError("id", what="The id of the job is missing.")
    job_id = body.id or ""
    if action == "move":
        queue.move(job_id, body.before)
    elif action == "cancel":
        if not queue.cancel(job_id):
            raise NotFound(what=f"No job {job_id[:80]} waits or runs.")
    elif action == "cancel-all":
        queue.cancel_all()
    elif action == "pause":
        queue.pause()
    elif action == "resume":
        queue.resume()
    elif action == "retry":
        return {"new_id": queue.again(job_id).id}
    elif action == "resume-unfinished":
        queue.resume_unfinished(body.id)
    elif action == "discard":
        queue.discard(body.id)
    return {}


def _add_results(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("/result/{job_id}")
    async def result(job_id: str, queue: OwnQueue = own) -> dict[str, Any]:
        """What became of a job; while it runs, the pictures that are finished."""
        return result_answer(queue.known(job_id))

    @router.get("/result/{job_id}/picture/{index}")
    async def picture(job_id: str, index: int, download: bool = False, queue: OwnQueue = own) -> Response:
        """The file of one picture."""
        return picture_file(rt, picture_path(queue.known(job_id), index), download)


def _add_information(router: APIRouter, rt: Runtime) -> None:
    @router.post("/token-count")
    def count(body: TokenCountRequest) -> dict[str, int]:
        """Tokens of a prompt; in a thread, since a long one takes a moment."""
        return token_count(rt, body.text, body.steps, body.styles, body.is_positive)

    @router.get("/sysinfo")
    def sysinfo(attachment: bool = False) -> Response:
        """What to tell in a report of a fault; holds no names of files and no secrets."""
        headers = {"Content-Disposition": 'attachment; filename="sysinfo.json"'} if attachment else None
        return SafeJSONResponse(about.system(rt), headers=headers)

    @router.get("/self-check", dependencies=[Depends(admin_only)])
    def check() -> dict[str, Any]:
        """Whether everything that pictures need is in order, and what to do where it is not."""
        return {"findings": [asdict(finding) for finding in self_check(rt)]}

    @router.get("/sysinfo-download")
    def sysinfo_download() -> Response:
        """The same as a file."""
        return sysinfo(attachment=True)

    @router.get("/quicksettings-hint")
    async def quicksettings_hint() -> list[dict[str, str]]:
        """Names and labels of the settings that can stand at the top of the page."""
        return [{"name": name, "label": option.label} for name, option in rt.settings.data_labels.items() if option.label]
