"""POST /sdapi/v1/extra-single-image and extra-batch-images: pictures led through the steps of Extras, as a job."""
import asyncio
import html
from collections.abc import Callable
from typing import Any

from modules import postprocessing
from modules.api.answers import JobFailed
from modules.api.base64_pictures import MOST_ADDRESSES, is_address, picture_bytes
from modules.api.generating import encoded
from modules.api.remote_pictures import fetch_options
from modules.errors import RequestError
from modules.generation.fields import MAX_SIDE_PX, Field, Kind, checked
from modules.imaging.open_picture import open_picture
from modules.jobs.job import Job
from modules.postprocessing import ExtrasRequest
from modules.runtime import Runtime

MAX_PIXELS = 8192 * 8192
MAX_FACTOR = 8
MOST_PICTURES = 256


def _number(name: str, default: float, lowest: float, highest: float) -> Field:
    kind: Kind = "integer" if isinstance(default, int) else "number"
    return Field(name=name, label=name, kind=kind, default=default, lowest=lowest, highest=highest)


def _text(name: str) -> Field:
    return Field(name=name, label=name, kind="text", default="None")


FIELDS: tuple[Field, ...] = (
    _number("resize_mode", 0, 0, 1),
    Field(name="show_extras_results", label="show_extras_results", kind="boolean", default=True),
    _number("gfpgan_visibility", 0.0, 0, 1),
    _number("codeformer_visibility", 0.0, 0, 1),
    _number("codeformer_weight", 0.0, 0, 1),
    _number("upscaling_resize", 2.0, 1, MAX_FACTOR),
    _number("upscaling_resize_w", 512, 1, MAX_SIDE_PX),
    _number("upscaling_resize_h", 512, 1, MAX_SIDE_PX),
    Field(name="upscaling_crop", label="upscaling_crop", kind="boolean", default=True),
    _text("upscaler_1"),
    _text("upscaler_2"),
    _number("extras_upscaler_2_visibility", 0.0, 0, 1),
    Field(name="upscale_first", label="upscale_first", kind="boolean", default=False),  # accepted; the order of the steps is a setting
)

_PICTURES: dict[str, dict[str, Any]] = {
    "ExtrasSingleImageRequest": {"image": {"type": "string", "title": "Picture as base64"}},
    "ExtrasBatchImagesRequest": {"imageList": {"type": "array", "title": "Pictures", "items": {
        "type": "object", "properties": {"data": {"type": "string"}, "name": {"type": "string"}}}}}}


def request_schema(title: str) -> dict[str, Any]:
    """What /docs says about the body of a route; `checked` enforces it."""
    kinds = {"integer": "integer", "number": "number", "boolean": "boolean", "text": "string"}
    properties: dict[str, Any] = {}
    for field in FIELDS:
        limits = {name: value for name, value in (("minimum", field.lowest), ("maximum", field.highest)) if value is not None}
        properties[field.name] = {"type": kinds[field.kind], "title": field.name, "default": field.default, "nullable": True, **limits}
    schema = {"title": title, "type": "object", "properties": {**properties, **_PICTURES[title]}, "required": list(_PICTURES[title])}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def extra_single_image(rt: Runtime, body: dict[str, Any], owner: str) -> dict[str, Any]:
    """The picture as base64 PNG with the infotext it had, and what was done as html. Raises RequestError, NotFound, JobFailed."""
    def submit(values: dict[str, Any]) -> Job:
        picture = picture_bytes("image", body.get("image"), fetch_options(rt))
        check_size(picture, values)
        return postprocessing.submit(rt, ExtrasRequest(picture=picture, steps=steps_of(rt, values), save=False), owner=owner)

    info, images = await _answer(rt, body, submit)
    return {"html_info": info, "image": images[0] if images else ""}


async def extra_batch_images(rt: Runtime, body: dict[str, Any], owner: str) -> dict[str, Any]:
    """All pictures of `imageList`, each {"data": ..., "name": ...}, in the same way. Raises as extra_single_image does."""
    rows = body.get("imageList")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not 0 < len(rows) <= MOST_PICTURES:
        raise RequestError("imageList", f"imageList must be a list of 1 to {MOST_PICTURES} objects with data and name.")
    if sum(is_address(row.get("data")) for row in rows) > MOST_ADDRESSES:
        raise RequestError("imageList", f"imageList names more than {MOST_ADDRESSES} addresses.", remedy="Send the pictures as base64.")

    def submit(values: dict[str, Any]) -> Job:
        fetch = fetch_options(rt)
        pictures = [(str(row.get("name") or "")[:200], picture_bytes("image", row.get("data"), fetch)) for row in rows]
        for _, picture in pictures:
            check_size(picture, values)
        return postprocessing.submit(rt, ExtrasRequest(pictures=pictures, steps=steps_of(rt, values), save=False), owner=owner)

    info, images = await _answer(rt, body, submit)
    return {"html_info": info, "images": images}


async def _answer(rt: Runtime, body: dict[str, Any], submit: Callable[[dict[str, Any]], Job]) -> tuple[str, list[str]]:
    """What was done as html, and the results as base64 where they are asked for."""
    values = {field.name: field.default if body.get(field.name) is None else checked(field, body[field.name]) for field in FIELDS}
    job = await asyncio.to_thread(submit, values)
    await job.wait_async()
    if job.status not in ("done", "interrupted"):
        raise JobFailed(job)
    result = job.result or {"images": [], "info": {}, "notes": []}
    rows = result["images"] if values["show_extras_results"] else []
    images = await asyncio.to_thread(lambda: [encoded(rt, row["path"]) for row in rows])
    done = ", ".join(f"{key}: {value}" for key, value in result["info"].get("postprocessing", {}).items())
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result["notes"])
    return f"<p>{html.escape(done)}</p>{notes}", [image for image in images if image]


def steps_of(rt: Runtime, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps that the fields of a request ask for. Raises NotFound for an upscaler that is not there."""
    names = [rt.upscalers.find(values[name]).name for name in ("upscaler_1", "upscaler_2")]
    steps: dict[str, dict[str, Any]] = {"Upscale": {
        "upscale_enabled": True, "upscale_mode": values["resize_mode"], "upscale_by": values["upscaling_resize"],
        "upscale_to_width": values["upscaling_resize_w"], "upscale_to_height": values["upscaling_resize_h"],
        "upscale_crop": values["upscaling_crop"], "upscaler_1_name": names[0], "upscaler_2_name": names[1],
        "upscaler_2_visibility": values["extras_upscaler_2_visibility"]}}
    if values["gfpgan_visibility"] > 0:
        steps["GFPGAN"] = {"enable": True, "gfpgan_visibility": values["gfpgan_visibility"]}
    if values["codeformer_visibility"] > 0:
        steps["CodeFormer"] = {"enable": True, "codeformer_visibility": values["codeformer_visibility"],
                               "codeformer_weight": values["codeformer_weight"]}
    return steps


def check_size(picture: bytes, values: dict[str, Any]) -> None:
    """Raise RequestError for what is no picture, or where the result would be larger than an answer may be."""
    image = open_picture(picture).image
    if values["upscaler_1"].lower() == "none":
        return
    size = (values["upscaling_resize_w"], values["upscaling_resize_h"]) if values["resize_mode"] == 1 else None
    factor = max(size[0] / image.width, size[1] / image.height) if size else values["upscaling_resize"]
    width, height = int(image.width * factor), int(image.height * factor)
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise RequestError("upscaling_resize_w" if size else "upscaling_resize",
                           f"The picture would get {width}x{height} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.",
                           remedy="Choose a smaller scale or size.")
