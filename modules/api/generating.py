"""What all requests for pictures share: the client's words as values of the engine, and the finished job as the client's answer."""
import asyncio
import base64
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from modules.api.answers import JobFailed
from modules.api.scripts import chosen_scripts
from modules.errors import NotFound, RequestError
from modules.generation.fields import TXT2IMG_FIELDS, Field, by_name, checked
from modules.generation.from_infotext import values_from_infotext
from modules.imaging.unsaved import MEMORY_PREFIX
from modules.jobs.job import Job
from modules.runtime import Runtime
from modules.sampling.registry import split_sampler_name
from modules.scripts import ScriptRunner

# Old clients send every sampler option and size of a second pass with 0 for "not set"; here 0 is not a value that anybody means.
ZERO_IS_UNSET = ("s_tmax", "hr_resize_x", "hr_resize_y")
_TEXT = Field(name="", label="", kind="text", default="")


def common_values(rt: Runtime, body: dict[str, Any], fields: Iterable[Field], runner: ScriptRunner | None,
                  needed: Mapping[str, str]) -> dict[str, Any]:
    """The request in the engine's terms, what its `infotext` says below what its fields say.

    needed: fields that ask for what this version cannot do, and what that is. Raises RequestError for one of them and for values of
    another kind, NotFound for an unknown sampler.
    """
    values = dict(body)
    if text := text_field(body, "infotext"):
        values = values_from_infotext(rt, fields, text) | {name: value for name, value in body.items() if value is not None}
    for name in ZERO_IS_UNSET:
        if values.get(name) == 0:
            values.pop(name)
    values["sampler_name"] = sampler_of(values)
    if scheduler := text_field(values, "scheduler"):
        values["scheduler"] = scheduler
    refuse_missing(values, needed)
    save_images = flag(values, "save_images", False)
    values["scripts"] = chosen_scripts(runner, values)
    values["do_not_save_samples"] = values["do_not_save_grid"] = not save_images
    return values


def text_field(values: dict[str, Any], name: str) -> str:
    """A text of the request, "" when it is not there. Raises RequestError when it is something else."""
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RequestError(name, f"{name} must be text.")
    return checked(by_name(TXT2IMG_FIELDS).get(name, _TEXT), value)


def flag(values: dict[str, Any], name: str, default: bool) -> bool:
    """A switch of the request. Raises RequestError when it is neither true nor false."""
    value = values.get(name)
    return default if value is None else checked(Field(name=name, label=name, kind="boolean", default=default), value)


def sampler_of(values: dict[str, Any]) -> str | None:
    """The sampler that the request names in either field, None for the default. Raises NotFound with the nearest names."""
    name = text_field(values, "sampler_name") or text_field(values, "sampler_index")
    if not name:
        return None
    try:
        split_sampler_name(name)
    except RequestError as error:
        raise NotFound(what="Sampler not found.", why=error.what, remedy=error.remedy) from error
    return name


def refuse_missing(values: Mapping[str, Any], needed: Mapping[str, str]) -> None:
    """Raises RequestError when the request asks for something that would silently be left out of the picture."""
    for name, wish in needed.items():
        if values.get(name):
            raise RequestError(name, f"{name}: this version cannot make {wish}.", remedy="Leave the field out.")


async def answered(rt: Runtime, body: dict[str, Any], submit: Callable[[], tuple[Job, dict[str, Any]]]) -> dict[str, Any]:
    """Queue the request, wait for its end, and answer with its pictures. Raises UserError with the sentence of a job that failed.

    submit: queues it and says how it was understood; it runs in a thread, so that other clients are served meanwhile.
    """
    send_images = flag(body, "send_images", True)
    job, shown = await asyncio.to_thread(submit)
    await job.wait_async()
    return await asyncio.to_thread(job_answer, rt, job, shown, send_images)


def job_answer(rt: Runtime, job: Job, shown: dict[str, Any], send_images: bool) -> dict[str, Any]:
    """images, parameters and info of a finished job. A stopped one answers with what it made. Raises JobFailed."""
    if job.status not in ("done", "interrupted"):
        raise JobFailed(job)
    result = job.result or {"images": [{"path": picture.path} for picture in job.pictures], "info": {}}
    images = [encoded(rt, image["path"]) for image in result["images"]] if send_images else []
    return {"images": [image for image in images if image], "parameters": shown, "info": json.dumps(result["info"], default=str)}


def encoded(rt: Runtime, path: str) -> str:
    """The file of a picture as base64, "" when it is gone."""
    if path.startswith(MEMORY_PREFIX):
        content = rt.unsaved.content(path) or b""
    else:
        try:
            content = Path(path).read_bytes()
        except OSError:
            content = b""
    return base64.b64encode(content).decode("ascii")
