"""The table of request fields: one row each, read by the form, the API, infotext, the job and X/Y/Z axes."""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modules.errors import RequestError

Kind = Literal["text", "integer", "number", "boolean", "choice", "names", "mapping", "values"]

LATENT_PX = 8
MAX_TEXT_CHARS = 200_000
MAX_SIDE_PX = 16384
MAX_SEED = 2**63 - 2**20  # room for seed + picture number below 2**63


@dataclass(frozen=True, kw_only=True)
class Field:
    """One parameter of a request.

    `name` is the attribute and API name; `minimum`, `maximum`, `step` are the slider's; `lowest` and `highest` are the hard
    limits of what is accepted; `infotext` is the key under which the value is written; `optional` fields may be None (the
    value then comes from the settings or the sampler); `api_default` differs from `default` where clients expect another one.
    `words` name the values 0, 1, ... of an integer or a switch on the page and in infotexts; they are accepted in their place.
    """

    name: str
    label: str
    kind: Kind
    default: Any
    element_id: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    lowest: float | None = None
    highest: float | None = None
    infotext: str = ""
    optional: bool = False
    api_default: Any = None
    in_form: bool = True
    words: tuple[str, ...] = ()

    @property
    def range_text(self) -> str:
        """The accepted range in words."""
        low, high = (_plain(v) for v in (self.lowest, self.highest))
        return f"{low} to {high}"


def _plain(value: float | None) -> str:
    return "any" if value is None else str(int(value)) if float(value).is_integer() else str(value)


def _text(name: str, label: str, element_id: str, infotext: str = "") -> Field:
    return Field(name=name, label=label, kind="text", default="", element_id=element_id, infotext=infotext)


def _slider(name: str, label: str, element_id: str, default: float, slider: tuple[float, float, float], limits: tuple[float, float],
            **further: Any) -> Field:
    kind: Kind = "number" if isinstance(default, float) else "integer"
    low, high, step = slider
    return Field(name=name, label=label, kind=kind, default=default, element_id=element_id, minimum=low, maximum=high, step=step,
                 lowest=limits[0], highest=limits[1], **further)


def _size(name: str, label: str) -> Field:
    return _slider(name, label, name, 512, (64, 2048, LATENT_PX), (LATENT_PX, MAX_SIDE_PX), infotext="Size")


def _resize_seed(name: str, label: str) -> Field:
    return _slider(name, label, name, 0, (0, 2048, LATENT_PX), (-1, MAX_SIDE_PX), api_default=-1, infotext="Seed resize from")


def _seed(name: str, label: str) -> Field:
    return Field(name=name, label=label, kind="integer", default=-1, element_id=name, lowest=-1, highest=MAX_SEED, infotext=label)


def _sampler_option(name: str, label: str, highest: float, infotext: str = "") -> Field:
    return Field(name=name, label=label, kind="number", default=None, lowest=0, highest=highest, infotext=infotext or label,
                 optional=True, in_form=False)


def _choice(name: str, label: str, element_id: str, default: str, infotext: str) -> Field:
    return Field(name=name, label=label, kind="choice", default=default, element_id=element_id, infotext=infotext)


def _switch(name: str, label: str, default: bool | None = False, element_id: str = "", **further: Any) -> Field:
    """A switch is in the form when it has an element there."""
    return Field(name=name, label=label, kind="boolean", default=default, element_id=element_id, in_form=bool(element_id), **further)


# Its value is the name of what restored them, not yes or no.
FACE_RESTORATION = "Face restoration"

