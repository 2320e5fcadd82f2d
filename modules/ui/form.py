"""The form of one tab: rows of the field table as components, and their values by name."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from modules import errors
from modules.generation.fields import Field, by_name
from modules.ui.components import WideSlider, made


def saved_defaults(path: Path) -> dict[str, Any]:
    """The user's `ui-config.json`: "tab/Label/property" -> value. A damaged file is reported and counts as empty."""
    try:
        stored = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        errors.report(f"{path.name} cannot be read, its defaults are not used: {exc}")
        return {}
    return stored if isinstance(stored, dict) else {}


@dataclass(kw_only=True)
class Form:
    """Components of one tab, keyed by the name of their field, in the order in which they were made.

    `saved` holds the user's own defaults and limits (`saved_defaults`); `proposed` defaults that depend on the model.
    """

    tab: str
    fields: Sequence[Field]
    saved: dict[str, Any] = field(default_factory=dict)
    proposed: dict[str, Callable[[], Any]] = field(default_factory=dict)
    components: dict[str, gr.components.Component] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._field = by_name(self.fields)

    def default(self, name: str) -> Any:
        """The value that the control shows in a new page."""
        row = self._field[name]
        proposed = self.proposed.get(name)
        value = self._saved(row.label, "value", proposed() if proposed else row.default)
        return list(value) if isinstance(value, tuple) else value

    def slider(self, name: str, **properties: Any) -> gr.Slider:
        row = self._field[name]
        limits = {key: self._saved(row.label, key, getattr(row, key)) for key in ("minimum", "maximum", "step")}
        return self._add(name, made(WideSlider, **limits, **(self._common(row) | properties)))

    def number(self, name: str, **properties: Any) -> gr.Number:
        row = self._field[name]
        return self._add(name, made(gr.Number, precision=0 if row.kind == "integer" else None, **self._common(row), **properties))

    def dropdown(self, name: str, choices: Iterable[str | tuple[str, str]], **properties: Any) -> gr.Dropdown:
        row, choices = self._field[name], list(choices)
        common = self._common(row)
        values = [choice if isinstance(choice, str) else choice[1] for choice in choices]
        if row.kind == "choice" and common["value"] not in values and values:
            common["value"] = values[0]
        return self._add(name, made(gr.Dropdown, choices=choices, **common, **properties))

    def radio(self, name: str, choices: Iterable[str] = (), **properties: Any) -> gr.Radio:
        """Without `choices` those are the words of the field, which stand for its values; a saved default may be either."""
        row = self._field[name]
        kind = bool if row.kind == "boolean" else int
        pairs: list[tuple[str, Any]] = [(word, kind(i)) for i, word in enumerate(row.words)] or [(choice, choice) for choice in choices]
        common = self._common(row) | properties
        values = [value for _, value in pairs]
        chosen = dict(pairs).get(str(self.saved.get(f"{self.tab}/{row.label}/value")), common["value"])
        common["value"] = chosen if chosen in values or not values else values[0]
        return self._add(name, made(gr.Radio, choices=pairs, **common))

    def checkbox(self, name: str, **properties: Any) -> gr.Checkbox:
        return self._add(name, made(gr.Checkbox, **(self._common(self._field[name]) | properties)))

    def checkboxes(self, name: str, choices: Iterable[str], **properties: Any) -> gr.CheckboxGroup:
        return self._add(name, made(gr.CheckboxGroup, choices=list(choices), **(self._common(self._field[name]) | properties)))

    def textbox(self, name: str, **properties: Any) -> gr.Textbox:
        return self._add(name, made(gr.Textbox, **(self._common(self._field[name]) | properties)))

    def files(self, name: str, **properties: Any) -> gr.File:
        """Uploaded files: a list of paths, no field of the table."""
        return self._add(name, made(gr.File, file_count="multiple", type="filepath", **properties))

    @property
    def inputs(self) -> list[gr.components.Component]:
        """All components, in the fixed order in which their values arrive."""
        return list(self.components.values())

    def values(self, args: Sequence[Any]) -> dict[str, Any]:
        """Field name -> value, from the values of `inputs`."""
        return dict(zip(self.components, args, strict=True))

    def updates(self, values: dict[str, Any]) -> list[Any]:
        """For every component a change to the value named in `values`, or none."""
        return [gr.update(value=values[name]) if name in values else gr.skip() for name in self.components]

    def _common(self, row: Field) -> dict[str, Any]:
        common = {"label": row.label, "value": self.default(row.name), "elem_id": f"{self.tab}_{row.element_id}"}
        if not self._saved(row.label, "visible", True):
            common["visible"] = "hidden"
        return common

    def _saved(self, label: str, key: str, otherwise: Any) -> Any:
        value = self.saved.get(f"{self.tab}/{label}/{key}", otherwise)
        comparable = type(value) is type(otherwise) or (isinstance(value, (int, float)) and isinstance(otherwise, (int, float)))
        return value if comparable or otherwise is None else otherwise

    def _add(self, name: str, component: Any) -> Any:
        self.components[name] = component
        return component
