"""The ↙ button: an infotext in the prompt box, or that of the last picture, becomes the values of the form."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import script_callbacks
from modules.errors import RequestError
from modules.generation.fields import Field, checked
from modules.imaging import infotext
from modules.sampling.registry import split_sampler_name
from modules.settings.infotext_keys import MISSPELT, override_settings_from, settings_with_infotext
from modules.ui.components import paragraphs

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.settings.store import Options
    from modules.ui.form import Form
    from modules.ui.script_panel import ScriptPanel

# Which setting decides about a key that the form does not hold is a matter of the catalogue; these are no settings at all.
NOT_SETTINGS = frozenset({"Model", "Model hash", "Version", "Size-1", "Size-2", "User"})


def paste_handler(rt: Runtime, form: Form, panel: ScriptPanel) -> Callable[[str], list[Any]]:
    """(text of the prompt box) -> changes to all controls of the form, Extra, Refiner, the log line, and controls of scripts."""
    def paste(text: str) -> list[Any]:
        source = text if (text or "").strip() else last_infotext(rt)
        if not source:
            said = paragraphs("There is nothing to read: the box is empty and no picture was made yet.", "note")
            return [*[gr.skip()] * (len(form.components) + 2), said, *[gr.skip()] * len(panel.pasted_components)]
        fields = [field for field in form.fields if field.name in form.components]
        parsed = parsed_infotext(rt, source)
        values, notes = values_of(rt, fields, parsed)
        extra = bool(values.get("subseed_strength")) or bool(values.get("seed_resize_from_w"))
        updates = form.updates(values)
        place = list(form.components).index("override_settings")
        updates[place] = gr.update(value=values["override_settings"], choices=values["override_settings"])
        said = "".join(paragraphs(note, "note") for note in notes)
        return [*updates, extra, bool(values.get("refiner_checkpoint")), said, *panel.pasted(parsed)]
    return paste


def pasted_values(rt: Runtime, fields: Iterable[Field], source: str) -> tuple[dict[str, Any], list[str]]:
    """Values of the form for an infotext, styles and override settings among them, and notes. A mere prompt changes only the prompts."""
    return values_of(rt, fields, parsed_infotext(rt, source))


def parsed_infotext(rt: Runtime, source: str) -> dict[str, Any]:
    """What an infotext says under the names that it uses, as extensions leave it."""
    stated = infotext.read_fields(source)
    is_prompt_only = set(stated) <= {"Prompt", "Negative prompt"}
    skipped = list(rt.settings.infotext_skip_pasting or ())
    parsed = stated if is_prompt_only else infotext.parse(source, skip_fields=skipped, back_compat=rt.settings.auto_backcompat)
    script_callbacks.call("infotext_pasted", source, parsed, note=rt.notice)
    return parsed


def values_of(rt: Runtime, fields: Iterable[Field], parsed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values of the form for a parsed infotext, and notes."""
    values, notes = form_values(fields, parsed)
    prompt, negative = values.get("prompt", ""), values.get("negative_prompt", "")
    names, bare_prompt, bare_negative = rt.styles.recognise(prompt, negative)
    mode = rt.settings.infotext_styles
    if names and mode != "Ignore":
        values.update(prompt=bare_prompt, negative_prompt=bare_negative)
    values.pop("styles", None)
    if mode == "Apply" or (mode == "Apply if any" and names):
        values["styles"] = names
    values["override_settings"] = override_texts(rt.settings, parsed)
    return values, notes


def last_infotext(rt: Runtime) -> str:
    """The parameters of the last generation, empty when there are none."""
    try:
        return rt.folders.params_file.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def form_values(fields: Iterable[Field], parsed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Field name -> value for every field that the infotext holds, and a sentence for each value that cannot be used."""
    texts = dict(parsed)
    if "Sampler" in texts:
        sampler, schedule = split_sampler_name(texts["Sampler"])
        texts["Sampler"] = sampler
        if schedule:
            texts.setdefault("Schedule type", schedule)
    width, _, height = texts.get("Size", "").partition("x")
    whole = {"width": width or texts.get("Size-1"), "height": height or texts.get("Size-2"),
             "seed_resize_from_w": texts.get("Seed resize from-1"), "seed_resize_from_h": texts.get("Seed resize from-2")}
    values: dict[str, Any] = {}
    notes = []
    for field in fields:
        if field.name == "enable_hr" and "Steps" in texts:  # a whole infotext: without a second pass it was off
            values["enable_hr"] = "Hires upscaler" in texts
            continue
        if not field.in_form or field.kind == "mapping":
            continue
        text = whole.get(field.name) if field.name in whole else texts.get(field.infotext) if field.infotext else None
        if text in (None, ""):
            continue
        try:
            values[field.name] = checked(field, str(text).split(", ") if field.kind == "names" else text)
        except RequestError as error:
            notes.append(str(error))
    return values, notes


def override_texts(settings: Options, parsed: Mapping[str, Any]) -> list[str]:
    """"Key: value" for each setting in the infotext that differs from the present one."""
    texts = []
    for key, name in settings_with_infotext(settings):
        if name in NOT_SETTINGS or name not in parsed:
            continue
        try:
            differs = settings.checked(key, parsed[name]) != getattr(settings, key)
        except RequestError:
            continue
        if differs:
            texts.append(f"{name}: {parsed[name]}")
    return texts


def override_mapping(rt: Runtime, texts: Iterable[str]) -> dict[str, Any]:
    """Option key -> value, from the texts of the Override settings box. Raises RequestError for one that names no option."""
    texts = list(texts)
    names = {name for _, name in settings_with_infotext(rt.settings)} | set(MISSPELT)
    for text in texts:
        name = text.partition(":")[0].strip()
        if name not in names:
            raise RequestError("override_settings", f'Override settings holds "{text[:80]}", which names no setting.',
                               remedy='Write "Name: value" with a name that infotexts use, such as "Clip skip: 2".')
    return override_settings_from(rt.settings, texts, lambda name: rt.checkpoints.find(name).title)
