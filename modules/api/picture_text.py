"""The routes that read what is inside a picture file: for pictures dropped on the prompt, and for the PNG Info tab."""
from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from modules.api.answers import SafeJSONResponse
from modules.api.uploads import uploaded_file
from modules.errors import RequestError
from modules.imaging.foreign_infotext import Reading, read_parameters
from modules.imaging.watermark import watermark_in_file


def picture_text_router() -> APIRouter:
    """The routes; they need nothing of the running program, and keep nothing of the picture."""
    router = APIRouter(prefix="/internal", tags=["page"], default_response_class=SafeJSONResponse)

    @router.post("/picture-text")
    async def picture_text(request: Request) -> dict[str, Any]:
        """The parameters in an uploaded picture `file` as an infotext. 422 where there are none."""
        return answer_of(with_parameters(await asyncio.to_thread(read_parameters, await uploaded_file(request))))

    @router.post("/picture-info")
    async def picture_info(request: Request) -> dict[str, Any]:
        """Everything that an uploaded picture `file` says: the same, every text in it under its own name, and a watermark."""
        content = await uploaded_file(request)
        reading = await asyncio.to_thread(read_parameters, content)
        watermark = await asyncio.to_thread(watermark_in_file, content)
        return {**answer_of(reading), "texts": reading.others, **({"watermark": watermark} if watermark else {})}

    return router


def with_parameters(reading: Reading) -> Reading:
    """The reading itself. Raises RequestError where it holds no parameters."""
    if not reading.text.strip():
        raise RequestError("file", "The picture holds no parameters.", "Another kind of program made it, or they were removed on its way.")
    return reading


def answer_of(reading: Reading) -> dict[str, Any]:
    return {"infotext": reading.text, "program": reading.program, "notes": list(reading.notes)}
