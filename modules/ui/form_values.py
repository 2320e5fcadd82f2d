"""The values of a form's controls by name, as they are kept, and which kept ones can be used again."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

# Controls whose values are plain data; pictures and files are not kept.
PLAIN = (gr.Textbox, gr.Number, gr.Slider, gr.Dropdown, gr.Radio, gr.Checkbox, gr.CheckboxGroup, gr.ColorPicker)

Controls = Mapping[str, Any]
Values = dict[str, Any]


def named_controls(form: Controls, switches: Controls, chooser: Any, scripts: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """All controls of a tab that can be kept: the form's by field, "script" for the Script list, "Title/Label" for those of scripts."""
    named: dict[str, Any] = {**form, **switches, "script": chooser}
    for key, controls in scripts.items():
        for number, control in enumerate(controls):
            name = f"{key}/{getattr(control, 'label', None) or number}"
            named[name if name not in named else f"{key}/{number}"] = control
    return {name: control for name, control in named.items() if isinstance(control, PLAIN)}


def as_shown(control: Any, value: Any) -> Any:
    """The value as the page has it, from the one that an event of gradio gets: the place in a list of choices becomes the choice."""
    if getattr(control, "type", "") != "index" or value is None:
        return value
    choices = choices_of(control)
    return [choices[place] for place in value] if isinstance(value, list) else choices[value]


def choices_of(control: Any) -> list[Any]:
    """The values that can be chosen."""
    return [value for _, value in control.choices]


def usable(controls: Controls, values: Mapping[str, Any]) -> tuple[Values, list[str]]:
    """Those of the kept values that the controls take as they are now, and a sentence for each of the others."""
    taken: Values = {}
    notes = []
    for name, value in values.items():
        control = controls.get(name)
        if control is None:
            notes.append(f'There is no control "{name[:80]}" here.')
        elif fits(control, value):
            taken[name] = value
        else:
            notes.append(f'{control.label or name}: "{str(value)[:80]}" cannot be chosen here.')
    return taken, notes


def fits(control: Any, value: Any) -> bool:
    """Whether the control could have this value."""
    if isinstance(control, gr.Checkbox):
        return isinstance(value, bool)
    if isinstance(control, (gr.Number, gr.Slider)):
        return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
    if isinstance(control, (gr.Textbox, gr.ColorPicker)):
        return isinstance(value, str)
    several = isinstance(control, gr.CheckboxGroup) or bool(getattr(control, "multiselect", False))
    if several != isinstance(value, list):
        return value is None
    texts = value if several else [value]
    if getattr(control, "allow_custom_value", False):
        return all(isinstance(text, (str, int, float)) for text in texts)
    return all(text in choices_of(control) for text in texts)
