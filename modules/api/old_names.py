"""What extensions import from `modules.api.api`: pictures as text, a place for routes."""
from __future__ import annotations

import base64
import io
from typing import Any

from fastapi import APIRouter, FastAPI
from PIL import Image

from modules.errors import RequestError
from modules.imaging.encode import png_bytes


def decode_base64_to_image(encoding: str) -> Image.Image:
    """The picture of base64 text, with or without the beginning of a data address. Raises RequestError for anything else."""
    try:
        return Image.open(io.BytesIO(base64.b64decode(encoding.partition(";base64,")[2] or encoding)))
    except (ValueError, OSError) as error:
        raise RequestError("image", "The text is no picture.", "It has to be base64 of a picture file.") from error


def encode_pil_to_base64(image: Image.Image) -> bytes:
    """A picture as base64 of a PNG with its infotext."""
    return base64.b64encode(png_bytes(image, image.info.get("parameters") or ""))


class Api:
    """An application and the routes that an extension adds to it."""

    def __init__(self, app: FastAPI, queue_lock: Any):
        self.app, self.queue_lock = app, queue_lock
        self.router = APIRouter()
        self.credentials: dict[str, str] = {}

    def add_api_route(self, path: str, endpoint: Any, **keywords: Any) -> None:
        """Add a route; the login of the program stands before it."""
        self.app.add_api_route(path, endpoint, **keywords)
