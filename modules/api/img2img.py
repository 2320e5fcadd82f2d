"""POST /sdapi/v1/img2img: the client's request as values of the engine, and the finished job as the client's answer."""
from typing import Any

from modules import img2img, scripts
from modules.api import models
from modules.api.base64_pictures import picture_bytes, picture_list
from modules.api.generating import answered, common_values, flag, text_field
from modules.api.remote_pictures import fetch_options
from modules.generation.fields import IMG2IMG_FIELDS
from modules.jobs.job import Job
from modules.runtime import Runtime

PICTURES = (img2img.PICTURES, *img2img.MASKS)


def engine_values(rt: Runtime, body: dict[str, Any]) -> dict[str, Any]:
    """The request in the engine's terms, pictures as bytes. Raises RequestError, or NotFound for an unknown sampler."""
    values = common_values(rt, body, IMG2IMG_FIELDS, scripts.scripts_img2img, {})
    fetch = fetch_options(rt)
    values[img2img.PICTURES] = picture_list(img2img.PICTURES, values.get(img2img.PICTURES), fetch)
    return values | {name: picture_bytes(name, values[name], fetch) for name in img2img.MASKS if values.get(name)}


def submitted(rt: Runtime, body: dict[str, Any], owner: str) -> tuple[Job, dict[str, Any]]:
    """Queue the request; its job, and the request as it was understood.

    Decodes pictures and writes to disk, so call it in a thread. Raises UserError.
    """
    job_id = text_field(body, "force_task_id") or None
    shown = parameters(body)
    return img2img.submit(rt, engine_values(rt, body), owner=owner, job_id=job_id, api=True), shown


async def make_pictures(rt: Runtime, body: dict[str, Any], owner: str) -> dict[str, Any]:
    """The answer to a request for pictures. Raises UserError."""
    return await answered(rt, body, lambda: submitted(rt, body, owner))


def parameters(body: dict[str, Any]) -> dict[str, Any]:
    """Every documented field with its value; the pictures only for clients that ask to have them back."""
    shown = {name: default if body.get(name) is None else body[name] for name, default in models.image_request_defaults().items()}
    return shown if flag(body, "include_init_images", False) else shown | dict.fromkeys(PICTURES)
