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
MAX_SEED = 2**63 - 2**20  # room for seed + picture number below 2**63


@dataclass(frozen=True, kw_only=True)
class Field:
    """One parameter of a request.

    `name` is the attribute and API name; `minimum`, `maximum`, `step` are the slider's; `lowest` and `highest` are the hard
    limits of what is accepted; `infotext` is the key under which the value is written; `optional` fields may be None (the
    value then comes from the settings or the sampler); `api_default` differs from `default` where clients expect another one.
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
    null_default: bool = True
    api_default: Any = None
    in_form: bool = True

    @property
    def range_text(self) -> str:
        """The accepted range in words."""
        low, high = (_plain(v) for v in (self.lowest, self.highest))
        return f"{low} to {high}"


def _plain(value: float | None) -> str:
    return "any" if value is None else str(int(value)) if float(value).is_integer() else str(value)


def _text(name: str, label: str, element_id: str, infotext: str = "") -> Field:
    return Field(name=name, label=label, kind="text", default="", element_id=element_id, infotext=infotext)


def _size(name: str, label: str, element_id: str) -> Field:
    return Field(name=name, label=label, kind="integer", default=512, element_id=element_id, minimum=64, maximum=2048, step=LATENT_PX,
                 lowest=LATENT_PX, highest=16384, infotext="Size")


def _sampler_option(name: str, label: str, highest: float, infotext: str) -> Field:
    return Field(name=name, label=label, kind="number", default=None, lowest=0, highest=highest, infotext=infotext, optional=True, in_form=False)


COMMON_FIELDS: tuple[Field, ...] = (
    _text("prompt", "Prompt", "prompt", "Prompt"),
    _text("negative_prompt", "Negative prompt", "neg_prompt", "Negative prompt"),
    Field(name="styles", label="Styles", kind="names", default=(), element_id="styles", infotext="Styles"),
    Field(name="sampler_name", label="Sampling method", kind="choice", default="DPM++ 2M", api_default="Euler", element_id="sampling", infotext="Sampler"),
    Field(name="scheduler", label="Schedule type", kind="choice", default="Automatic", element_id="scheduler", infotext="Schedule type"),
    Field(name="steps", label="Sampling steps", kind="integer", default=20, api_default=50, element_id="steps", minimum=1, maximum=150, step=1,
          lowest=1, highest=1000, infotext="Steps"),
    _size("width", "Width", "width"),
    _size("height", "Height", "height"),
    Field(name="n_iter", label="Batch count", kind="integer", default=1, element_id="batch_count", minimum=1, maximum=100, step=1, lowest=1, highest=10000),
    Field(name="batch_size", label="Batch size", kind="integer", default=1, element_id="batch_size", minimum=1, maximum=8, step=1, lowest=1, highest=256),
    Field(name="cfg_scale", label="CFG Scale", kind="number", default=7.0, element_id="cfg_scale", minimum=1, maximum=30, step=0.5,
          lowest=0, highest=1000, infotext="CFG scale"),
    Field(name="seed", label="Seed", kind="integer", default=-1, element_id="seed", lowest=-1, highest=MAX_SEED, infotext="Seed"),
    Field(name="subseed", label="Variation seed", kind="integer", default=-1, element_id="subseed", lowest=-1, highest=MAX_SEED, infotext="Variation seed"),
    Field(name="subseed_strength", label="Variation strength", kind="number", default=0.0, element_id="subseed_strength", minimum=0, maximum=1, step=0.01,
          lowest=0, highest=1, infotext="Variation seed strength"),
    Field(name="seed_resize_from_w", label="Resize seed from width", kind="integer", default=0, api_default=-1, element_id="seed_resize_from_w", minimum=0,
          maximum=2048, step=LATENT_PX, lowest=-1, highest=16384, infotext="Seed resize from"),
    Field(name="seed_resize_from_h", label="Resize seed from height", kind="integer", default=0, api_default=-1, element_id="seed_resize_from_h", minimum=0,
          maximum=2048, step=LATENT_PX, lowest=-1, highest=16384, infotext="Seed resize from"),
    Field(name="tiling", label="Tiling", kind="boolean", default=None, optional=True, in_form=False, infotext="Tiling"),
    _sampler_option("eta", "Eta", 10, "Eta"),
    _sampler_option("s_churn", "Sigma churn", 1000, "Sigma churn"),
    _sampler_option("s_tmin", "Sigma tmin", 1000, "Sigma tmin"),
    _sampler_option("s_tmax", "Sigma tmax", 1e9, "Sigma tmax"),
    _sampler_option("s_noise", "Sigma noise", 10, "Sigma noise"),
    _sampler_option("s_min_uncond", "Negative guidance minimum sigma", 1000, "NGMS"),
    Field(name="do_not_save_samples", label="Do not save pictures", kind="boolean", default=False, in_form=False),
    Field(name="do_not_save_grid", label="Do not save the grid", kind="boolean", default=False, in_form=False),
    Field(name="disable_extra_networks", label="Leave extra networks in the prompt alone", kind="boolean", default=False, in_form=False),
    Field(name="override_settings", label="Override settings", kind="mapping", default=None, element_id="override_settings"),
    Field(name="override_settings_restore_afterwards", label="Restore settings afterwards", kind="boolean", default=True, in_form=False),
)

TXT2IMG_FIELDS: tuple[Field, ...] = COMMON_FIELDS


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


_CHECKS = {"text": _checked_text, "choice": _checked_text, "integer": _checked_integer, "number": _checked_number, "boolean": _checked_boolean,
           "names": _checked_names, "mapping": _checked_mapping, "values": _checked_values}
