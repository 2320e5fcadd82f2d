"""What the selected script of a request is going to make, said before anything is made."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from modules.errors import NotFound
from modules.generation.base import StableDiffusionProcessing
from modules.generation.image_to_image import StableDiffusionProcessingImg2Img
from modules.generation.request import SCRIPTS
from modules.generation.script_values import ARGS, SELECTED
from modules.generation.text_to_image import StableDiffusionProcessingTxt2Img
from modules.scripts import Script, ScriptRunner

KINDS: dict[str, type[StableDiffusionProcessing]] = {
    "txt2img": StableDiffusionProcessingTxt2Img, "img2img": StableDiffusionProcessingImg2Img}
PICTURES = ("init_images", "mask", "latent_mask", "image_mask")


def selected_of(runner: ScriptRunner | None, request: Mapping[str, Any]) -> tuple[Script, list[Any]] | None:
    """The selected script of a request with the values of its controls; None where there is none. Raises NotFound when it is gone."""
    stored = request.get(SCRIPTS) or {}
    key = stored.get(SELECTED)
    if runner is None or not key:
        return None
    if key not in runner.by_key:
        raise NotFound(f"The script {key} is not there.")
    return runner.by_key[key], list(stored[ARGS][key])


def planned_by_script(runner: ScriptRunner | None, kind: str, request: Mapping[str, Any]) -> str:
    """The sentences, a line for each, about a frozen request of the given kind; empty without a script. Raises UserError."""
    selected = selected_of(runner, request)
    if runner is None or selected is None:
        return ""
    script, args = selected
    known = {each.name for each in fields(KINDS[kind])} - set(PICTURES)
    p = KINDS[kind](**{name: value for name, value in request.items() if name in known})
    p.scripts_setup_complete = True  # nothing is made: no hook is to be called
    p.scripts, p.script_args = runner, laid_out(runner, request)
    return script.planned(p, *args) or ""


def laid_out(runner: ScriptRunner, request: Mapping[str, Any]) -> list[Any]:
    """The values of all scripts as one list."""
    args = runner.default_args()
    for key, values in (request.get(SCRIPTS) or {}).get(ARGS, {}).items():
        if script := runner.by_key.get(key):
            args[script.args_from:script.args_to] = values
    return args
