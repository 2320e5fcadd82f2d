"""The routes behind the styles dialog: all styles at a glance, and their pictures."""
from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel

from modules.api.answers import SafeJSONResponse
from modules.errors import NotFound
from modules.imaging.open_picture import open_picture
from modules.imaging.thumbnails import folder_of_thumbnails, thumbnail
from modules.ui.saving import job_of, picture_content, picture_paths

if TYPE_CHECKING:
    from modules.runtime import Runtime

PREVIEW_PX = 512
SHOWN_PX = 256
CACHED = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


class StylePreviewRequest(BaseModel):
    """A style, and the picture of a job that is to show what it does; no job: the picture goes."""

    name: str
    id: str = ""
    index: int = 0


def styles_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix="/internal/styles", include_in_schema=False, default_response_class=SafeJSONResponse)

    @router.get("")
    def listed() -> dict[str, Any]:
        """Every style; `preview` changes with its picture and is 0 where there is none."""
        return {"styles": [style_row(rt, name) for name in rt.styles.names()]}

    @router.get("/preview")
    def preview(name: str) -> Response:
        path = rt.styles.preview(name)
        if path is None:
            raise NotFound("This style has no picture.")
        return Response(thumbnail(path, folder_of_thumbnails(rt.folders.cache), SHOWN_PX), media_type="image/webp", headers=CACHED)

    @router.post("/preview")
    def set_preview(asked: StylePreviewRequest, request: Request) -> dict[str, Any]:
        content = None
        if asked.id:
            paths = picture_paths(job_of(rt, request, asked.id))
            if not 0 <= asked.index < len(paths):
                raise NotFound(f"The job has no picture {asked.index}.")
            content = preview_png(picture_content(rt, paths[asked.index]))
        rt.styles.set_preview(asked.name, content)
        return style_row(rt, asked.name)

    return router


def style_row(rt: Runtime, name: str) -> dict[str, Any]:
    """What the page shows of a style."""
    style = rt.styles.styles[name]
    path = rt.styles.preview(name)
    return {"name": name, "prompt": style.prompt, "negative_prompt": style.negative_prompt,
            "file": style.path.name if style.path else "", "preview": changed_ms(path) if path else 0}


def changed_ms(path: Path) -> int:
    """When the file was written, in milliseconds; 1 where it has just gone."""
    try:
        return path.stat().st_mtime_ns // 10**6
    except OSError:
        return 1


def preview_png(content: bytes) -> bytes:
    """A small PNG without parameters of the picture in `content`. Raises PictureRefused."""
    image = open_picture(content).image.convert("RGB")
    image.thumbnail((PREVIEW_PX, PREVIEW_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
