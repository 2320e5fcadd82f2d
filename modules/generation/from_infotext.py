"""An infotext as the values of a request: what the `infotext` field of the API means."""
from collections.abc import Iterable
from typing import Any

from modules import script_callbacks
from modules.errors import RequestError, UserError
from modules.generation.fields import FACE_RESTORATION, Field, checked
from modules.imaging import infotext
from modules.runtime import Runtime
from modules.sampling.registry import split_sampler_name
from modules.settings.infotext_keys import override_settings_from

# Keys of settings that say nothing about this program's pictures.
NOT_FOR_OVERRIDES = ("Version", "User")


def values_from_infotext(rt: Runtime, fields: Iterable[Field], text: str) -> dict[str, Any]:
    """Field name -> value for each field and setting that the text holds. Raises RequestError for one that cannot be."""
    found = infotext.parse(text, back_compat=rt.settings.auto_backcompat)
    script_callbacks.call("infotext_pasted", text, found, note=rt.notice)
    values: dict[str, Any] = {}
    if sampler := found.get("Sampler"):
        values |= _sampler(sampler)
    for field in fields:
        value = _value(field, found)
        if value is not None and value != "":
            values.setdefault(field.name, checked(field, value))
    pairs = [f"{name}: {value}" for name, value in found.items() if name not in NOT_FOR_OVERRIDES]
    overrides = override_settings_from(rt.settings, pairs, lambda name: _checkpoint(rt, name))
    if overrides:
        values["override_settings"] = overrides
    return values


def _value(field: Field, found: dict[str, str]) -> Any:
    if field.name in ("width", "height"):
        return found.get("Size-1" if field.name == "width" else "Size-2") or _half(found.get("Size"), field.name == "height")
    if field.name.startswith("seed_resize_from"):
        return _half(found.get("Seed resize from"), field.name.endswith("h"))
    if not field.infotext or field.kind == "mapping":
        return None
    if field.infotext == FACE_RESTORATION:
        return True if found.get(FACE_RESTORATION) else None
    text = found.get(field.infotext)
    return text.split(", ") if text and field.kind == "names" else text


def _half(size: str | None, is_height: bool) -> str | None:
    """Width or height in a text such as "512x768"."""
    width, _, height = (size or "").partition("x")
    return (height if is_height else width) or None


def _sampler(name: str) -> dict[str, str]:
    try:
        sampler, schedule = split_sampler_name(name)
    except RequestError:
        return {"sampler_name": name}  # refused later, with the names that exist
    return {"sampler_name": sampler, "scheduler": schedule} if schedule else {"sampler_name": sampler}


def _checkpoint(rt: Runtime, name: str) -> str | None:
    try:
        return rt.checkpoints.find(name).title
    except UserError:
        return None
