"""The Settings tab, made from the catalogue of options: sections, search, Apply, defaults."""
from __future__ import annotations

import html
import inspect
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import errors
from modules.api.own_files import check_settings
from modules.api.own_queue import viewer_of
from modules.errors import UserError
from modules.sampling.registry import SAMPLERS
from modules.ui.components import PRIVATE, hidden_button, made, paragraphs
from modules.ui.gradio3 import in_force
from modules.ui.page_values import PageValues

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.settings.option import OptionInfo
    from modules.settings.store import Options


# Of our own tabs; those of extensions can be typed.
TAB_TITLES = ("txt2img", "img2img", "Gallery", "Extras", "PNG Info", "Checkpoint Merger", "Settings", "Extensions")
TOOLS = {"changed": "What differs", "backups": "Copies", "form_defaults": "Defaults of the forms", "models": "Models"}


def options_json(settings: Options) -> str:
    """All options as the page's scripts see them (`opts`)."""
    return json.dumps(settings.snapshot(), default=str)


def apply_one(settings: Options, key: str, value: Any) -> bool:
    """Set one option and store all of them; whether it changed. Raises UserError when the value or the disk does not allow it."""
    changed = settings.set(key, value)
    if changed:
        settings.save()
    return bool(changed)


def settings_tab(rt: Runtime, stored: gr.Textbox, page: PageValues, *, shown_elsewhere: Iterable[str] = ()) -> None:
    """Build the tab inside the current Blocks context. `stored`: the hidden text box that carries the options to scripts.

    Sections are not drawn before 20_settings.js asks for them: all of them at once take a browser a second.
    """
    components: dict[str, gr.components.Component] = {}
    shown = sections(rt.settings, set(shown_elsewhere))
    with gr.Column(elem_id="settings", elem_classes=["settings-page"]):
        with gr.Row(elem_classes=["settings-head"]):
            made(gr.Textbox, label="Search in settings", placeholder="Name or part of it", elem_id="settings_search", scale=3)
            apply = made(gr.Button, "Apply settings", variant="primary", elem_id="settings_submit", scale=0, min_width=150)
            restore = made(gr.Button, "Show defaults", elem_id="settings_defaults", scale=0, min_width=130)
            made(gr.Button, "Reload UI", elem_id="settings_restart_gradio", scale=0, min_width=110)
        with gr.Row(elem_classes=["settings-head"]):
            for name, text in TOOLS.items():  # opened by 21_settings_tools.js
                made(gr.Button, text, elem_id=f"settings_{name}", size="sm", scale=0, min_width=150)
            made(gr.Button, "Use an existing installation", elem_id="settings_use_installation", scale=0, min_width=220)
        result = made(gr.HTML, "", elem_id="settings_result")
        gr.HTML('<div id="settings_search_note" role="status"></div>')
        with gr.Row(elem_classes=["settings-body"]):
            gr.HTML(contents(rt.settings, shown), elem_id="settings_contents_holder", min_width=0, apply_default_css=False)
            with gr.Column(elem_classes=["settings-list"], scale=5):
                columns = [_section(rt.settings, section, title, keys, page, components) for (section, title), keys in shown.items()]
    hidden_button("settings_draw").click(None, None, columns, js="() => settingsToDraw()", trigger_mode="multiple", **PRIVATE)
    _connect(rt, components, apply, restore, result, stored)


