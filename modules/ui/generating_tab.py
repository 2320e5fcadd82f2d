"""What every generating tab consists of: prompts, the user's controls, the output panel, and how they are connected."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import errors
from modules.errors import UserError
from modules.generation import direct_calls
from modules.scripts import ScriptRunner
from modules.ui import bindings, paste
from modules.ui.component_events import tab_of
from modules.ui.components import PRIVATE, hidden_button, hidden_text, told_when_done
from modules.ui.controls import Switches, in_users_order
from modules.ui.form import Form, saved_defaults
from modules.ui.form_values import as_shown, named_controls
from modules.ui.generate import generate_handler, restore_handler
from modules.ui.models import native_size
from modules.ui.networks import card_tabs
from modules.ui.page_values import PageValues
from modules.ui.planned import plan_handler
from modules.ui.prompt_row import PromptRow, prompt_row
from modules.ui.results import Results, results_panel
from modules.ui.script_panel import ScriptPanel, script_panel
from modules.ui.styles_editor import connect_style_buttons, styles_editor
from modules.ui.tab_kind import TabKind, Values

if TYPE_CHECKING:
    from fastapi import Request

    from modules.runtime import Runtime

MANY: dict[str, Any] = {"concurrency_limit": None, "trigger_mode": "multiple", **PRIVATE}


@dataclass(frozen=True, kw_only=True)
class GeneratingTab:
    """What other parts of the page connect to."""

    form: Form
    results: Results
    generate: gr.Button


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything in a tab whose values or events are connected. `before` holds the inputs of Generate ahead of the form."""

    kind: TabKind
    form: Form
    top: PromptRow
    results: Results
    before: list[gr.Textbox]
    switches: Switches
    panel: ScriptPanel

    @property
    def inputs(self) -> list[Any]:
        """The inputs of Generate in their fixed order."""
        return [*self.before, *self.form.inputs, *self.switches.inputs, *self.panel.inputs]

    @property
    def controls(self) -> dict[str, Any]:
        """The controls whose values are kept, by name."""
        scripts = {key: script.controls or () for key, script in self.panel.runner.by_key.items()}
        switches = {"extra": self.switches.extra, "refiner": self.switches.refiner}
        return named_controls(self.form.components, switches, self.panel.inputs[0], scripts)

    def kept(self, args: Sequence[Any]) -> Values:
        """The values of `controls` as the page has them, from those of `inputs` without the id of the job."""
        given = {control._id: value for control, value in zip(self.inputs[1:], args, strict=True)}
        return {name: as_shown(control, given[control._id]) for name, control in self.controls.items()}

    def note_job(self, rt: Runtime, user: str, args: Sequence[Any]) -> None:
        """Write the values of a new job into the history. A disk that takes nothing costs the entry, not the job."""
        try:
            rt.history.record(user, self.kind.name, self.kept(args), rt.chosen_checkpoint().title)
        except UserError as error:
            errors.report(str(error))

    def values(self, rt: Runtime, args: Sequence[Any], request: Request | None) -> Values:
        """The values of a request, from those of `inputs` without the id of the job. Raises UserError."""
        pictures, args = (args[0], args[1:]) if self.kind.takes_pictures else ("", args)
        return self.kind.completed(self.form_values(rt, args), pictures or "", request)

    def called_values(self, rt: Runtime, args: Sequence[Any], request: Request | None) -> Values:
        """The same for an extension that calls the function of this tab with the values that it found in the inputs of Generate."""
        wanted = len(self.inputs) - 1
        if len(args) != wanted:
            raise UserError(f"{self.kind.name} cannot be called like that.",
                            f"The inputs of Generate have {wanted} values behind the id of the task; {len(args)} were given.",
                            "Give those that the page has, or give them by name.")
        return self.values(rt, args, request)

    def form_values(self, rt: Runtime, args: Sequence[Any]) -> Values:
        """The same without pictures, from the values of the form, the switches and the scripts. Raises UserError."""
        count, switches = len(self.form.components), len(self.switches.inputs)
        named = self.form.values(args[:count])
        named["override_settings"] = paste.override_mapping(rt, named.get("override_settings") or [])
        named["scripts"] = self.panel.values(args[count + switches:])
        return self.switches.applied(named, *args[count:count + switches])


def generating_tab(rt: Runtime, page: PageValues, kind: TabKind) -> GeneratingTab:
    """Build a tab inside the current Blocks context."""
    with tab_of(kind.runner):
        return _built_tab(rt, page, kind)


