"""Scripts of a request: their values checked and frozen, laid out for the hooks, and the selected script run."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from modules.errors import RequestError, UserError, report
from modules.extensions.discovery import origin
from modules.generation.base import StableDiffusionProcessing
from modules.generation.outputs import grids_folder, samples_folder
from modules.generation.result import Processed
from modules.hardware import is_out_of_memory
from modules.scripts import Script, ScriptRunner

SELECTED, ARGS = "selected", "args"
FIELD = "scripts"


def frozen_scripts(runner: ScriptRunner | None, given: Mapping[str, Any] | None) -> tuple[dict[str, Any], list[str]]:
    """{"selected": key or None, "args": {key: values}} with a value for every control, and notes about values left out.

    Covers all always-on scripts and the selected one; values that `given` (of the same form) leaves open are those of the
    controls. Raises RequestError for a script that is not there.
    """
    given = given or {}
    if runner is None:
        return {SELECTED: None, ARGS: {}}, []
    defaults, notes = runner.default_args(), []
    selected = given.get(SELECTED)
    stated = dict(given.get(ARGS) or {})
    for key in [*stated, *([selected] if selected else [])]:
        if key not in runner.by_key:
            raise RequestError(FIELD, **not_found(f"Script {key!r}", key, list(runner.by_key)))
    args = {}
    for key, script in runner.by_key.items():
        if script.alwayson or key == selected:
            args[key], surplus = completed(stated.get(key, ()), defaults[script.args_from:script.args_to])
            if surplus:
                notes.append(f"{key} takes {len(args[key])} values; the last {surplus} of those given were left out.")
    return {SELECTED: selected, ARGS: args}, notes


def not_found(what: str, name: str, names: Sequence[str]) -> dict[str, str]:
    """The sentence about a name that no script has, with those that look like it."""
    close = get_close_matches(name.lower(), [known.lower() for known in names], n=3, cutoff=0.4) or list(names)[:10]
    return {"what": f"{what} not found.", "remedy": f"There is: {', '.join(close)}." if close else "There are no scripts of that kind."}


def completed(values: Sequence[Any], defaults: Sequence[Any]) -> tuple[list[Any], int]:
    """`values` with those that are missing from `defaults`, and how many were too many."""
    return [*values[:len(defaults)], *defaults[len(values):]], max(0, len(values) - len(defaults))


def attach_scripts(p: StableDiffusionProcessing, runner: ScriptRunner | None, stored: Mapping[str, Any] | None) -> None:
    """Give `p` its runner and the values of all controls as one list. Raises UserError when the selected script is gone."""
    if runner is None:
        return
    stored = stored or {}
    args = runner.default_args()
    for key, values in (stored.get(ARGS) or {}).items():
        script = runner.by_key.get(key)
        if script is None:
            if key != stored.get(SELECTED):
                p.comment(f"The script {key} is not there any more; the pictures were made without it.")
            continue
        args[script.args_from:script.args_to], surplus = completed(values, args[script.args_from:script.args_to])
        if surplus:
            p.comment(f"{key} has other controls than when the job was made; it was given those values that still fit.")
    if selected := stored.get(SELECTED):
        args[0] = number_of(runner, selected)
    # Scripts write into these folders themselves.
    p.outpath_samples, p.outpath_grids = str(samples_folder(p)), str(grids_folder(p))
    p.scripts = runner
    p.script_args = args


def number_of(runner: ScriptRunner, key: str) -> int:
    """The place of a selectable script in the Script list, from 1. Raises UserError when it is not there."""
    script = runner.by_key.get(key)
    if script is None or script not in runner.selectable_scripts:
        raise UserError(f"The script {key} is not there.", "Its extension may have been removed or switched off.",
                        "Switch it on and start again, or choose another script.")
    return runner.selectable_scripts.index(script) + 1


def run_selected(p: StableDiffusionProcessing) -> Processed | None:
    """What the selected script makes; None when there is none. Raises UserError naming the script when it fails."""
    if p.scripts is None:
        return None
    try:
        return p.scripts.run(p, *p.script_args)
    except UserError:
        raise
    except Exception as error:  # whatever an extension's code raises: the user is to know whose fault it was
        if is_out_of_memory(error):
            raise
        script = selected_script(p)
        name = f"{script.title()} ({origin(script.filename or '')})" if script else "The script"
        report(f"{name} failed", error)
        raise UserError(f"{name} failed: {(str(error) or type(error).__name__).rstrip('.')}.", remedy="The log has the details.") from error


def selected_script(p: StableDiffusionProcessing) -> Script | None:
    """The script that makes the run, None for a plain one."""
    number = p.script_args[0] if p.scripts is not None and p.script_args else 0
    return p.scripts.selectable_scripts[number - 1] if number else None