def sections(settings: Options, without: set[str]) -> dict[tuple[str, str], list[str]]:
    """(section id, title) -> keys, in the order of the catalogue. Options without a section or a label are not shown."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, info in settings.data_labels.items():
        if key in without or not info.section or not info.section[0]:
            continue
        found.setdefault((info.section[0], info.section[1]), []).append(key)
    return found


def contents(settings: Options, shown: dict[tuple[str, str], list[str]]) -> str:
    """The place of the list of sections. It carries their ids and titles, and of each option the remarks and what a search sees."""
    listed = [{"id": section, "title": title, "options": {key: _described(settings, key) for key in keys}}
              for (section, title), keys in shown.items()]
    data = html.escape(json.dumps(listed))
    return f'<div id="settings_contents" role="navigation" aria-label="Sections of the settings" data-sections="{data}"></div>'


def _described(settings: Options, key: str) -> dict[str, str]:
    info = settings.data_labels[key]
    remarks = remarks_text(info)
    return {"remarks": remarks, "text": f"{key} {info.label} {remarks}".lower()}


def _section(settings: Options, section: str, title: str, keys: list[str], page: PageValues,
             components: dict[str, gr.components.Component]) -> gr.Column:
    with gr.Column(elem_id=f"settings_{section}", elem_classes=["settings-section"], visible=False) as column:
        gr.HTML(f"<h2>{html.escape(title)}</h2>")
        for key in keys:  # without rows and remarks of their own: every block takes the browser time when the page is loaded
            components[key] = option_component(settings, key, page)
    return column


def option_component(settings: Options, key: str, page: PageValues) -> gr.components.Component:
    """The control of one option, with its present value, id `setting_<key>`."""
    info = settings.data_labels[key]
    arguments = info.arguments()
    kind, extra = component_kind(info)
    if kind is gr.HTML:
        return gr.HTML(str(info.default), elem_id=f"setting_{key}")
    if callable(control := info.control()) and (brought := _brought_component(settings, key, control, page)) is not None:
        return brought
    value = _shown_value(kind, getattr(settings, key))
    properties = {"label": info.label, "value": value, "elem_id": f"setting_{key}", **_accepted(kind, {**arguments, **extra})}
    if kind is gr.Dropdown:
        choices = _plain_choices(properties.get("choices")) or _known_choices(key, value)
        properties["choices"] = choices
        # A function gives choices that change, such as files: one may come while the page is open.
        properties.setdefault("allow_custom_value", callable(info.component_args) or not _plain_choices(arguments.get("choices")))
    component = made(kind, **properties)
    if kind is gr.Dropdown and callable(info.component_args):
        page.follow_choices(component, lambda: _plain_choices(info.arguments().get("choices")))
    page.follow(component, "value", lambda: _shown_value(kind, getattr(settings, key)))
    return component


def _brought_component(settings: Options, key: str, control: Any, page: PageValues) -> gr.components.Component | None:
    """The control of an option as an extension's class or function makes it; None for gradio's own classes and where it fails."""
    if getattr(control, "__module__", "").startswith("gradio."):
        return None
    info = settings.data_labels[key]
    try:
        with in_force():
            component = control(label=info.label, value=getattr(settings, key), elem_id=f"setting_{key}", **info.arguments())
    except Exception as error:  # an extension's fault must not take the page away
        errors.report(f"The control of the setting {key} cannot be made", error)
        return None
    page.follow(component, "value", lambda: getattr(settings, key))
    return component


def _shown_value(kind: type[Any], value: Any) -> Any:
    return ("" if value is None else str(value)) if kind is gr.Textbox else value


KINDS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "checkbox": (gr.Checkbox, {}), "slider": (gr.Slider, {}), "number": (gr.Number, {}), "text": (gr.Textbox, {}),
    "dropdown": (gr.Dropdown, {}), "radio": (gr.Radio, {}), "multi": (gr.Dropdown, {"multiselect": True}), "color": (gr.ColorPicker, {}),
    "html": (gr.HTML, {}),
}


def component_kind(info: OptionInfo) -> tuple[type[Any], dict[str, Any]]:
    """The gradio class for an option and what it needs beside the option's own arguments; extensions bring their own class."""
    control = info.control()
    if isinstance(control, str):
        return KINDS[control]
    return (control, {}) if isinstance(control, type) else (gr.Textbox, {})


def remarks_text(info: OptionInfo) -> str:
    """What stands beside the label, without markup: catalogues and extensions write some HTML there."""
    remarks = [info.comment_before, *(remark.text for remark in info.remarks), info.comment_after]
    plain = [html.unescape(re.sub(r"<[^>]*>", "", remark)).strip() for remark in remarks]
    sentence = "; ".join(text for text in plain if text)
    return sentence[:1].upper() + sentence[1:]


def _parameters(kind: type[Any]) -> set[str]:
    return set(inspect.signature(kind.__init__).parameters)


def _accepted(kind: type[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that the class knows; None counts as not given."""
    known = _parameters(kind)
    given = {name: value for name, value in arguments.items() if name in known and value is not None}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _plain_choices(choices: Any) -> list[Any]:
    return [choice[1] if isinstance(choice, (tuple, list)) else choice for choice in choices or ()]


def _known_choices(key: str, value: Any) -> list[Any]:
    """Choices that depend on what the program has; only the present value where nothing is known."""
    if key == "hide_samplers":
        return [sampler.name for sampler in SAMPLERS]
    if key in ("ui_tab_order", "hidden_tabs"):
        return list(dict.fromkeys([*TAB_TITLES, *(value or ())]))
    return [value] if isinstance(value, str) and value else list(value) if isinstance(value, (list, tuple)) else []


def _connect(rt: Runtime, components: dict[str, Any], apply: gr.Button, restore: gr.Button, result: gr.HTML, stored: gr.Textbox) -> None:
    keys = list(components)

    def store(request: gr.Request, *values: Any) -> tuple[str, str]:
        changed, refused = [], []
        viewer = viewer_of(request.request)
        for key, value in zip(keys, values, strict=True):
            try:
                if value != getattr(rt.settings, key):
                    check_settings(viewer, [key])
                if rt.settings.set(key, value):
                    changed.append(key)
            except UserError as error:
                refused.append(str(error))
        try:
            rt.settings.save()
        except (UserError, OSError) as error:
            refused.append(f"The settings could not be stored: {error}")
        said = f"{len(changed)} settings changed." if len(changed) != 1 else "1 setting changed."
        return paragraphs(said, "note") + "".join(paragraphs(text, "error") for text in refused), options_json(rt.settings)

    apply.click(store, list(components.values()), [result, stored], **PRIVATE)
    restore.click(lambda: [rt.settings.data_labels[key].default for key in keys], None, list(components.values()),
                  **PRIVATE)
