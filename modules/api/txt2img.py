"""POST /sdapi/v1/txt2img: the client's request as values of the engine, and the finished job as the client's answer."""
import asyncio
from typing import Any

from modules import scripts, txt2img
from modules.api.generating import common_values, finished, flag, job_answer, text_field
from modules.api.models import NEEDED, request_defaults
from modules.generation.fields import TXT2IMG_FIELDS
from modules.jobs.job import Job
from modules.runtime import Runtime


def engine_values(rt: Runtime, body: dict[str, Any]) -> dict[str, Any]:
    """The request in the engine's terms. Raises RequestError for what this API cannot do, NotFound for an unknown sampler."""
    return common_values(rt, body, TXT2IMG_FIELDS, scripts.scripts_txt2img, NEEDED)


def submitted(rt: Runtime, body: dict[str, Any], owner: str) -> Job:
    """Queue the request. Looks at files and writes to disk, so call it in a thread. Raises UserError."""
    job_id = text_field(body, "force_task_id") or None
    return txt2img.submit(rt, engine_values(rt, body), owner=owner, job_id=job_id, api=True)


async def make_pictures(rt: Runtime, body: dict[str, Any], owner: str) -> dict[str, Any]:
    """Queue the request, wait for its end, and answer with its pictures. Raises UserError with the sentence of a job that failed."""
    send_images = flag(body, "send_images", True)
    job = await finished(submitted, rt, body, owner)
    return await asyncio.to_thread(job_answer, rt, job, parameters(body, engine_values(rt, body)), send_images)


def parameters(body: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The request as it was understood, every documented field with its value."""
    shown = {}
    for name, default in request_defaults().items():
        value = body.get(name)
        shown[name] = value if value is not None else values.get(name, default) if name in values else default
    shown |= {"do_not_save_samples": body.get("do_not_save_samples", False), "do_not_save_grid": body.get("do_not_save_grid", False)}
    return shown
