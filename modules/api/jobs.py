"""Jobs that a client does not wait for: submit, list, look at, cancel, follow. An addition to the routes that clients know."""
import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from modules.api import img2img, models, txt2img
from modules.api.answers import SafeJSONResponse, error_body
from modules.api.body import json_object
from modules.api.followers import Followers
from modules.api.generating import job_answer
from modules.api.own_queue import OwnQueue, own_queue
from modules.api.picture_files import picture_file
from modules.api.queue_view import item, picture_path, picture_paths
from modules.generation.request import NOT_OF_THE_RUN
from modules.jobs.job import Job, Status
from modules.runtime import Runtime

Body = Annotated[dict[str, Any], Depends(json_object)]
PREFIX = "/sdapi/v1/jobs"


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of job that clients may submit: the fields are those of the route of the same name."""

    name: str
    submit: Callable[[Runtime, dict[str, Any], str], tuple[Job, dict[str, Any]]]
    schema: Callable[[], dict[str, Any]]


KINDS: tuple[JobKind, ...] = (
    JobKind(name="txt2img", submit=txt2img.submitted, schema=models.request_schema),
    JobKind(name="img2img", submit=img2img.submitted, schema=models.image_request_schema),
)

EXAMPLES = {
    "submit": """curl -X POST localhost:7860/sdapi/v1/jobs/txt2img -H 'Content-Type: application/json' \\
     -d '{"prompt": "a lighthouse at night", "steps": 20}'
{"id": "job-4f1c2a9be07d4c55", "status": "waiting", "position": 1, ...}""",
    "list": "curl 'localhost:7860/sdapi/v1/jobs?status=waiting&limit=20'",
    "get": """curl localhost:7860/sdapi/v1/jobs/job-4f1c2a9be07d4c55
{"id": "job-4f1c2a9be07d4c55", "status": "done", "pictures": [{"index": 0, "seed": 1, "url": "/sdapi/v1/jobs/...", ...}], ...}""",
    "events": """curl -N localhost:7860/sdapi/v1/jobs/job-4f1c2a9be07d4c55/events
event: state
data: {"status": "running", "progress": 0.35, "eta": 4.2, ...}

