"""The API that other programs speak: all routes below /sdapi/v1."""
import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from modules import model_jobs
from modules.api import about, models
from modules.api.answers import JobFailed, SafeJSONResponse
from modules.api.body import json_object
from modules.api.listings import LISTINGS, Listing
from modules.api.own_files import check_settings
from modules.api.own_queue import OwnQueue, own_queue, viewer_of
from modules.api.picture_routes import add_picture_routes
from modules.api.server_control import add_server_control
from modules.api.txt2img import make_pictures
from modules.jobs.job import Job
from modules.jobs.state import Snapshot
from modules.runtime import Runtime

Body = Annotated[dict[str, Any], Depends(json_object)]


def answers(model: Any) -> dict[int | str, dict[str, Any]]:
    """What /docs says about a route's answer; the answers themselves are plain data and are not checked again."""
    return {200: {"model": model}}


def api_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix="/sdapi/v1", tags=["API"], default_response_class=SafeJSONResponse)
    _add_generation(router, rt)
    add_picture_routes(router, rt)
    _add_options(router, rt)
    _add_listings(router, rt)
    _add_refreshing(router, rt)
    _add_models(router, rt)
    if rt.args.api_server_stop:
        add_server_control(router)
    return router


def _add_generation(router: APIRouter, rt: Runtime) -> None:
    body_schema = {"requestBody": {"required": True, "content": {"application/json": {"schema": models.request_schema()}}}}

    @router.post("/txt2img", responses=answers(models.TextToImageResponse), openapi_extra=body_schema)
    async def txt2img(body: Body, request: Request) -> Response:
        """Make pictures from a text; answers when they are made."""
        return SafeJSONResponse(await make_pictures(rt, body, viewer_of(request).user))

    @router.get("/progress", responses=answers(models.ProgressResponse))
    async def progress(request: Request, skip_current_image: Annotated[bool, Query()] = False) -> Response:
        """How far the running job is."""
        return SafeJSONResponse(progress_answer(own_queue(rt, request), with_image=not skip_current_image))

    @router.post("/interrupt")
    async def interrupt(request: Request) -> Response:
        """Stop the running job; what it has made is kept."""
        own_queue(rt, request).interrupt()
        return SafeJSONResponse({})

    @router.post("/skip")
    async def skip(request: Request) -> Response:
        """Give up the current batch of the running job and go on with the next."""
        own_queue(rt, request).skip()
        return SafeJSONResponse(None)


def progress_answer(queue: OwnQueue, with_image: bool) -> dict[str, Any]:
    """The answer of GET progress: from one snapshot, so that its numbers fit each other. Nothing runs for whom it is not theirs."""
    snapshot = queue.state.snapshot()
    if snapshot.job_id and queue.current is None and queue.get(snapshot.job_id) is None:
        snapshot = Snapshot()
    state = {name: getattr(snapshot, name) for name in (
        "skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no", "sampling_step", "sampling_steps")}
    is_busy = bool(snapshot.job_id)
    # Clients tell "begun" from "nothing runs" by a progress above 0, so a running job starts with a hundredth.
    return {
        "progress": min(1.0, 0.01 + snapshot.progress) if is_busy else 0.0,
        "eta_relative": (snapshot.eta_now() or 0.0) if is_busy else 0.0,
        "state": state,
        "current_image": snapshot.preview.base64 if with_image and snapshot.preview else None,
        "textinfo": snapshot.textinfo,
    }


def _add_options(router: APIRouter, rt: Runtime) -> None:
    @router.get("/options")
    async def options() -> Response:
        """All settings but those that may hold passwords or keys."""
        return SafeJSONResponse(about.without_secrets(rt.settings.snapshot()))

    @router.post("/options")
    async def set_options(body: Body, request: Request) -> Response:
        """Change settings. Nothing is changed when one of them is unknown or has a value that it cannot have."""
        check_settings(viewer_of(request), body)
        await asyncio.to_thread(change_options, rt, body)
        if "sd_model_checkpoint" in body:
            await finished(model_jobs.submit(rt))
        return SafeJSONResponse(None)


def change_options(rt: Runtime, values: dict[str, Any]) -> None:
    """Check all values, then set and store them. Raises RequestError, NotFound for a checkpoint, UserError when settings are frozen."""
    checked = {key: rt.settings.checked(key, value, is_api=True) for key, value in values.items()}
    if name := checked.get("sd_model_checkpoint"):
        checked["sd_model_checkpoint"] = rt.checkpoints.find(name).title
    for key, value in checked.items():
        rt.settings.set(key, value, is_api=True)
    rt.settings.save()


async def finished(job: Job) -> None:
    """Wait for a job of this request. Raises JobFailed with its sentence."""
    await job.wait_async()
    if job.status != "done":
        raise JobFailed(job)


def _add_listings(router: APIRouter, rt: Runtime) -> None:
    for listing in LISTINGS:
        router.add_api_route(listing.path, _listed(listing, rt), methods=["GET"], description=listing.make.__doc__,
                             name=listing.path.strip("/"), responses=answers(listing.model) if listing.model else None)


def _listed(listing: Listing, rt: Runtime) -> Callable[[], Response]:
    return lambda: SafeJSONResponse(listing.make(rt))


def _add_refreshing(router: APIRouter, rt: Runtime) -> None:
    """Routes that look at the folders again. Files that are read anew for each answer anyway have nothing to refresh."""
    def nothing() -> None:
        return None

    for path, refresh, what in (("checkpoints", rt.checkpoints.refresh, "checkpoints"), ("vae", nothing, "VAEs"),
                                ("embeddings", rt.embeddings.refresh, "learned embeddings"), ("loras", rt.loras.refresh, "LoRA files")):
        router.add_api_route(f"/refresh-{path}", _refreshed(refresh), methods=["POST"], name=f"refresh-{path}",
                             description=f"Look for {what} again.")


def _refreshed(refresh: Callable[[], Any]) -> Callable[[], Response]:
    def answer() -> Response:
        refresh()
        return SafeJSONResponse(None)

    return answer


def _add_models(router: APIRouter, rt: Runtime) -> None:
    @router.post("/unload-checkpoint")
    def unload_checkpoint() -> Response:
        """Let go of the loaded model, after the running job."""
        with rt.queue.turn:
            rt.models.unload()
        return SafeJSONResponse({})

    @router.post("/reload-checkpoint")
    async def reload_checkpoint() -> Response:
        """Load the chosen checkpoint, after the jobs that wait."""
        await finished(model_jobs.submit(rt))
        return SafeJSONResponse({})


def __getattr__(name: str) -> Any:
    if name in ("Api", "decode_base64_to_image", "encode_pil_to_base64"):  # names that extensions expect here
        from modules.api import old_names

        return getattr(old_names, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
