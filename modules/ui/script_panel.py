"""The scripts' part of a generating tab: always-on controls, the Script list, and their values as a job stores them."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from modules import errors
from modules.extensions.discovery import origin
from modules.generation.script_values import ARGS, SELECTED
from modules.scripts import Script, ScriptRunner
from modules.ui.components import PRIVATE, made

NO_SCRIPT = "None"


@dataclass(frozen=True, kw_only=True)
class ScriptPanel:
    """The panel as others connect to it. `inputs` go last among the inputs of Generate; `values` takes theirs."""

    runner: ScriptRunner
    inputs: list[Any]
    plan: gr.HTML  # what the chosen script will make

    def values(self, args: Sequence[Any]) -> dict[str, Any]:
        """{"selected": key or None, "args": {key: values}} of every always-on script and the selected one."""
        number = args[0] or 0
        selected = self.runner.selectable_scripts[number - 1] if number else None
        chosen = {key: script for key, script in self.runner.by_key.items() if script.alwayson or script is selected}
        return {SELECTED: next((key for key, script in chosen.items() if script is selected), None),
                ARGS: {key: list(args[script.args_from:script.args_to]) for key, script in chosen.items()}}

    @property
    def pasted_components(self) -> list[Any]:
        """The controls that an infotext can fill, each once."""
        return list(dict.fromkeys(component for component, _ in self.runner.infotext_fields))

    def pasted(self, parsed: Mapping[str, Any]) -> list[Any]:
        """For each of `pasted_components` a change to what the infotext says, or none."""
        changes: dict[Any, Any] = {}
        for component, source in self.runner.infotext_fields:
            change = _change(component, source, parsed)
            if change is not None:
                changes[component] = change
        return [changes.get(component, gr.skip()) for component in self.pasted_components]


def script_panel(tab: str, runner: ScriptRunner) -> ScriptPanel:
    """Build the panel inside the current Blocks context: always-on scripts first, then the Script list with the controls of each."""
    runner.prepare_ui()
    with made(gr.Column, elem_id=f"{tab}_script_container") as container:
        for script in list(runner.alwayson_scripts):
            _controls_of(runner, script)
        chooser = made(gr.Dropdown, choices=[NO_SCRIPT], value=NO_SCRIPT, type="index", label="Script", elem_id="script_list")
        for script in list(runner.selectable_scripts):
            _controls_of(runner, script)
        plan = made(gr.HTML, "", elem_id=f"{tab}_script_plan", elem_classes=["script-plan"])
    titles = [NO_SCRIPT, *runner.titles]  # known now: a script whose controls cannot be built is left out
    chooser.choices = [(title, title) for title in titles]
    chooser.visible = True if runner.titles else "hidden"
    runner.inputs[0] = chooser
    runner.has_controls = True
    give_usual_classes(container)
    groups = [script.group for script in runner.selectable_scripts if script.group is not None]
    if groups:
        chooser.change(_shown_group(runner), chooser, groups, queue=False, **PRIVATE)
    return ScriptPanel(runner=runner, inputs=list(runner.inputs), plan=plan)


def _controls_of(runner: ScriptRunner, script: Script) -> None:
    """The controls of one script in a group of their own, unless the script wants none."""
    if script.alwayson and not script.create_group:
        runner.add_controls(script)
        return
    with made(gr.Group, visible=True if script.alwayson else "hidden") as script.group:
        runner.add_controls(script)
    if script.alwayson and not script.group.children:  # what it shows need not be among the controls that it returns
        script.group.visible = False  # an empty box would be seen


def _shown_group(runner: ScriptRunner) -> Callable[[int], Any]:
    """(place in the Script list) -> which groups are seen."""
    def show(number: int | None) -> Any:
        scripts = [script for script in runner.selectable_scripts if script.group is not None]
        changes = [gr.update(visible=True if runner.selectable_scripts.index(script) + 1 == number else "hidden") for script in scripts]
        return changes[0] if len(changes) == 1 else changes
    return show


def give_usual_classes(block: Any) -> None:
    """Give controls of scripts the class names of ours, and have them answer to the user."""
    for child in getattr(block, "children", ()):
        name = f"gradio-{child.get_block_name()}"
        classes = child.elem_classes if isinstance(child.elem_classes, list) else [child.elem_classes or ""]
        if name not in classes:
            child.elem_classes = [name, *filter(None, classes)]
        if getattr(child, "interactive", True) is None:
            child.interactive = True
        give_usual_classes(child)


def _change(component: Any, source: Any, parsed: Mapping[str, Any]) -> Any:
    """What an infotext changes at a control: nothing (None), or an update. `source` is its key, or a function of all of it."""
    try:
        value = source(parsed) if callable(source) else parsed.get(source)
        if value is None or isinstance(value, dict):
            return value
        return gr.update(value=_in_type_of(component.value, value))
    except Exception as error:  # an extension's function, or a value that its control cannot take
        errors.report(f"{origin(getattr(source, '__module__', '') or '')}: the infotext cannot be used for {component}", error)
        return None


def _in_type_of(present: Any, value: Any) -> Any:
    if isinstance(present, bool):
        return str(value).lower() not in ("false", "0", "")
    if isinstance(present, int | float) and isinstance(value, str):
        number = float(value)
        return int(number) if number.is_integer() else number
    return value
