"""POST /sdapi/v1/txt2img: the client's request as values of the engine, and the finished job as the client's answer."""
from typing import Any

from modules import scripts, txt2img
from modules.api.generating import answered, common_values, text_field
from modules.api.models import NEEDED, request_defaults
from modules.generation.fields import TXT2IMG_FIELDS
from modules.jobs.job import Job
from modules.runtime import Runtime


def engine_values(rt: Runtime, body: dict[str, Any]) -> dict[str, Any]:
    """The request in the engine's terms. Raises RequestError for what this API cannot do, NotFound for an unknown sampler."""
    return common_values(rt, body, TXT2IMG_FIELDS, scripts.scripts_txt2img, NEEDED)


def submitted(rt: Runtime, body: dict[str, Any], owner: str) -> tuple[Job, dict[str, Any]]:
    """Queue the request; its job, and the request as it was understood.

    Looks at files and writes to disk, so call it in a thread. Raises UserError.
    """
    job_id = text_field(body, "force_task_id") or None
    values = engine_values(rt, body)
    shown = parameters(body, values)
    return txt2img.submit(rt, values, owner=owner, job_id=job_id, api=True), shown


async def make_pictures(rt: Runtime, body: dict[str, Any], owner: str) -> dict[str, Any]:
    """The answer to a request for pictures. Raises UserError."""
    return await answered(rt, body, lambda: submitted(rt, body, owner))


def parameters(body: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The request as it was understood, every documented field with its value."""
    shown = {}
    for name, default in request_defaults().items():
        value = body.get(name)
        shown[name] = value if value is not None else values.get(name, default) if name in values else default
    shown |= {"do_not_save_samples": body.get("do_not_save_samples", False), "do_not_save_grid": body.get("do_not_save_grid", False)}
    return shown
