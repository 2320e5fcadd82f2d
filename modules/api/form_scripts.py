"""Parts of the form that other servers have as always-on scripts: clients send them by position, here they are fields."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.errors import RequestError

# Name -> the switch among its arguments, and the field of each argument.
SWITCH = "(switch)"
FORM_SCRIPTS: dict[str, tuple[str, ...]] = {
    "refiner": (SWITCH, "refiner_checkpoint", "refiner_switch_at"),
    "seed": ("seed", SWITCH, "subseed", "subseed_strength", "seed_resize_from_w", "seed_resize_from_h"),
    "sampler": ("steps", "sampler_name", "scheduler"),
}


def with_fields_of_scripts(values: Mapping[str, Any]) -> dict[str, Any]:
    """The request with the arguments of those scripts as fields, and without the scripts. Raises RequestError."""
    given = values.get("alwayson_scripts")
    if not isinstance(given, dict):
        return dict(values)
    completed = {**values, "alwayson_scripts": {name: entry for name, entry in given.items() if name.lower() not in FORM_SCRIPTS}}
    for name, entry in given.items():
        if fields := FORM_SCRIPTS.get(name.lower()):
            completed |= _fields(name, fields, entry.get("args") if isinstance(entry, dict) else entry)
    return completed


def _fields(name: str, fields: tuple[str, ...], args: Any) -> dict[str, Any]:
    if not isinstance(args, list) or len(args) > len(fields):
        raise RequestError("alwayson_scripts", f"The arguments of {name} must be a list of at most {len(fields)} values.")
    found = dict(zip(fields, args, strict=False))
    is_on = found.pop(SWITCH, True)
    always = {"seed"} & found.keys()  # stands before its switch, which is about the variation
    return found if is_on else {field: found[field] for field in always}