def _built_tab(rt: Runtime, page: PageValues, kind: TabKind) -> GeneratingTab:
    tab = kind.name
    form = Form(tab=tab, fields=kind.fields, saved=saved_defaults(rt.folders.ui_config_file),
                proposed={name: lambda: native_size(rt) for name in ("width", "height")})
    before = [hidden_text(f"{tab}_task_id"), *([hidden_text(f"{tab}_pictures")] if kind.takes_pictures else [])]
    top = prompt_row(form, rt.styles.names())
    dialog = styles_editor(rt, tab)
    with gr.Tabs(elem_id=f"{tab}_extra_tabs", elem_classes=["gradio-tabs", "extra-networks"]):
        with gr.Tab("Generation", id="generation", elem_id=f"{tab}_generation"), \
                gr.Row(elem_classes=["gradio-row", "resize-handle-row", "workbench"]):
            with gr.Column(elem_id=f"{tab}_settings", elem_classes=["gradio-column", "settings-column"]):
                built = in_users_order(rt, {**kind.blocks(form), "scripts": lambda: script_panel(tab, kind.runner)})
            results = results_panel(tab, can_open_folders=not rt.args.hide_ui_dir_config)
        card_tabs(tab)
    switches = Switches(extra=built["seed"], refiner=built["accordions"])
    bindings.fields_of(tab).extend(_paste_fields(form, kind.runner))
    parts = Parts(kind=kind, form=form, top=top, results=results, before=before, switches=switches, panel=built["scripts"])
    connect(rt, parts)
    page.controls[tab] = parts.controls
    direct_calls.readings[tab] = partial(parts.called_values, rt)
    connect_form(tab, parts.controls)
    connect_style_buttons(rt, form, top, dialog, page)
    for name in ("width", "height"):
        page.follow(form.components[name], "value", partial(form.default, name))
    return GeneratingTab(form=form, results=results, generate=top.generate)


def _paste_fields(form: Form, runner: ScriptRunner) -> list[tuple[Any, Any]]:
    """(component, key in an infotext) of the tab's controls and of those of its scripts, prompts first."""
    keys = {"prompt": "Prompt", "negative_prompt": "Negative prompt", "width": "Size-1", "height": "Size-2"}
    keys |= {row.name: row.infotext for row in form.fields if row.infotext and row.name not in keys}
    return [*((form.components[name], key) for name, key in keys.items() if name in form.components), *runner.infotext_fields]


def connect_form(tab: str, controls: Mapping[str, Any]) -> None:
    """Hidden buttons by which the page's scripts (41_form.js) read the whole form and write it."""
    named = json.dumps([[name, control.label or name] for name, control in controls.items()])
    every = list(controls.values())
    hidden_button(f"{tab}_form_read").click(None, every, None, js=f"(...values) => formRead('{tab}', {named}, values)", **PRIVATE)
    write = hidden_button(f"{tab}_form_write")
    written = write.click(None, every, every, js=f"(...values) => formToWrite('{tab}', values)", trigger_mode="multiple", **PRIVATE)
    told_when_done(written, write)


def connect(rt: Runtime, parts: Parts) -> None:
    """Connect the buttons of the tab with what they do."""
    tab, form, top, results = parts.kind.name, parts.form, parts.top, parts.results
    task = parts.before[0]
    generate = generate_handler(rt, parts.kind.submit, partial(parts.values, rt), partial(parts.note_job, rt))
    pressed = top.generate.click(generate, parts.inputs, results.outputs, js=parts.kind.press_script, **MANY)
    pressed.then(None, None, None, js=f"() => generateAnswered('{tab}')", **PRIVATE)
    hidden_button(f"{tab}_show_result").click(restore_handler(rt), task, results.outputs, js=f"() => resultToShow('{tab}')", **MANY)
    plan = plan_handler(rt, parts.kind, partial(parts.form_values, rt))
    planned = hidden_button(f"{tab}_plan_script").click(plan, parts.inputs[len(parts.before):], parts.panel.plan,
                                                        trigger_mode="always_last", **PRIVATE)
    planned.then(None, None, None, js=f"() => planAnswered('{tab}')", **PRIVATE)
    prompts = [form.components["prompt"], form.components["negative_prompt"]]
    top.clear.click(None, prompts, prompts, js="confirmClearPrompt", **PRIVATE)
    names = json.dumps(list(form.components))
    top.inspect.click(None, form.inputs, None, js=f"(...values) => openInspector('{tab}', {names}, values)", **PRIVATE)
    if results.enlarge is not None:
        results.enlarge.click(None, form.inputs, None, js=f"(...values) => enlargeSelected('{tab}', {names}, values)", **PRIVATE)
    filled = [*form.inputs, *parts.switches.inputs, results.html_log, *parts.panel.pasted_components]
    top.paste.click(paste.paste_handler(rt, form, parts.panel), prompts[0], filled, **PRIVATE)
    received = paste.received_handler(rt, form, parts.panel)
    receive = hidden_button(f"{tab}_receive")
    told_when_done(receive.click(received, task, filled, js=f"() => whatIsSent('{tab}')", **PRIVATE), receive)
