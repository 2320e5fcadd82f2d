"""The txt2img tab."""
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import scripts, txt2img
from modules.generation.fields import TXT2IMG_FIELDS
from modules.sampling.registry import SAMPLERS
from modules.sampling.schedules import SCHEDULES
from modules.ui import paste
from modules.ui.components import RANDOM, REUSE, SWAP, ToolButton, hidden_button, hidden_text, made
from modules.ui.form import Form, saved_defaults
from modules.ui.further_passes import further_passes
from modules.ui.generate import generate_handler, restore_handler
from modules.ui.models import native_size
from modules.ui.page_values import PageValues
from modules.ui.prompt_row import PromptRow, prompt_row
from modules.ui.results import Results, results_panel
from modules.ui.script_panel import ScriptPanel, script_panel
from modules.ui.styles_editor import connect_style_buttons, styles_editor

if TYPE_CHECKING:
    from modules.runtime import Runtime

TAB = "txt2img"
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True, kw_only=True)
class Switches:
    """Check boxes that say whether the controls behind them count; they are no fields of a request."""

    extra: gr.Checkbox
    refiner: gr.Checkbox

    @property
    def inputs(self) -> list[gr.Checkbox]:
        return [self.extra, self.refiner]


@dataclass(frozen=True, kw_only=True)
class Txt2ImgTab:
    """What other parts of the page connect to."""

    form: Form
    results: Results
    generate: gr.Button


def txt2img_tab(rt: Runtime, page: PageValues) -> Txt2ImgTab:
    """Build the tab inside the current Blocks context."""
    form = Form(tab=TAB, fields=TXT2IMG_FIELDS, saved=saved_defaults(rt.folders.ui_config_file),
                proposed={name: lambda: native_size(rt) for name in ("width", "height")})
    task = hidden_text(f"{TAB}_task_id")
    top = prompt_row(form, rt.styles.names())
    dialog = styles_editor(rt, TAB)
    with gr.Tabs(elem_id=f"{TAB}_extra_tabs", elem_classes=["gradio-tabs", "extra-networks"]), \
            gr.Tab("Generation", id="generation", elem_id=f"{TAB}_generation"), \
            gr.Row(elem_classes=["gradio-row", "resize-handle-row", "workbench"]):
        with gr.Column(elem_id=f"{TAB}_settings", elem_classes=["gradio-column", "settings-column"]):
            switches, panel = _controls(rt, form)
        results = results_panel(TAB, can_open_folders=not rt.args.hide_ui_dir_config)
    _connect(rt, form, top, results, task, switches, panel)
    connect_style_buttons(rt, form, top, dialog, page)
    for name in ("width", "height"):
        page.follow(form.components[name], "value", partial(form.default, name))
    return Txt2ImgTab(form=form, results=results, generate=top.generate)


def _controls(rt: Runtime, form: Form) -> tuple[Switches, ScriptPanel]:
    """The controls of the Generation tab, in the user's order; returns those that are no fields of the request: switches, scripts."""
    runner = scripts.scripts_txt2img
    assert runner is not None, "modules.engine.start makes it"
    blocks: dict[str, Callable[[], Any]] = {
        "sampler": lambda: _sampler_controls(rt, form), "accordions": lambda: further_passes(rt, form),
        "dimensions": lambda: _size_controls(form), "cfg": lambda: _cfg_control(form),
        "seed": lambda: _seed_controls(form), "override_settings": lambda: _override_control(form),
        "scripts": lambda: script_panel(TAB, runner),
    }
    chosen = [name for name in rt.settings.ui_reorder_list if name in blocks]
    made_blocks = {name: blocks[name]() for name in dict.fromkeys([*chosen, *blocks])}
    return Switches(extra=made_blocks["seed"], refiner=made_blocks["accordions"]), made_blocks["scripts"]


def _sampler_controls(rt: Runtime, form: Form) -> None:
    shown = [sampler.name for sampler in SAMPLERS if sampler.name not in rt.settings.hide_samplers]
    schedules = ["Automatic", *(schedule.label for schedule in SCHEDULES if schedule.label != "Automatic")]
    columns = "three" if rt.settings.samplers_in_dropdown else "radios"
    with gr.Row(elem_id=f"sampler_selection_{TAB}", elem_classes=["gradio-row", "form-row", columns]):
        if rt.settings.samplers_in_dropdown:
            form.dropdown("sampler_name", shown, min_width=120)
        else:
            form.radio("sampler_name", shown)
        form.dropdown("scheduler", schedules, min_width=120)
        form.slider("steps", min_width=160)


def _size_controls(form: Form) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row", "sizes"]):
        with gr.Column(elem_id=f"{TAB}_column_size", scale=4, min_width=200):
            form.slider("width")
            form.slider("height")
        with gr.Column(elem_id=f"{TAB}_dimensions_row", scale=0, min_width=40, elem_classes=["dimensions-tools"]):
            swap = ToolButton(SWAP, elem_id=f"{TAB}_res_switch_btn", title="Swap width and height")
        with gr.Column(elem_id=f"{TAB}_column_batch", scale=4, min_width=200):
            form.slider("n_iter")
            form.slider("batch_size")
    size = [form.components["width"], form.components["height"]]
    swap.click(None, size, size, js="(width, height) => [height, width]", **PRIVATE)


