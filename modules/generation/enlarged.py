"""Hires fix on a finished picture: its parameters and seed, the second pass of today's form."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from modules import scripts, txt2img
from modules.errors import RequestError, UserError
from modules.generation.fields import HIRES_FIELDS, TXT2IMG_FIELDS, validated
from modules.generation.from_infotext import values_from_infotext
from modules.generation.request import freeze
from modules.jobs.job import Job
from modules.runtime import Runtime


def submit(rt: Runtime, path: Path, infotext: str, hires: Mapping[str, Any], *, owner: str = "") -> Job:
    """Queue the second pass over the picture at `path`; `hires` holds values of HIRES_FIELDS, others are left alone.

    Raises RequestError for a picture without parameters or a value that cannot be, UserError for a file that is gone.
    """
    values = values_from_infotext(rt, TXT2IMG_FIELDS, infotext)
    if "steps" not in values or "seed" not in values:
        raise RequestError("infotext", "The picture does not say how it was made, so there is nothing to go on with.")
    width, height = size_of(path)
    values |= {field.name: hires.get(field.name) for field in HIRES_FIELDS}
    values |= {"enable_hr": True, "width": width, "height": height, "n_iter": 1, "batch_size": 1, "styles": [],
               "scheduler": values.get("scheduler") or "Automatic"}
    request = validated(TXT2IMG_FIELDS, values)
    frozen = freeze(rt, request, values, scripts.scripts_txt2img)
    frozen.request["firstpass_image"] = str(path)
    return rt.queue.submit(txt2img.KIND, frozen.request, frozen.settings, title=request["prompt"][:200], owner=owner)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture file in px. Raises UserError."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except OSError as error:
        raise UserError(f"The picture {path.name} cannot be read.", "It was moved, deleted or changed.") from error
