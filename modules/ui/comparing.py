"""What the page compares: the parameters of two pictures, and the picture that a job began with."""
from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel

from modules import postprocessing
from modules.errors import NotFound
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS
from modules.generation.inputs import flattened, open_input
from modules.generation.provenance import KEY as PROVENANCE
from modules.imaging import infotext
from modules.imaging.resize import ResizeMode, resize_image
from modules.jobs.job import Job
from modules.settings.infotext_keys import settings_with_infotext
from modules.ui.saving import job_of

if TYPE_CHECKING:
    from modules.runtime import Runtime

MAX_CHARS = 200_000
SIZE = ("Size-1", "Size-2")


class InfotextPair(BaseModel):
    """The infotexts of two pictures."""

    first: str = ""
    second: str = ""


def comparing_router(rt: Runtime) -> APIRouter:
    """The routes for this runtime."""
    router = APIRouter(prefix="/internal/compare", include_in_schema=False)

    @router.post("/parameters")
    def parameters(asked: InfotextPair) -> dict[str, Any]:
        return {"rows": differences(rt, asked.first[:MAX_CHARS], asked.second[:MAX_CHARS])}

    @router.get("/input/{job_id}")
    def begun_with(job_id: str, request: Request) -> Response:
        stream = io.BytesIO()
        placed_input(rt, job_of(rt, request, job_id)).save(stream, "PNG", compress_level=1)
        return Response(stream.getvalue(), media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

    return router


def differences(rt: Runtime, first: str, second: str) -> list[dict[str, Any]]:
    """Keys whose values differ, in the order of the first infotext. `applies`: the form, or a setting, can take the value."""
    one, other = shown_fields(first), shown_fields(second)
    keys = [key for key in {**one, **other} if one.get(key, "") != other.get(key, "")]
    known = {field.infotext for field in (*TXT2IMG_FIELDS, *IMG2IMG_FIELDS)} | {name for _, name in settings_with_infotext(rt.settings)}
    return [{"key": key, "first": one.get(key, ""), "second": other.get(key, ""), "applies": key in known and key in other} for key in keys]


def shown_fields(text: str) -> dict[str, str]:
    """What an infotext says to people, by key; the size in one piece."""
    found = {key: str(value) for key, value in infotext.read_fields(text).items()} if text.strip() else {}
    if all(key in found for key in SIZE):
        found = {"Size" if key == SIZE[0] else key: value for key, value in found.items()} | {"Size": "x".join(found[key] for key in SIZE)}
    return {key: value for key, value in found.items() if key not in (SIZE[1], PROVENANCE)}


def placed_input(rt: Runtime, job: Job) -> Image.Image:
    """RGB: the first picture that the job began with, brought to the size of its result as the job did. Raises NotFound, UserError."""
    names = list(job.request.get("init_images") or ())
    if job.kind == postprocessing.KIND:
        if not job.request["single"]:
            raise NotFound("Pictures of a batch in Extras are not kept.", "There is no input to compare this one with.")
        names = [job.request["batch"]["files"][0]["stored"]]
    if not names:
        raise NotFound("This picture was made from text alone.", "There is no input to compare it with.")
    settings: Any = job.settings
    picture = flattened(open_input(rt, names[0]), settings.get("img2img_background_color") or "#ffffff")
    results = [image for image in (job.result or {}).get("images", ()) if not image.get("is_grid")]
    size = (results[0]["width"], results[0]["height"]) if results else picture.size
    if picture.size == size:
        return picture
    mode = job.request.get("resize_mode")
    return resize_image(mode if mode in (ResizeMode.CROP, ResizeMode.FILL) else ResizeMode.STRETCH, picture, *size)
