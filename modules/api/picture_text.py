"""The route that reads the parameters inside a picture file, for pictures that are dropped on the prompt."""
from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile

from modules.api.answers import SafeJSONResponse
from modules.api.replay import MAX_UPLOAD_BYTES
from modules.errors import RequestError
from modules.imaging.open_picture import open_picture


def picture_text_router() -> APIRouter:
    """The route; it needs nothing of the running program."""
    router = APIRouter(prefix="/internal", tags=["page"], default_response_class=SafeJSONResponse)

    @router.post("/picture-text")
    async def picture_text(request: Request) -> dict[str, str]:
        """The infotext of an uploaded picture `file`. Nothing of it is kept."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise RequestError("file", "The file is missing.")
        async with request.form(max_files=1, max_fields=8) as form:
            content = await content_of(form.get("file"))
        return {"infotext": await asyncio.to_thread(infotext_in, content)}

    return router


async def content_of(file: Any) -> bytes:
    """The bytes of an uploaded file. Raises RequestError."""
    if not isinstance(file, UploadFile):
        raise RequestError("file", "The file is missing.")
    content = await file.read(MAX_UPLOAD_BYTES + 1)
    if len(content) > MAX_UPLOAD_BYTES:
        raise RequestError("file", f"The file has more than {MAX_UPLOAD_BYTES >> 20} MB.")
    return content


def infotext_in(content: bytes) -> str:
    """The infotext in a picture file. Raises PictureRefused, and RequestError where there is none."""
    infotext = open_picture(content).infotext
    if not infotext or not infotext.strip():
        raise RequestError("file", "The picture holds no parameters.", "Another kind of program made it, or they were removed on its way.")
    return infotext
