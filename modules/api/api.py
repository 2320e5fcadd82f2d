"""The API that other programs speak: all routes below /sdapi/v1."""
import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from modules import model_jobs
from modules.api import listings, models, scripts
from modules.api.answers import JobFailed, SafeJSONResponse
from modules.api.body import json_object
from modules.api.txt2img import make_pictures
from modules.jobs.job import Job
from modules.runtime import Runtime

Body = Annotated[dict[str, Any], Depends(json_object)]


def answers(model: Any) -> dict[int | str, dict[str, Any]]:
    """What /docs says about a route's answer; the answers themselves are plain data and are not checked again."""
    return {200: {"model": model}}


def api_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix="/sdapi/v1", tags=["API"], default_response_class=SafeJSONResponse)
    _add_generation(router, rt)
    _add_options(router, rt)
    _add_engine_lists(router)
    _add_file_lists(router, rt)
    _add_models(router, rt)
    return router


def owner_of(request: Request) -> str:
    """The user behind a request, "" without a login."""
    return str(request.scope.get("easel_user", ""))


def _add_generation(router: APIRouter, rt: Runtime) -> None:
    body_schema = {"requestBody": {"required": True, "content": {"application/json": {"schema": models.request_schema()}}}}

    @router.post("/txt2img", responses=answers(models.TextToImageResponse), openapi_extra=body_schema)
    async def txt2img(body: Body, request: Request) -> Response:
        """Make pictures from a text; answers when they are made."""
        return SafeJSONResponse(await make_pictures(rt, body, owner_of(request)))

    @router.get("/progress", responses=answers(models.ProgressResponse))
    async def progress(skip_current_image: Annotated[bool, Query()] = False) -> Response:
        """How far the running job is."""
        return SafeJSONResponse(progress_answer(rt, with_image=not skip_current_image))

    @router.post("/interrupt")
    async def interrupt() -> Response:
        """Stop the running job; what it has made is kept."""
        rt.queue.interrupt()
        return SafeJSONResponse({})

    @router.post("/skip")
    async def skip() -> Response:
        """Give up the current batch of the running job and go on with the next."""
        rt.queue.skip()
        return SafeJSONResponse(None)


def progress_answer(rt: Runtime, with_image: bool) -> dict[str, Any]:
    """The answer of GET progress: from one snapshot, so that its numbers fit each other."""
    snapshot = rt.state.snapshot()
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
        """All settings."""
        return SafeJSONResponse(dict(rt.settings.snapshot()))

    @router.post("/options")
    async def set_options(body: Body) -> Response:
        """Change settings. Nothing is changed when one of them is unknown or has a value that it cannot have."""
        await asyncio.to_thread(change_options, rt, body)
        if "sd_model_checkpoint" in body:
            await finished(model_jobs.submit(rt))
        return SafeJSONResponse(None)

    @router.get("/cmd-flags")
    async def cmd_flags() -> Response:
        """The command line, without passwords."""
        return SafeJSONResponse(listings.flags(rt.args))


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


def _add_engine_lists(router: APIRouter) -> None:
    @router.get("/samplers", responses=answers(list[models.SamplerItem]))
    async def samplers() -> Response:
        """Sampling methods."""
        return SafeJSONResponse(listings.samplers())

    @router.get("/schedulers", responses=answers(list[models.SchedulerItem]))
    async def schedulers() -> Response:
        """Schedule types."""
        return SafeJSONResponse(listings.schedulers())

    @router.get("/upscalers", responses=answers(list[models.UpscalerItem]))
    async def upscalers() -> Response:
        """Ways to enlarge a picture."""
        return SafeJSONResponse(listings.upscalers())

    @router.get("/latent-upscale-modes", responses=answers(list[models.LatentUpscalerModeItem]))
    async def latent_upscale_modes() -> Response:
        """Ways to enlarge a latent."""
        return SafeJSONResponse(listings.latent_upscale_modes())

    @router.get("/memory", responses=answers(models.MemoryResponse))
    async def memory() -> Response:
        """Memory in use, in bytes."""
        return SafeJSONResponse(listings.memory())

    @router.get("/scripts", responses=answers(models.ScriptsList))
    async def script_names() -> Response:
        """Names of the scripts per tab, in lower case."""
        return SafeJSONResponse(scripts.names())

    @router.get("/script-info", responses=answers(list[models.ScriptInfo]))
    async def script_info() -> Response:
        """The scripts with their arguments."""
        return SafeJSONResponse(await asyncio.to_thread(scripts.infos))


def _add_file_lists(router: APIRouter, rt: Runtime) -> None:
    @router.get("/sd-models", responses=answers(list[models.SDModelItem]))
    async def sd_models() -> Response:
        """Checkpoints that can be chosen."""
        return SafeJSONResponse(await asyncio.to_thread(listings.checkpoints, rt))

    @router.get("/prompt-styles", responses=answers(list[models.PromptStyleItem]))
    async def prompt_styles() -> Response:
        """Styles."""
        return SafeJSONResponse(listings.prompt_styles(rt))

    @router.get("/embeddings", responses=answers(models.EmbeddingsResponse))
    async def embeddings() -> Response:
        """Learned embeddings: those that fit the model, and those that do not."""
        return SafeJSONResponse(listings.embeddings(rt))

    @router.post("/refresh-embeddings")
    async def refresh_embeddings() -> Response:
        """Look for learned embeddings again."""
        await asyncio.to_thread(rt.embeddings.refresh)
        return SafeJSONResponse(None)

    @router.get("/loras")
    async def loras() -> Response:
        """LoRA files."""
        return SafeJSONResponse(await asyncio.to_thread(listings.loras, rt))


def _add_models(router: APIRouter, rt: Runtime) -> None:
    @router.post("/refresh-checkpoints")
    async def refresh_checkpoints() -> Response:
        """Look for checkpoints again."""
        await asyncio.to_thread(rt.checkpoints.refresh)
        return SafeJSONResponse(None)

    @router.post("/unload-checkpoint")
    async def unload_checkpoint() -> Response:
        """Let go of the loaded model, after the running job."""
        await asyncio.to_thread(unload, rt)
        return SafeJSONResponse({})

    @router.post("/reload-checkpoint")
    async def reload_checkpoint() -> Response:
        """Load the chosen checkpoint, after the jobs that wait."""
        await finished(model_jobs.submit(rt))
        return SafeJSONResponse({})


def unload(rt: Runtime) -> None:
    """Unload the model between two jobs."""
    with rt.queue.turn:
        rt.models.unload()
