"""POST /sdapi/v1/img2img: the client's request as values of the engine, and the finished job as the client's answer."""
import asyncio
from typing import Any

from modules import img2img, scripts
from modules.api import models
from modules.api.base64_pictures import picture_bytes, picture_list
from modules.api.remote_pictures import fetch_options
from modules.api.scripts import chosen_scripts
from modules.api.txt2img import flag, job_answer, refuse_missing, sampler_of, text_field
from modules.generation.fields import IMG2IMG_FIELDS
from modules.generation.from_infotext import values_from_infotext
from modules.jobs.job import Job
from modules.runtime import Runtime

# Old clients send these with 0 for "not set".
ZERO_IS_UNSET = ("s_tmax",)
PICTURES = (img2img.PICTURES, *img2img.MASKS)


def engine_values(rt: Runtime, body: dict[str, Any]) -> dict[str, Any]:
    """The request in the engine's terms, pictures as bytes. Raises RequestError, or NotFound for an unknown sampler."""
    values = {name: value for name, value in body.items() if value is not None}
    if text := text_field(body, "infotext"):
        values = values_from_infotext(rt, IMG2IMG_FIELDS, text) | values
    for name in ZERO_IS_UNSET:
        if values.get(name) == 0:
            values.pop(name)
    values["sampler_name"] = sampler_of(values)
    if scheduler := text_field(values, "scheduler"):
        values["scheduler"] = scheduler
    refuse_missing(rt, {name: value for name, value in values.items() if name in models.NEEDED_BY_PICTURES})
    values["do_not_save_samples"] = values["do_not_save_grid"] = not flag(values, "save_images", False)
    values["scripts"] = chosen_scripts(scripts.scripts_img2img, values)
    fetch = fetch_options(rt)
    values[img2img.PICTURES] = picture_list(img2img.PICTURES, values.get(img2img.PICTURES), fetch)
    return values | {name: picture_bytes(name, values[name], fetch) for name in img2img.MASKS if values.get(name)}


def submitted(rt: Runtime, body: dict[str, Any], owner: str) -> Job:
    """Queue the request. Decodes pictures and writes to disk, so call it in a thread. Raises UserError."""
    job_id = text_field(body, "force_task_id") or None
    return img2img.submit(rt, engine_values(rt, body), owner=owner, job_id=job_id, api=True)


async def make_pictures(rt: Runtime, body: dict[str, Any], owner: str) -> dict[str, Any]:
    """Queue the request, wait for its end, and answer with its pictures. Raises UserError with the sentence of a job that failed."""
    send_images = flag(body, "send_images", True)
    job = await asyncio.to_thread(submitted, rt, body, owner)
    await job.wait_async()
    return await asyncio.to_thread(job_answer, rt, job, parameters(body), send_images)


def parameters(body: dict[str, Any]) -> dict[str, Any]:
    """Every documented field with its value; the pictures only for clients that ask to have them back."""
    shown = {name: default if body.get(name) is None else body[name] for name, default in models.image_request_defaults().items()}
    return shown if flag(body, "include_init_images", False) else shown | dict.fromkeys(PICTURES)
