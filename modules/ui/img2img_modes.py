"""The sub-tabs of img2img as data, and what each of them makes of its canvas for a request."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from modules.errors import RequestError
from modules.generation.fields import Field
from modules.generation.inputs import flattened
from modules.imaging.masks import mask_from_paint, painted, painted_through
from modules.imaging.open_picture import PictureRefused, open_picture
from modules.ui.mask_canvas import CanvasFiles, CanvasKind, canvas_files

if TYPE_CHECKING:
    from fastapi import Request

    from modules.runtime import Runtime

Values = dict[str, Any]

BATCH = "batch"
IS_BATCH = "is_batch"
CHOOSE = "Drop a picture on it, or choose one."
NOTHING_PAINTED = ("There is no mask.", "Nothing is painted on the canvas.", "Paint over what is to be made anew.")

# Of the form alone: what the engine gets is the picture with the paint in it.
MASK_TRANSPARENCY = Field(name="mask_alpha", label="Mask transparency", kind="integer", default=0, element_id="mask_alpha",
                          minimum=0, maximum=100, step=1, lowest=0, highest=100)


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One sub-tab. `tab` and `canvas` are element ids; `mask_canvas` is that of a second picture, the mask. A batch has no canvas."""

    name: str
    label: str
    tab: str
    canvas: str = ""
    kind: CanvasKind = "view"
    mask_canvas: str = ""
    takes_copies: bool = True

    @property
    def identifier(self) -> str:
        """The name as a part of element ids."""
        return self.name.replace(" ", "_")


MODES = (
    Mode(name="img2img", label="img2img", tab="img2img_img2img_tab", canvas="img2img_image", kind="view"),
    Mode(name="sketch", label="Sketch", tab="img2img_img2img_sketch_tab", canvas="img2img_sketch", kind="sketch"),
    Mode(name="inpaint", label="Inpaint", tab="img2img_inpaint_tab", canvas="img2maskimg", kind="mask"),
    Mode(name="inpaint sketch", label="Inpaint sketch", tab="img2img_inpaint_sketch_tab", canvas="inpaint_sketch", kind="paint_mask"),
    Mode(name="inpaint upload", label="Inpaint upload", tab="img2img_inpaint_upload_tab", canvas="img_inpaint_base", kind="view",
         mask_canvas="img_inpaint_mask", takes_copies=False),
    Mode(name=BATCH, label="Batch", tab="img2img_batch_tab", takes_copies=False),
)  # fmt: skip


def modes_for_page() -> list[dict[str, str]]:
    """The table as the page's scripts need it."""
    return [{"name": mode.name, "id": mode.identifier, "tab": mode.tab, "canvas": mode.canvas, "maskCanvas": mode.mask_canvas}
            for mode in MODES]


def with_pictures(rt: Runtime, values: Values, message: str, request: Request | None) -> Values:
    """The values of the form and what the page says of its pictures, as a request: init_images, mask, resize_by, is_batch.

    The message is JSON: `mode`, `resize_by`, `canvas` and `mask_canvas` as `canvas_files` takes them. Raises UserError for what is
    no picture, for a mask without a stroke and for files that are not the page's own.
    """
    said = json.loads(message or "{}")
    mode = next((mode for mode in MODES if mode.name == said.get("mode")), MODES[0])
    kept = {name: value for name, value in values.items() if name != MASK_TRANSPARENCY.name}
    kept |= {"resize_by": bool(said.get("resize_by")), IS_BATCH: mode.name == BATCH}
    if mode.name == BATCH:
        return kept
    files = canvas_files(rt, request, said.get("canvas"))
    if files.image is None:
        raise RequestError("init_images", "There is no picture.", f"The canvas of {mode.label} is empty.", CHOOSE)
    picture, mask = _picture_and_mask(rt, mode, files, canvas_files(rt, request, said.get("mask_canvas")), values)
    return kept | {"init_images": [picture], "mask": mask}


def _picture_and_mask(rt: Runtime, mode: Mode, files: CanvasFiles, uploaded: CanvasFiles, values: Values) -> tuple[Any, Any]:
    if mode.kind == "sketch":
        return (files.image if files.paint is None else painted(_opened(rt, files.image), _paint(files.paint))), None
    if mode.kind == "paint_mask":
        return _painted_with_mask(rt, files, values)
    if mode.kind == "mask":
        if files.mask is None:
            raise RequestError("mask", *NOTHING_PAINTED)
        return files.image, files.mask
    if mode.mask_canvas:
        if uploaded.image is None:
            raise RequestError("mask", "There is no mask.", "The lower canvas is empty.", CHOOSE)
        return files.image, uploaded.image
    return files.image, None


def _painted_with_mask(rt: Runtime, files: CanvasFiles, values: Values) -> tuple[Image.Image, Image.Image]:
    if files.paint is None:
        raise RequestError("mask", *NOTHING_PAINTED)
    paint = _paint(files.paint)
    transparency, blur = values.get(MASK_TRANSPARENCY.name) or 0, values.get("mask_blur") or 0
    return painted_through(_opened(rt, files.image), paint, transparency=transparency, blur=blur), mask_from_paint(paint)


def _opened(rt: Runtime, path: Path | None) -> Image.Image:
    """RGB, upright. Raises PictureRefused, RequestError."""
    return flattened(_decoded(path), rt.settings.img2img_background_color)


def _paint(path: Path) -> Image.Image:
    return _decoded(path).convert("RGBA")


def _decoded(path: Path | None) -> Image.Image:
    try:
        return open_picture(path.read_bytes() if path else b"").image
    except OSError as error:
        raise PictureRefused("The canvas cannot be read.", "Its file was removed meanwhile.", "Put the picture on it again.") from error