def _cfg_control(form: Form) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        form.slider("cfg_scale")


def _override_control(form: Form) -> None:
    """Seen while it holds something (style sheet)."""
    with gr.Row(elem_id=f"{TAB}_override_settings_row", elem_classes=["gradio-row", "form-row", "override-settings"]):
        form.dropdown("override_settings", (), multiselect=True, allow_custom_value=True, elem_classes=["multiselect"])


def _seed_controls(form: Form) -> gr.Checkbox:
    with gr.Row(elem_id=f"{TAB}_seed_row", elem_classes=["gradio-row", "form-row", "seed-row"]):
        seed = form.number("seed", min_width=120)
        random = ToolButton(RANDOM, elem_id=f"{TAB}_random_seed", title="Set the seed to -1: a new one for every job")
        reuse = ToolButton(REUSE, elem_id=f"{TAB}_reuse_seed", title="Take the seed of the selected picture")
        extra = made(gr.Checkbox, False, label="Extra", elem_id=f"{TAB}_subseed_show", min_width=80, scale=0, container=False)
    # Shown by the style sheet while Extra is on: always in the page, so that scripts find it.
    with gr.Column(elem_id=f"{TAB}_seed_extras", elem_classes=["gradio-group", "seed-extras"]):
        with gr.Row(elem_id=f"{TAB}_subseed_row", elem_classes=["gradio-row", "form-row", "seed-row"]):
            subseed = form.number("subseed", min_width=120)
            random_sub = ToolButton(RANDOM, elem_id=f"{TAB}_random_subseed", title="Set the variation seed to -1")
            reuse_sub = ToolButton(REUSE, elem_id=f"{TAB}_reuse_subseed", title="Take the variation seed of the selected picture")
            form.slider("subseed_strength", min_width=160)
        with gr.Row(elem_id=f"{TAB}_seed_resize_from_row", elem_classes=["gradio-row", "form-row"]):
            form.slider("seed_resize_from_w")
            form.slider("seed_resize_from_h")
    random.click(None, None, seed, js="() => -1", **PRIVATE)
    random_sub.click(None, None, subseed, js="() => -1", **PRIVATE)
    reuse.click(None, seed, seed, js=f"present => seedOfSelected('{TAB}', 'seeds', present)", **PRIVATE)
    reuse_sub.click(None, subseed, subseed, js=f"present => seedOfSelected('{TAB}', 'subseeds', present)", **PRIVATE)
    return extra


def _connect(rt: Runtime, form: Form, top: PromptRow, results: Results, task: gr.Textbox, switches: Switches,
             panel: ScriptPanel) -> None:
    def values(args: Any) -> dict[str, Any]:
        count = len(form.components)
        named = form.values(args[:count])
        named["override_settings"] = paste.override_mapping(rt, named.get("override_settings") or [])
        named["scripts"] = panel.values(args[count + len(switches.inputs):])
        extra, refiner = args[count:count + len(switches.inputs)]
        if not extra:  # its controls keep their values but do not count
            named.update(subseed=-1, subseed_strength=0, seed_resize_from_w=0, seed_resize_from_h=0)
        if not refiner:
            named.update(refiner_checkpoint="")
        return named

    many: dict[str, Any] = {"concurrency_limit": None, "trigger_mode": "multiple", **PRIVATE}
    generate = generate_handler(rt, txt2img.submit, values)
    pressed = top.generate.click(generate, [task, *form.inputs, *switches.inputs, *panel.inputs], results.outputs, js="submit", **many)
    pressed.then(None, None, None, js=f"() => generateAnswered('{TAB}')", **PRIVATE)
    hidden_button(f"{TAB}_show_result").click(restore_handler(rt), task, results.outputs, js=f"() => resultToShow('{TAB}')", **many)
    prompts = [form.components["prompt"], form.components["negative_prompt"]]
    top.clear.click(None, prompts, prompts, js="confirmClearPrompt", **PRIVATE)
    names = json.dumps(list(form.components))
    top.inspect.click(None, form.inputs, None, js=f"(...values) => openInspector('{TAB}', {names}, values)", **PRIVATE)
    results.enlarge.click(None, form.inputs, None, js=f"(...values) => enlargeSelected('{TAB}', {names}, values)", **PRIVATE)
    filled = [*form.inputs, *switches.inputs, results.html_log, *panel.pasted_components]
    read = paste.paste_handler(rt, form, panel)
    top.paste.click(read, prompts[0], filled, **PRIVATE)
    hidden_button(f"{TAB}_read_infotext").click(read, prompts[0], filled, js="() => infotextToRead", **PRIVATE)