COMMON_FIELDS: tuple[Field, ...] = (
    _text("prompt", "Prompt", "prompt", "Prompt"),
    _text("negative_prompt", "Negative prompt", "neg_prompt", "Negative prompt"),
    Field(name="styles", label="Styles", kind="names", default=(), element_id="styles", infotext="Styles"),
    Field(name="sampler_name", label="Sampling method", kind="choice", default="DPM++ 2M", api_default="Euler", element_id="sampling",
          infotext="Sampler"),
    Field(name="scheduler", label="Schedule type", kind="choice", default="Automatic", element_id="scheduler", infotext="Schedule type"),
    _slider("steps", "Sampling steps", "steps", 20, (1, 150, 1), (1, 1000), api_default=50, infotext="Steps"),
    _size("width", "Width"),
    _size("height", "Height"),
    _slider("n_iter", "Batch count", "batch_count", 1, (1, 100, 1), (1, 10000)),
    _slider("batch_size", "Batch size", "batch_size", 1, (1, 8, 1), (1, 256)),
    _slider("cfg_scale", "CFG Scale", "cfg_scale", 7.0, (1, 30, 0.5), (0, 1000), infotext="CFG scale"),
    _seed("seed", "Seed"),
    _seed("subseed", "Variation seed"),
    _slider("subseed_strength", "Variation strength", "subseed_strength", 0.0, (0, 1, 0.01), (0, 1), infotext="Variation seed strength"),
    _text("variations", "Variation chain", "variations", "Variation chain"),
    _resize_seed("seed_resize_from_w", "Resize seed from width"),
    _resize_seed("seed_resize_from_h", "Resize seed from height"),
    _choice("refiner_checkpoint", "Checkpoint", "checkpoint", "", "Refiner"),
    _slider("refiner_switch_at", "Switch at", "switch_at", 0.8, (0.01, 1, 0.01), (0.0, 1), infotext="Refiner switch at"),
    _switch("restore_faces", "Restore faces", None, "restore_faces", optional=True, infotext=FACE_RESTORATION),
    _switch("tiling", "Tiling", None, optional=True, infotext="Tiling"),
    _sampler_option("eta", "Eta", 10),
    _sampler_option("s_churn", "Sigma churn", 1000),
    _sampler_option("s_tmin", "Sigma tmin", 1000),
    _sampler_option("s_tmax", "Sigma tmax", 1e9),
    _sampler_option("s_noise", "Sigma noise", 10),
    _sampler_option("s_min_uncond", "Negative guidance minimum sigma", 1000, "NGMS"),
    _switch("do_not_save_samples", "Do not save pictures"),
    _switch("do_not_save_grid", "Do not save the grid"),
    _switch("disable_extra_networks", "Leave extra networks in the prompt alone"),
    Field(name="override_settings", label="Override settings", kind="mapping", default=None, element_id="override_settings"),
    _switch("override_settings_restore_afterwards", "Restore settings afterwards", True),
)

HIRES_FIELDS: tuple[Field, ...] = (
    _switch("enable_hr", "Hires. fix", element_id="hr-checkbox"),
    _choice("hr_upscaler", "Upscaler", "hr_upscaler", "Latent", "Hires upscaler"),
    _slider("hr_second_pass_steps", "Hires steps", "hires_steps", 0, (0, 150, 1), (0, 1000), infotext="Hires steps"),
    _slider("denoising_strength", "Denoising strength", "denoising_strength", 0.7, (0, 1, 0.01), (0, 1), api_default=0.75,
            infotext="Denoising strength"),
    _slider("hr_scale", "Upscale by", "hr_scale", 2.0, (1, 4, 0.05), (0.1, 16), infotext="Hires upscale"),
    _slider("hr_resize_x", "Resize width to", "hr_resize_x", 0, (0, 2048, LATENT_PX), (0, MAX_SIDE_PX), infotext="Hires resize-1"),
    _slider("hr_resize_y", "Resize height to", "hr_resize_y", 0, (0, 2048, LATENT_PX), (0, MAX_SIDE_PX), infotext="Hires resize-2"),
    _choice("hr_checkpoint_name", "Hires checkpoint", "hr_checkpoint", "Use same checkpoint", "Hires checkpoint"),
    _choice("hr_sampler_name", "Hires sampling method", "hr_sampler", "Use same sampler", "Hires sampler"),
    _choice("hr_scheduler", "Hires schedule type", "hr_scheduler", "Use same scheduler", "Hires schedule type"),
    _text("hr_prompt", "Hires prompt", "hires_prompt", "Hires prompt"),
    _text("hr_negative_prompt", "Hires negative prompt", "hires_neg_prompt", "Hires negative prompt"),
    Field(name="hr_cfg", label="Hires CFG Scale", kind="number", default=None, element_id="hr_cfg", minimum=0, maximum=30, step=0.5,
          lowest=0, highest=1000, infotext="Hires CFG Scale", optional=True),
)

TXT2IMG_FIELDS: tuple[Field, ...] = (*COMMON_FIELDS, *HIRES_FIELDS)


def _named(name: str, label: str, element_id: str, default: int, infotext: str, *words: str, **further: Any) -> Field:
    """A choice by number, as clients send it; the words are those of the page."""
    return Field(name=name, label=label, kind="integer", default=default, element_id=element_id, infotext=infotext, words=words,
                 lowest=0, highest=len(words) - 1, **further)


RESIZE_MODES = ("Just resize", "Crop and resize", "Resize and fill", "Just resize (latent upscale)")
MASKED_CONTENTS = ("fill", "original", "latent noise", "latent nothing")
MASK_MODES = ("Inpaint masked", "Inpaint not masked")
INPAINT_AREAS = ("Whole picture", "Only masked")

