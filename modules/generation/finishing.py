"""What is done to a finished picture before it is published: faces restored, safety filter, an invisible watermark."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from PIL.Image import Image

from modules import runtime
from modules.errors import Cancelled, RequestError, UserError
from modules.generation.base import StableDiffusionProcessing
from modules.generation.describe import create_infotext
from modules.generation.outputs import Destination, samples_folder, save
from modules.imaging.known_files import FileMissing
from modules.imaging.safety import hidden
from modules.imaging.watermark import checked_text, with_watermark

WATERMARK = "Invisible watermark"
HIDDEN = "Safety filter"


def with_faces(p: StableDiffusionProcessing, image: Image, index: int, keep: bool) -> Image:
    """`image` with its faces restored where the request, or the setting, asks for it; as it is, and with a note, where that fails."""
    rt = runtime.current()
    opts = rt.settings
    p.face_restorer = None
    if not (opts.face_restoration if p.restore_faces is None else p.restore_faces):
        return image
    try:
        restored = faces_restored(image, opts.face_restoration_model, weight=opts.code_former_weight)
    except (UserError, torch.OutOfMemoryError) as error:
        p.comment(f"Faces were not restored. {error}")
        return image
    except Cancelled:  # the picture itself is done, and is kept as it is
        p.comment("Faces were not restored, since the job was stopped.")
        return image
    if restored is not image and keep and opts.save_images_before_face_restoration:
        text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, index=index, is_result=False)
        save(p, image, index, text, Destination(folder=samples_folder(p), keep=True, suffix="-before-face-restoration"))
    p.face_restorer = opts.face_restoration_model
    return restored


def faces_restored(image: Image, name: str, *, weight: float = 0.5, visibility: float = 1.0) -> Image:
    """`image` with its faces restored, or `image` itself; afterwards the networks go where the settings say so. Raises UserError."""
    rt = runtime.current()
    try:
        return rt.faces.restored(image, name, weight=weight, visibility=visibility)
    finally:
        if rt.settings.face_restoration_unload:
            rt.faces.unload()


def check_faces(rt: runtime.Runtime, request: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Raises RequestError for a request to restore faces that lacks a file, before a job exists."""
    if not request.get("restore_faces"):
        return
    missing = rt.faces.missing(overrides.get("face_restoration_model") or rt.settings.face_restoration_model)
    if missing is not None:
        error = FileMissing(missing)
        raise RequestError("restore_faces", f"Restore faces: {error.what}", error.why, f"{error.remedy} Or switch Restore faces off.")


def concealed(p: StableDiffusionProcessing, image: Image, index: int) -> Image:
    """A blurred picture in place of one that the safety checker objects to; the original goes into a folder of its own."""
    rt = runtime.current()
    p.extra_generation_params.pop(HIDDEN, None)
    if not rt.settings.safety_filter:
        return image
    try:
        is_flagged = rt.safety.flags(image)
    except (UserError, torch.OutOfMemoryError) as error:
        p.comment(f"The pictures were not checked by the safety filter. {error}")
        return image
    except Cancelled:
        is_flagged = True  # nobody has looked at it
    if not is_flagged:
        return image
    rt.folders.hidden.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, index=index, all_negative_prompts=p.all_negative_prompts)
    rt.unsaved.keep(rt.folders.hidden, image, text)
    p.comment(f"The safety filter hid picture {index + 1}. The original is kept in the program's folder {rt.folders.hidden.name}.")
    p.extra_generation_params[HIDDEN] = "hidden"
    return hidden(image)


def watermarked(p: StableDiffusionProcessing, image: Image) -> Image:
    """`image` with the watermark that the settings ask for; without it, and with a note, where it cannot be written."""
    opts = runtime.current().settings
    p.extra_generation_params.pop(WATERMARK, None)
    if not opts.invisible_watermark:
        return image
    try:
        marked = with_watermark(image, opts.invisible_watermark_text)
    except UserError as error:
        p.comment(str(error))
        return image
    p.extra_generation_params[WATERMARK] = checked_text(opts.invisible_watermark_text)
    return marked
