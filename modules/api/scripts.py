"""Scripts as API clients know them: named in lower case, with values by position."""
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modules import scripts
from modules.errors import RequestError
from modules.generation.script_values import ARGS, SELECTED, not_found
from modules.scripts import Script, ScriptRunner

MOST_NAME_CHARS = 80

# Parts of the form that A1111 counts as always-on scripts. Its API lists them and takes their arguments without effect: the fields of
# the request say the same, and clients that send every listed script with its defaults must not undo them.
PARTS_OF_THE_FORM = frozenset({"comments", "refiner", "sampler", "seed"})


def runners() -> dict[str, ScriptRunner]:
    """The scripts of each tab."""
    known = {"txt2img": scripts.scripts_txt2img, "img2img": scripts.scripts_img2img}
    return {tab: runner for tab, runner in known.items() if runner is not None}


def names() -> dict[str, list[str]]:
    """The names of the scripts per tab."""
    return {"txt2img": [], "img2img": []} | {tab: [key.lower() for key in runner.by_key] for tab, runner in runners().items()}


def infos() -> list[dict[str, Any]]:
    """The scripts of all tabs with the controls behind their arguments."""
    return [info(key, script) for runner in runners().values() for key, script in _with_controls(runner)]


def _with_controls(runner: ScriptRunner) -> list[tuple[str, Script]]:
    runner.ensure_controls()
    return list(runner.by_key.items())


def info(key: str, script: Script) -> dict[str, Any]:
    """One script with its arguments."""
    return {"name": key.lower(), "is_alwayson": script.alwayson, "is_img2img": script.is_img2img,
            "args": [argument(control) for control in script.controls or []]}


def argument(control: Any) -> dict[str, Any]:
    """What is known of one argument: label, value of an untouched control, range and choices."""
    choices = getattr(control, "choices", None)
    if choices is not None:  # a list of values, or of pairs of text and value
        choices = [choice[1] if isinstance(choice, (list, tuple)) and len(choice) == 2 else choice for choice in choices]
    limits = {name: getattr(control, name, None) for name in ("minimum", "maximum", "step")}
    members = {"label": getattr(control, "label", None) or "", "value": getattr(control, "value", None), **limits, "choices": choices}
    return {name: _plain(member) for name, member in members.items()}


def _plain(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return str(value)
    return value


def chosen_scripts(runner: ScriptRunner | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """`script_name`, `script_args` and `alwayson_scripts` of a request as the engine takes them. Raises RequestError."""
    by_name = {} if runner is None else {key.lower(): key for key in runner.by_key}
    always_on = _named_values(values.get("alwayson_scripts") or {}, by_name, runner)
    name, args = values.get("script_name") or None, values.get("script_args") or []
    if name is None:
        return {SELECTED: None, ARGS: always_on}
    if not isinstance(name, str):
        raise RequestError("script_name", "script_name must be text.")
    key = by_name.get(name.lower())
    selectable = [] if runner is None else [known for known in by_name if not runner.by_key[by_name[known]].alwayson]
    if key is None or name.lower() not in selectable:
        raise RequestError("script_name", **not_found(f"Script {name[:MOST_NAME_CHARS]!r}", name, selectable))
    return {SELECTED: key, ARGS: always_on | {key: _list("script_args", args)}}


def _named_values(given: Any, by_name: Mapping[str, str], runner: ScriptRunner | None) -> dict[str, list[Any]]:
    if not isinstance(given, dict):
        raise RequestError("alwayson_scripts", "alwayson_scripts must be an object of script names and their arguments.")
    found = {}
    known = [] if runner is None else [name for name, key in by_name.items() if runner.by_key[key].alwayson]
    for name, entry in given.items():
        if name.lower() in PARTS_OF_THE_FORM - set(known):
            continue
        if name.lower() not in known:
            raise RequestError("alwayson_scripts", **not_found(f"Always on script {name[:MOST_NAME_CHARS]!r}", name, known))
        args = entry.get("args") if isinstance(entry, dict) else entry
        found[by_name[name.lower()]] = _list("alwayson_scripts", [] if args is None else args)
    return found


def _list(field: str, values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise RequestError(field, f"The arguments in {field} must be a list.")
    return values
