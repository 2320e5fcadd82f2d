"""The canvas that pictures are put on and drawn over: its place in the page, and the files that come from it."""
from __future__ import annotations

import html
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import gradio as gr
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from modules.api.own_files import served_file
from modules.errors import NotFound, UserError
from modules.imaging.open_picture import open_picture
from modules.ui.components import made

if TYPE_CHECKING:
    from modules.runtime import Runtime

# view: a picture alone; sketch: colours over it; mask: what to repaint; paint_mask: colours, and what they cover is repainted.
CanvasKind = Literal["view", "sketch", "mask", "paint_mask"]


@dataclass(frozen=True, kw_only=True)
class CanvasFiles:
    """Files that one canvas sent. image: as it was chosen (its EXIF orientation not applied), or enlarged by new borders.

    mask: 8-bit greyscale of the upright picture's size, 255 = repaint. paint: RGBA of that size, alpha not multiplied in.
    """

    image: Path | None = None
    mask: Path | None = None
    paint: Path | None = None


class PictureRequest(BaseModel):
    """A picture that the page has sent, or that was made here."""

    path: str


def canvas(elem_id: str, kind: CanvasKind) -> gr.HTML:
    """The place of a canvas. The browser's part (web/js/90 to 98) fills it and is asked for its content by `canvasOf(elem_id)`."""
    if kind not in get_args(CanvasKind):
        raise ValueError(f"no such kind of canvas: {kind}")
    place = f'<div class="canvas-place" data-canvas="{html.escape(elem_id)}" data-kind="{kind}"></div>'
    # Without gradio's own style for texts: it would shape our buttons.
    return made(gr.HTML, place, elem_id=elem_id, apply_default_css=False, elem_classes=["picture-canvas", f"canvas-kind-{kind}"])


def canvas_files(rt: Runtime, request: Request | None, payload: str | dict[str, Any] | None) -> CanvasFiles:
    """The files named by what `canvasOf(id).exported()` gave, as JSON text or a dict; nothing for an empty canvas.

    Raises UserError for what no canvas sends, and for files that the user behind the request may not see, or that are gone.
    """
    if isinstance(payload, str):
        try:
            payload = json.loads(payload) if payload.strip() else None
        except ValueError as error:
            raise UserError("The canvas sent something unreadable.", remedy="Reload the page and try again.") from error
    if payload is None:
        return CanvasFiles()
    if not isinstance(payload, dict):
        raise UserError("The canvas sent something unreadable.", remedy="Reload the page and try again.")
    return CanvasFiles(**{part: _sent_file(rt, request, part, payload.get(part)) for part in ("image", "mask", "paint")})


def _sent_file(rt: Runtime, request: Request | None, part: str, sent: Any) -> Path | None:
    path = sent.get("path") if isinstance(sent, dict) else sent
    if not path:
        return None
    try:
        return served_file(rt, request, str(path))
    except NotFound as error:
        named = {"image": "picture", "mask": "mask", "paint": "drawing"}[part]
        raise UserError(f"The {named} is no longer on the server.", "Files from the page are kept for a day, and until the program ends.",
                        "Put the picture on the canvas again.") from error


def canvas_router(rt: Runtime) -> APIRouter:
    """Routes for the canvas. The page shows a picture at once; what counts is how the server opens it."""
    router = APIRouter(prefix="/internal/canvas", include_in_schema=False)

    def opened(request: Request, path: str) -> Any:
        return open_picture(served_file(rt, request, path).read_bytes()).image

    @router.post("/picture")
    def picture(request: Request, asked: PictureRequest) -> dict[str, int]:
        """The upright picture's size. Refuses what no picture can be made from."""
        image = opened(request, asked.path)
        return {"width": image.width, "height": image.height}

    @router.get("/shown")
    def shown(request: Request, path: str) -> Response:
        """The picture as PNG, for browsers that cannot read the file."""
        stream = io.BytesIO()
        opened(request, path).save(stream, "PNG", compress_level=1)
        return Response(stream.getvalue(), media_type="image/png", headers={"Cache-Control": "no-store"})

    return router
