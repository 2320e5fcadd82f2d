"""The route for files of the output folders by their path: pictures are shown, everything else is downloaded."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from modules.api.own_files import served_file
from modules.api.picture_files import PICTURE_TYPES
from modules.errors import NotFound
from modules.ui import extension_files

if TYPE_CHECKING:
    from modules.runtime import Runtime

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}


def is_picture(path: Path) -> bool:
    """Whether a browser may show a file of this name; html and svg could run scripts in our origin."""
    return path.suffix.lower() in PICTURE_TYPES


def file_answer(path: Path) -> Response:
    """Pictures are shown, everything else is downloaded."""
    if is_picture(path):
        return FileResponse(path, media_type=PICTURE_TYPES[path.suffix.lower()], headers=HEADERS)
    return FileResponse(path, media_type="application/octet-stream", filename=path.name, headers=HEADERS)


def pictures_router(rt: Runtime) -> APIRouter:
    """The routes. gradio's own file route has the same address; ours stands before it and serves less."""
    router = APIRouter()

    @router.get("/gradio_api/file={path:path}", include_in_schema=False)
    @router.get("/file={path:path}", include_in_schema=False)
    def picture_file(request: Request, path: str) -> Response:
        of_extension = extension_files.served(rt, path)
        if of_extension is not None:
            return extension_files.answer(of_extension)
        try:
            return file_answer(served_file(rt, request, path))
        except NotFound as error:
            return JSONResponse({"error": "NotFound", "detail": str(error), "body": "", "errors": ""}, status_code=404)

    return router
