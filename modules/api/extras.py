"""POST /sdapi/v1/extra-single-image and extra-batch-images: pictures enlarged, without any network."""
import html
from dataclasses import dataclass
from typing import Any

from PIL import Image

from modules.api.base64_pictures import MOST_ADDRESSES, as_base64, is_address, picture_bytes
from modules.api.remote_pictures import FetchOptions
from modules.errors import RequestError
from modules.generation.fields import MAX_SIDE_PX, Field, Kind, checked
from modules.imaging.encode import png_bytes
from modules.imaging.open_picture import open_picture
from modules.imaging.upscale import Upscaler, find_upscaler

MAX_PIXELS = 8192 * 8192
MAX_FACTOR = 8
MOST_PICTURES = 256
# Fields that ask for a network which is not there.
FACES = {"gfpgan_visibility": "GFPGAN", "codeformer_visibility": "CodeFormer"}


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
    Field(name="upscale_first", label="upscale_first", kind="boolean", default=False),
)


@dataclass(frozen=True, kw_only=True)
class Upscaling:
    """What a request asks for: a factor, or a size that is covered and, with `crop`, cut out of the middle."""

    factor: float
    size: tuple[int, int] | None
    crop: bool
    upscaler: Upscaler
    second: Upscaler
    second_share: float


def extra_batch_images(body: dict[str, Any], fetch: FetchOptions) -> dict[str, Any]:
    """All pictures of `imageList`, each {"data": ..., "name": ...}, enlarged in the same way. Raises as extra_single_image does."""
    rows = body.get("imageList")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not 0 < len(rows) <= MOST_PICTURES:
        raise RequestError("imageList", f"imageList must be a list of 1 to {MOST_PICTURES} objects with data and name.")
    if sum(is_address(row.get("data")) for row in rows) > MOST_ADDRESSES:
        raise RequestError("imageList", f"imageList names more than {MOST_ADDRESSES} addresses.", remedy="Send the pictures as base64.")
    made = [extra_single_image({**body, "image": row.get("data")}, fetch) for row in rows]
    return {"html_info": made[-1]["html_info"], "images": [each["image"] for each in made if each["image"]]}


def extra_single_image(body: dict[str, Any], fetch: FetchOptions) -> dict[str, Any]:
    """The enlarged picture as base64 PNG with the infotext it had, and what was done as html. Raises RequestError, NotFound."""
    values = {field.name: field.default if body.get(field.name) is None else checked(field, body[field.name]) for field in FIELDS}
    for name, what in FACES.items():
        if values[name] > 0:
            raise RequestError(name, f"{name}: this version cannot restore faces with {what}.", remedy="Leave the field out.")
    opened = open_picture(picture_bytes("image", body.get("image"), fetch))
    picture, done = upscaled(opened.image, asked_for(values, opened.image))
    summary = ", ".join(f"{key}: {value}" for key, value in done.items())
    text = "\n".join(filter(None, (opened.infotext, summary)))
    shown = as_base64(png_bytes(picture, text)) if values["show_extras_results"] else ""
    return {"html_info": f"<p>{html.escape(summary)}</p>", "image": shown}


def asked_for(values: dict[str, Any], picture: Image.Image) -> Upscaling:
    """The request in one piece. Raises RequestError when the result would be too large, NotFound for an upscaler that is not there."""
    size = (values["upscaling_resize_w"], values["upscaling_resize_h"]) if values["resize_mode"] == 1 else None
    factor = max(size[0] / picture.width, size[1] / picture.height) if size else values["upscaling_resize"]
    width, height = int(picture.width * factor), int(picture.height * factor)
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise RequestError("upscaling_resize_w" if size else "upscaling_resize",
                           f"The picture would get {width}x{height} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels.",
                           remedy="Choose a smaller scale or size.")
    return Upscaling(factor=factor, size=size, crop=values["upscaling_crop"], upscaler=find_upscaler(values["upscaler_1"]),
                     second=find_upscaler(values["upscaler_2"]), second_share=values["extras_upscaler_2_visibility"])


def upscaled(picture: Image.Image, wish: Upscaling) -> tuple[Image.Image, dict[str, Any]]:
    """The picture enlarged, and what was done under the keys that infotexts know. Without an upscaler it stays as it is."""
    if wish.upscaler.enlarge is None:
        return picture, {}
    done: dict[str, Any] = {"Postprocess upscale to": "{}x{}".format(*wish.size)} if wish.size else {"Postprocess upscale by": wish.factor}
    result = _enlarged(picture, wish, wish.upscaler, done)
    done["Postprocess upscaler"] = wish.upscaler.name
    if wish.second.enlarge is not None and wish.second_share > 0:
        second = _enlarged(picture, wish, wish.second, {})
        result = Image.blend(result, second.convert(result.mode), wish.second_share)
        done["Postprocess upscaler 2"] = wish.second.name
    return result, done


def _enlarged(picture: Image.Image, wish: Upscaling, upscaler: Upscaler, done: dict[str, Any]) -> Image.Image:
    result = upscaler(picture, wish.factor)
    if not (wish.size and wish.crop):
        return result
    width, height = wish.size
    sheet = Image.new(result.mode, wish.size)
    sheet.paste(result, (width // 2 - result.width // 2, height // 2 - result.height // 2))
    done["Postprocess crop to"] = f"{width}x{height}"
    return sheet