# What img2img has beside the common fields. Pictures (init_images, mask, latent_mask) are handled by modules.img2img.
IMAGE_FIELDS: tuple[Field, ...] = (
    _named("resize_mode", "Resize mode", "resize_mode", 0, "Resize mode", *RESIZE_MODES),
    _slider("denoising_strength", "Denoising strength", "denoising_strength", 0.75, (0, 1, 0.01), (0, 1), infotext="Denoising strength"),
    _slider("image_cfg_scale", "Image CFG Scale", "image_cfg_scale", 1.5, (0, 3, 0.05), (0, 1000), infotext="Image CFG scale"),
    _slider("mask_blur", "Mask blur", "mask_blur", 4, (0, 64, 1), (0, 512), infotext="Mask blur"),
    Field(name="mask_blur_x", label="Mask blur, horizontal", kind="integer", default=4, lowest=0, highest=512, in_form=False),
    Field(name="mask_blur_y", label="Mask blur, vertical", kind="integer", default=4, lowest=0, highest=512, in_form=False),
    _switch("mask_round", "Round the mask", True),
    _named("inpainting_mask_invert", "Mask mode", "mask_mode", 0, "Mask mode", *MASK_MODES),
    _named("inpainting_fill", "Masked content", "inpainting_fill", 1, "Masked content", *MASKED_CONTENTS, api_default=0),
    _switch("inpaint_full_res", "Inpaint area", False, "inpaint_full_res", infotext="Inpaint area", words=INPAINT_AREAS, api_default=True),
    _slider("inpaint_full_res_padding", "Only masked padding, pixels", "inpaint_full_res_padding", 32, (0, 256, 4), (0, MAX_SIDE_PX),
            infotext="Masked area padding", api_default=0),
    Field(name="initial_noise_multiplier", label="Noise multiplier", kind="number", default=None, lowest=0, highest=10, optional=True,
          in_form=False),
    _switch("resize_by", "Resize by a factor"),
    _slider("scale_by", "Scale", "scale", 1.0, (0.05, 4, 0.05), (0.01, 32)),
)

IMG2IMG_FIELDS: tuple[Field, ...] = (*COMMON_FIELDS, *IMAGE_FIELDS)


def by_name(fields: Iterable[Field]) -> dict[str, Field]:
    """The table as a mapping."""
    return {field.name: field for field in fields}


def defaults(fields: Iterable[Field], *, api: bool = False) -> dict[str, Any]:
    """The value of every field that a request does not name."""
    return {f.name: _copied(f.api_default if api and f.api_default is not None else f.default) for f in fields}


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def validated(fields: Iterable[Field], values: Mapping[str, Any], *, api: bool = False) -> dict[str, Any]:
    """The request with every field present, of its type and within its limits.

    Numbers may come as text or as a float with a whole value; sizes are brought down to a multiple of 8. None means the
    default. Raises RequestError naming the field and its range; unknown names are ignored.
    """
    fields = tuple(fields)
    complete = defaults(fields, api=api)
    for field in fields:
        value = values.get(field.name)
        if value is not None:
            complete[field.name] = checked(field, value)
    return complete


def checked(field: Field, value: Any) -> Any:
    """`value` in the type of `field`. Raises RequestError."""
    if field.words and isinstance(value, str) and value in field.words:
        value = field.words.index(value)
    return _CHECKS[field.kind](field, value)


def _checked_text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise RequestError(field.name, f"{field.label} must be text.")
    if len(value) > MAX_TEXT_CHARS:
        raise RequestError(field.name, f"{field.label} has {len(value):,} characters, the limit is {MAX_TEXT_CHARS:,}.")
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")  # lone surrogates cannot be stored


def _number(field: Field, value: Any) -> float | int:
    refusal = RequestError(field.name, f"{field.label} must be a number from {field.range_text}, not {str(value)[:40]!r}.")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise refusal
    if isinstance(value, str):
        value = _number_from_text(value, refusal)
    if isinstance(value, float) and not math.isfinite(value):
        raise refusal
    if (field.lowest is not None and value < field.lowest) or (field.highest is not None and value > field.highest):
        raise refusal
    return value


def _number_from_text(value: str, refusal: RequestError) -> float | int:
    if len(value) > 40:
        raise refusal
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        raise refusal from None


def _checked_integer(field: Field, value: Any) -> int:
    number = _number(field, value)
    if number != int(number):
        raise RequestError(field.name, f"{field.label} must be a whole number from {field.range_text}, not {value}.")
    whole = int(number)
    if field.step == LATENT_PX and whole > 0 and field.lowest == LATENT_PX:
        whole -= whole % LATENT_PX
    return whole


def _checked_number(field: Field, value: Any) -> float:
    return float(_number(field, value))


def _checked_boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise RequestError(field.name, f"{field.label} must be true or false, not {str(value)[:40]!r}.")


def _checked_names(field: Field, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value) or len(value) > 1000:
        raise RequestError(field.name, f"{field.label} must be a list of names.")
    return [_checked_text(field, name) for name in value]


def _checked_mapping(field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise RequestError(field.name, f"{field.label} must be an object of names and values.")
    return dict(value)


def _checked_values(field: Field, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise RequestError(field.name, f"{field.label} must be a list.")
    return list(value)


_CHECKS = {
    "text": _checked_text, "choice": _checked_text, "integer": _checked_integer, "number": _checked_number, "boolean": _checked_boolean,
    "names": _checked_names, "mapping": _checked_mapping, "values": _checked_values}