event: end
data: {"status": "done", ...}""",
    "picture": "curl -o picture.png localhost:7860/sdapi/v1/jobs/job-4f1c2a9be07d4c55/pictures/0",
    "cancel": "curl -X POST localhost:7860/sdapi/v1/jobs/job-4f1c2a9be07d4c55/cancel",
}


def example(name: str) -> dict[str, Any]:
    """The example of a route, where tools for OpenAPI look for one."""
    return {"x-codeSamples": [{"lang": "Shell", "source": EXAMPLES[name]}]}


def jobs_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix=PREFIX, tags=["jobs"], default_response_class=SafeJSONResponse)

    def queue_of(request: Request) -> OwnQueue:
        return own_queue(rt, request)

    own = Depends(queue_of)
    for kind in KINDS:
        _add_submission(router, rt, kind)
    _add_reading(router, rt, own)
    _add_following(router, own)

    @router.post("/{job_id}/cancel", openapi_extra=example("cancel"))
    async def cancel(job_id: str, queue: OwnQueue = own) -> Response:
        """Take a waiting job out of the queue, or stop it when it runs. `cancelled` is false for one that is over already."""
        acted = await asyncio.to_thread(queue.cancel, job_id)
        return SafeJSONResponse({"id": job_id, "cancelled": acted})

    return router


def _add_submission(router: APIRouter, rt: Runtime, kind: JobKind) -> None:
    extra = {**example("submit"), "requestBody": {"required": True, "content": {"application/json": {"schema": kind.schema()}}}}

    @router.post(f"/{kind.name}", status_code=202, openapi_extra=extra, name=f"submit-{kind.name}")
    async def submit(body: Body, request: Request) -> Response:
        """Queue a job and answer at once with its id. The fields are those of the route that waits; force_task_id names the job."""
        queue = own_queue(rt, request)
        job, _ = await asyncio.to_thread(kind.submit, rt, body, queue.viewer.user)
        return SafeJSONResponse(described(queue, job), status_code=202, headers={"Location": url_of(job)})


def _add_reading(router: APIRouter, rt: Runtime, own: Any) -> None:
    @router.get("", openapi_extra=example("list"))
    def listed(status: Annotated[Status | None, Query()] = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
               queue: OwnQueue = own) -> Response:
        """The running job, those that wait, those that an earlier run left, and the last that are over, newest first."""
        places = {job.id: place for place, job in queue.places()}
        every = [*queue.jobs(), *queue.unfinished(), *queue.recent()]
        chosen = [job for job in every if status in (None, job.status)]
        return SafeJSONResponse({"total": len(chosen), "jobs": [item(queue, job, places.get(job.id)) for job in chosen[:limit]]})

    @router.get("/{job_id}", openapi_extra=example("get"))
    async def job(job_id: str, queue: OwnQueue = own) -> Response:
        """One job: how far it is, its request, and the pictures that are finished. The last fifty stay, also over a restart."""
        return SafeJSONResponse(described(queue, queue.known(job_id)))

    @router.get("/{job_id}/result")
    async def result(job_id: str, send_images: bool = True, queue: OwnQueue = own) -> Response:
        """What the route that waits would have answered: images, parameters, info. 409 as long as the job is not over."""
        known = queue.known(job_id)
        if not known.is_settled:
            return SafeJSONResponse(error_body("NotOver", "The job is not over yet."), status_code=409)
        return SafeJSONResponse(await asyncio.to_thread(job_answer, rt, known, parameters(known), send_images))

    @router.get("/{job_id}/pictures/{index}", openapi_extra=example("picture"))
    async def picture(job_id: str, index: int, download: bool = False, queue: OwnQueue = own) -> Response:
        """The file of one picture."""
        return picture_file(rt, picture_path(queue.known(job_id), index), download)


def _add_following(router: APIRouter, own: Any) -> None:
    followers = Followers()

    @router.get("/{job_id}/events", openapi_extra=example("events"), response_class=StreamingResponse,
                responses={200: {"content": {"text/event-stream": {}}}})
    async def events(job_id: str, previews: bool = False, queue: OwnQueue = own) -> Response:
        """Server-sent events until the job is over: `state` at most twice a second, `preview` when asked for, `end`."""
        known = queue.known(job_id)
        followers.check()
        return StreamingResponse(followers.follow(queue, known, previews), media_type="text/event-stream",
                                 headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def url_of(job: Job, part: Literal["", "/result", "/events", "/cancel"] = "") -> str:
    """The address of a job or of something of it."""
    return f"{PREFIX}/{quote(job.id, safe='')}{part}"


def parameters(job: Job) -> dict[str, Any]:
    """The request as it was frozen, without what only the engine reads."""
    return {name: value for name, value in job.request.items() if name not in NOT_OF_THE_RUN}


def described(queue: OwnQueue, job: Job) -> dict[str, Any]:
    """All there is to say about one job."""
    result = job.result or {}
    images, finished = result.get("images", ()), {picture.index: picture for picture in job.pictures}
    pictures = []
    for index in sorted(picture_paths(job)):
        facts = images[index] if images else {"infotext": finished[index].infotext}
        facts = {name: value for name, value in facts.items() if name != "path"}
        pictures.append({"index": index, "url": f"{url_of(job)}/pictures/{index}", **facts})
    return {**item(queue, job, queue.position(job.id)), "request": parameters(job), "pictures": pictures, "info": result.get("info"),
            "notes": result.get("notes", []), "seconds": job.seconds,
            "links": {"result": url_of(job, "/result"), "events": url_of(job, "/events"), "cancel": url_of(job, "/cancel")}}
