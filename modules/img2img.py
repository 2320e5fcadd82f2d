"""Image to image as a job: pictures are kept, the request is checked and frozen, and the worker makes its pictures."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from modules import processing, scripts
from modules.errors import RequestError
from modules.generation.direct_calls import Answer, answer_of, named_values, prepared
from modules.generation.fields import IMG2IMG_FIELDS, LATENT_PX, MAX_SIDE_PX, validated
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.inputs import open_input, store_input
from modules.generation.request import freeze, run_request
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime, current

KIND = "img2img"
PICTURES, MASKS = "init_images", ("mask", "latent_mask")
MOST_PICTURES = 256


def submit(rt: Runtime, values: Mapping[str, Any], *, owner: str = "", job_id: str | None = None, api: bool = False) -> Job:
    """Queue a request given as values of IMG2IMG_FIELDS, `scripts`, and pictures: `init_images`, a list, `mask` and `latent_mask`.

    Each picture is a Path, bytes of a file, or a PIL image. All that can be judged from the request alone is judged here: raises
    RequestError or NotFound before a job exists.
    """
    request = checked_request(rt, values, api=api)
    frozen = freeze(rt, request, values, scripts.scripts_img2img)
    return rt.queue.submit(KIND, frozen.request, frozen.settings, title=request["prompt"][:200], owner=owner, job_id=job_id)


def checked_request(rt: Runtime, values: Mapping[str, Any], *, api: bool = False) -> dict[str, Any]:
    """The fields of the request with names of stored pictures, and its size as "resize by" asks. Raises RequestError."""
    request = checked_fields(values, api=api)
    given = values.get(PICTURES)
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)) or not given or any(picture is None for picture in given):
        raise RequestError(PICTURES, "There is no picture to begin with.", remedy="Choose or draw one.")
    most = request["batch_size"] if len(given) > 1 else 1
    if len(given) > min(most, MOST_PICTURES):
        raise RequestError(PICTURES, f"{len(given)} pictures do not fit into batches of {most}.",
                           remedy="Set the batch size to the number of pictures, or give one picture.")
    request[PICTURES] = [store_input(rt, picture, PICTURES) for picture in given]
    for name in MASKS:
        request[name] = store_input(rt, values[name], name) if values.get(name) is not None else None
    factor, resize_by = request.pop("scale_by"), request.pop("resize_by")
    if resize_by:
        request["width"], request["height"] = scaled_size(open_input(rt, request[PICTURES][0]), factor)
    return request


def checked_fields(values: Mapping[str, Any], *, api: bool = False) -> dict[str, Any]:
    """The fields of the request without its pictures. Raises RequestError."""
    request = validated(IMG2IMG_FIELDS, values, api=api)
    if values.get("mask_blur") is None and any(values.get(name) is not None for name in ("mask_blur_x", "mask_blur_y")):
        request["mask_blur"] = None
    return request


def scaled_size(picture: Image.Image, factor: float) -> tuple[int, int]:
    """Width and height of a picture times `factor`, rounded down to whole latents. Raises RequestError outside of what is accepted."""
    width, height = (int(side * factor) // LATENT_PX * LATENT_PX for side in picture.size)
    if not LATENT_PX <= min(width, height) <= max(width, height) <= MAX_SIDE_PX:
        raise RequestError("scale_by", f"The picture would get {width}x{height} pixels; a side may have {LATENT_PX} to {MAX_SIDE_PX}.",
                           remedy="Choose another scale.")
    return width, height


# The pictures of a call by name, by its `mode`: (the picture, its mask). One that was painted on is a mapping of both.
PICTURES_OF_MODE = {0: ("init_img", ""), 1: ("sketch", ""), 2: ("init_img_with_mask", ""), 3: ("inpaint_color_sketch", ""),
                    4: ("init_img_inpaint", "init_mask_inpaint")}


def img2img(id_task: str, request: Any, *args: Any, **named: Any) -> Answer:
    """What Generate makes of its inputs `args`, or of fields by name, made at once in the calling thread. A name that extensions expect.

    Raises RequestError and NotFound.
    """
    rt, values = current(), named_values(KIND, args, request, with_pictures_of_mode(named))
    frozen = freeze(rt, checked_request(rt, values), values, scripts.scripts_img2img)
    return answer_of(prepared(frozen, partial(opened, rt), scripts.scripts_img2img), processing.process_images)


def with_pictures_of_mode(named: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name with the picture of their `mode`, where they have one."""
    picture_name, mask_name = PICTURES_OF_MODE.get(named.get("mode", 0), PICTURES_OF_MODE[0])
    picture, mask = named.get(picture_name), named.get(mask_name)
    both = picture if isinstance(picture, Mapping) else {"image": picture, "mask": mask}
    found = {PICTURES: [both["image"]] if both.get("image") is not None else None, "mask": both.get("mask")}
    return {**named, **{name: value for name, value in found.items() if value is not None}}


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part: make the pictures of `job` that do not exist yet; returns the job's result."""
    return run_request(job, partial(opened, current()), processing.process_images, scripts.scripts_img2img)


def process_batch(p: StableDiffusionProcessingImg2Img, input_dir: str, output_dir: str = "", inpaint_mask_dir: str = "",
                  args: Sequence[Any] = (), **_: Any) -> Any:
    """Every picture of a folder through `p`, results into another; the last Processed. A name that extensions expect here and replace.

    The batch of the tab itself is modules/generation/folder_batch.py.
    """
    result = None
    if output_dir:
        p.outpath_samples, p.override_settings = output_dir, {**(p.override_settings or {}), "save_to_dirs": False}
    for path in sorted(Path(input_dir).iterdir()):
        if path.suffix.lower() not in Image.registered_extensions():
            continue
        with Image.open(path) as picture:
            p.init_images = [picture.convert("RGB")] * p.batch_size
        masks = sorted(Path(inpaint_mask_dir).glob(f"{path.stem}.*")) if inpaint_mask_dir else []
        if masks:
            with Image.open(masks[0]) as mask:
                p.image_mask = mask.convert("L")
        run_script = p.scripts.run(p, *args) if p.scripts is not None and args else None
        result = run_script or processing.process_images(p)
    return result


def opened(rt: Runtime, kind: type[StableDiffusionProcessingImg2Img] = StableDiffusionProcessingImg2Img,
           **fields: Any) -> StableDiffusionProcessingImg2Img:
    """A processing whose pictures are read from where `submit` kept them. Raises UserError when one is gone."""
    names = {name: fields[name] for name in (PICTURES, *MASKS) if fields.get(name)}
    fields[PICTURES] = [open_input(rt, name) for name in fields[PICTURES]]
    for name in MASKS:
        fields[name] = open_input(rt, fields[name]) if fields.get(name) else None
    if fields["latent_mask"] is not None:
        fields["latent_mask"] = fields["latent_mask"].convert("L")
    p = kind(**fields)
    p.inputs = names
    return p
