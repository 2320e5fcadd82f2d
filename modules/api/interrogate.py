"""POST /sdapi/v1/interrogate: a picture described in words."""
from __future__ import annotations

import asyncio
from typing import Any

from modules import interrogation
from modules.api.answers import JobFailed
from modules.api.base64_pictures import picture_bytes
from modules.api.generating import text_field
from modules.api.remote_pictures import fetch_options
from modules.errors import NotFound, UserError
from modules.imaging.interrogate import CLIP
from modules.runtime import Runtime


async def interrogate(rt: Runtime, body: dict[str, Any], user: str) -> dict[str, Any]:
    """`caption`: what `model` ("clip", "deepdanbooru" or the folder of a tagger) says of `image`. Raises UserError."""
    model = text_field(body, "model") or CLIP
    if not body.get("image"):
        raise NotFound("Image not found.")
    content = await asyncio.to_thread(picture_bytes, "image", body["image"], fetch_options(rt))
    return {"caption": (await asked(rt, content, model, user))["caption"]}


async def asked(rt: Runtime, content: bytes, model: str, user: str) -> dict[str, Any]:
    """The result of the job. Raises UserError, JobFailed."""
    job = await asyncio.to_thread(interrogation.submit, rt, content, model, owner=user)
    await job.wait_async()
    if job.status == "interrupted":
        raise UserError("The description was stopped.")
    if job.status != "done" or job.result is None:
        raise JobFailed(job)
    return job.result
