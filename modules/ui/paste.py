"""The ↙ button: an infotext in the prompt box, or that of the last picture, becomes the values of the form."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import script_callbacks
from modules.errors import NotFound, RequestError
from modules.generation.fields import FACE_RESTORATION, Field, checked
from modules.imaging import infotext
from modules.sampling.registry import split_sampler_name
from modules.settings.infotext_keys import MISSPELT, override_settings_from, settings_with_infotext
from modules.ui.components import paragraphs

if TYPE_CHECKING:
    from modules.checkpoints.files import CheckpointInfo
    from modules.runtime import Runtime
    from modules.settings.store import Options
    from modules.ui.form import Form
    from modules.ui.script_panel import ScriptPanel

# Which setting decides about a key that the form does not hold is a matter of the catalogue; these are no settings at all.
NOT_SETTINGS = frozenset({"Model", "Model hash", "Version", "Size-1", "Size-2", "User"})


def paste_handler(rt: Runtime, form: Form, panel: ScriptPanel) -> Callable[[str], list[Any]]:
    """(text of the prompt box) -> changes to all controls of the form, its switches, the log line, and controls of scripts."""
    def paste(text: str) -> list[Any]:
        source = text if (text or "").strip() else last_infotext(rt)
        if not source:
            said = "There is nothing to read: the box is empty and no picture was made yet."
            return filled(form, panel, {}, {}, [said])
        parsed = parsed_infotext(rt, source)
        values, notes = values_of(rt, shown_fields(form), parsed)
        return filled(form, panel, parsed, values, notes)
    return paste


def received_handler(rt: Runtime, form: Form, panel: ScriptPanel) -> Callable[[str], list[Any]]:
    """(JSON that the page's scripts send) -> changes as above.

    `infotext` holds the parameters, `notes` what is to be said about them; `only` the names of those that are taken, where not all
    are; `width` and `height` those of a picture that is sent to this tab: the settings then say whether its size and its seed are taken.
    """
    def receive(message: str) -> list[Any]:
        sent = json.loads(message)
        source = str(sent.get("infotext") or "")
        parsed = parsed_infotext(rt, source) if source.strip() else {}
        values, notes = values_of(rt, shown_fields(form), parsed)
        notes = [*map(str, sent.get("notes") or ()), *notes]
        if "width" in sent:
            values = as_sent(rt, values, sent["width"], sent["height"])
        if "only" in sent:
            only = set(sent["only"])
            parsed = {key: text for key, text in parsed.items() if key in only}
            values = of_keys(form, values, only)
        return filled(form, panel, parsed, values, notes)
    return receive


def shown_fields(form: Form) -> list[Field]:
    """The fields that have a control."""
    return [field for field in form.fields if field.name in form.components]


def filled(form: Form, panel: ScriptPanel, parsed: Mapping[str, Any], values: dict[str, Any], notes: Iterable[str]) -> list[Any]:
    """Changes to the controls of the form, Extra, Refiner, the log line, and controls of scripts."""
    updates = form.updates(values)
    if "override_settings" in values:
        place = list(form.components).index("override_settings")
        updates[place] = gr.update(value=values["override_settings"], choices=values["override_settings"])
    extra = any(values.get(name) for name in ("subseed_strength", "variations", "seed_resize_from_w"))
    switches = [extra, bool(values.get("refiner_checkpoint"))] if "override_settings" in values else [gr.skip(), gr.skip()]
    said = "".join(paragraphs(note, "note") for note in notes)
    return [*updates, *switches, said, *panel.pasted(parsed)]


def as_sent(rt: Runtime, values: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """The values that go with a picture to another tab: the size is the picture's own, which a second pass may have changed."""
    left_out = set() if rt.settings.send_seed else {"seed", "subseed"}
    size = {"width": width, "height": height} if rt.settings.send_size else {}
    return {name: value for name, value in values.items() if name not in {*left_out, "width", "height"}} | size


def of_keys(form: Form, values: dict[str, Any], only: set[str]) -> dict[str, Any]:
    """Those of the values that stand under one of the keys in an infotext."""
    keys = {field.name: field.infotext for field in form.fields} | {"styles": "Prompt", "enable_hr": "Hires upscaler"}
    kept = {name: value for name, value in values.items() if keys.get(name) in only}
    overrides = [text for text in values.get("override_settings", ()) if text.partition(":")[0] in only]
    return kept | ({"override_settings": overrides} if overrides else {})


def parsed_infotext(rt: Runtime, source: str) -> dict[str, Any]:
    """What an infotext says under the names that it uses, as extensions leave it."""
    stated = infotext.read_fields(source)
    is_prompt_only = set(stated) <= {"Prompt", "Negative prompt"}
    skipped = list(rt.settings.infotext_skip_pasting or ())
    parsed = stated if is_prompt_only else infotext.parse(source, skip_fields=skipped, back_compat=rt.settings.auto_backcompat)
    script_callbacks.call("infotext_pasted", source, parsed, note=rt.notice)
    return parsed


def values_of(rt: Runtime, fields: Iterable[Field], parsed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Values of the form for a parsed infotext, styles and override settings among them, and notes; none for an empty one."""
    if not parsed:
        return {}, []
    values, notes = form_values(fields, parsed)
    prompt, negative = values.get("prompt", ""), values.get("negative_prompt", "")
    names, bare_prompt, bare_negative = rt.styles.recognise(prompt, negative)
    mode = rt.settings.infotext_styles
    if names and mode != "Ignore":
        values.update(prompt=bare_prompt, negative_prompt=bare_negative)
    values.pop("styles", None)
    if mode == "Apply" or (mode == "Apply if any" and names):
        values["styles"] = names
    model, model_note = pasted_checkpoint(rt, parsed)
    values["override_settings"] = [*override_texts(rt.settings, parsed), *model]
    return values, [*notes, *model_note]


def pasted_checkpoint(rt: Runtime, parsed: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What becomes of the checkpoint in an infotext that is not the chosen one: an override where the settings allow it, else a note."""
    names = [str(parsed[key]) for key in ("Model hash", "Model") if parsed.get(key)]
    if not names:
        return [], []
    wanted = next(filter(None, (found_checkpoint(rt, name) for name in names)), None)
    if wanted is None:
        return [], [f'It was made with the checkpoint "{names[-1][:80]}", which is not here.']
    chosen = rt.chosen_checkpoint()
    if wanted.path == chosen.path:
        return [], []
    if rt.settings.disable_weights_auto_swap:
        return [], [f'It was made with the checkpoint "{wanted.name}"; "{chosen.name}" is chosen.']
    return [f"Model hash: {wanted.short_hash or wanted.name}"], []


def found_checkpoint(rt: Runtime, name: str) -> CheckpointInfo | None:
    """The checkpoint with this name or hash, None where there is none."""
    try:
        return rt.checkpoints.find(name)
    except NotFound:
        return None


def last_infotext(rt: Runtime) -> str:
    """The parameters of the last generation, empty when there are none."""
    try:
        return rt.folders.params_file.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def form_values(fields: Iterable[Field], parsed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Field name -> value for every field that the infotext holds, and a sentence for each value that cannot be used."""
    texts = dict(parsed)
    notes = _split_sampler(texts)
    width, _, height = texts.get("Size", "").partition("x")
    whole = {"width": width or texts.get("Size-1"), "height": height or texts.get("Size-2"),
             "seed_resize_from_w": texts.get("Seed resize from-1"), "seed_resize_from_h": texts.get("Seed resize from-2")}
    values: dict[str, Any] = {}
    fields = list(fields)
    if "Hires upscaler" in texts and all(field.name != "enable_hr" for field in fields):
        texts.pop("Denoising strength", None)  # it is that of a second pass, which this form does not have
    for field in fields:
        if field.name == "enable_hr" and "Steps" in texts:  # a whole infotext: without a second pass it was off
            values["enable_hr"] = "Hires upscaler" in texts
            continue
        if field.infotext == FACE_RESTORATION:
            if "Steps" in texts or FACE_RESTORATION in texts:
                values[field.name] = FACE_RESTORATION in texts
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


def _split_sampler(texts: dict[str, Any]) -> list[str]:
    """Take a schedule out of the name of the sampler; a name that is none goes, with a note."""
    if not texts.get("Sampler"):
        return []
    try:
        sampler, schedule = split_sampler_name(str(texts["Sampler"]))
    except RequestError as error:
        del texts["Sampler"]
        return [str(error)]
    texts["Sampler"] = sampler
    if schedule:
        texts.setdefault("Schedule type", schedule)
    return []


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
