"""The Extras tab: one picture, uploaded ones or those of a folder, led through steps such as Upscale."""
from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import postprocessing
from modules.errors import RequestError
from modules.postprocessing import KIND, ExtrasRequest
from modules.scripts_postprocessing import ScriptPostprocessingRunner, StepOptions
from modules.ui.components import TOOLTIPS, drawn_later, hidden_button, hidden_text, made
from modules.ui.controls import PRIVATE
from modules.ui.generate import generate_handler, restore_handler
from modules.ui.mask_canvas import canvas, canvas_files
from modules.ui.page_values import PageValues
from modules.ui.prompt_row import generate_box
from modules.ui.results import results_panel
from modules.ui.script_panel import give_usual_classes

if TYPE_CHECKING:
    from fastapi import Request

    from modules.jobs.job import Job
    from modules.runtime import Runtime

TAB = KIND
ASKED = "asked"
MANY: dict[str, Any] = {"concurrency_limit": None, "trigger_mode": "multiple", **PRIVATE}
UPSCALER_LISTS = ("upscaler_1_name", "upscaler_2_name")


def extras_tab(rt: Runtime, page: PageValues) -> None:
    """Build the tab inside the current Blocks context."""
    runner = postprocessing.steps_runner()
    task, source = hidden_text(f"{TAB}_task_id"), hidden_text(f"{TAB}_pictures")
    with gr.Row(elem_id=f"{TAB}_page", elem_classes=["gradio-row", "resize-handle-row", "workbench"]):
        with gr.Column(elem_id=f"{TAB}_settings", elem_classes=["gradio-column", "settings-column"]):
            sources = _sources(rt)
            _steps(rt, runner)
        with gr.Column(elem_classes=["gradio-column", "extras-results"]):
            generate = generate_box(TAB)
            results = results_panel(TAB, can_open_folders=not rt.args.hide_ui_dir_config, has_parameters=False)
    handler = generate_handler(rt, submit, partial(asked_for, rt))
    pressed = generate.click(handler, [task, source, *sources, *runner.inputs], results.outputs, js="submit_extras", **MANY)
    pressed.then(None, None, None, js=f"() => generateAnswered('{TAB}')", **PRIVATE)
    hidden_button(f"{TAB}_show_result").click(restore_handler(rt), task, results.outputs, js=f"() => resultToShow('{TAB}')", **MANY)
    for step in runner.scripts:
        for name in UPSCALER_LISTS:
            if isinstance(control := (step.controls or {}).get(name), gr.Dropdown):
                page.follow_choices(control, rt.upscalers.names)


def _sources(rt: Runtime) -> list[Any]:
    """Where pictures come from; the inputs beside the single picture, which its canvas sends itself."""
    with gr.Tabs(elem_id="mode_extras", elem_classes=["gradio-tabs", "picture-modes"]):
        with gr.Tab("Single Image", id="single_image", elem_id="extras_single_tab"):
            canvas("extras_image", "view")
        with gr.Tab("Batch Process", id="batch_process", elem_id="extras_batch_process_tab"):
            files = made(gr.File, label="Batch Process", file_count="multiple", file_types=["image"], elem_id="extras_image_batch",
                         height=200)
        with gr.Tab("Batch from Directory", id="batch_from_directory", elem_id="extras_batch_directory_tab"):
            placeholder = "A folder on the machine that Easel runs on"
            if rt.args.hide_ui_dir_config:
                placeholder = "Folders of this machine are not for requests here: upload the pictures instead"
            input_dir = made(gr.Textbox, label="Input directory", elem_id="extras_batch_input_dir", placeholder=placeholder, max_lines=1)
            output_dir = made(gr.Textbox, label="Output directory", elem_id="extras_batch_output_dir", max_lines=1,
                              placeholder="Empty: the usual folder")
            show = made(gr.Checkbox, value=True, label="Show result images", elem_id="extras_show_extras_results")
    return [files, input_dir, output_dir, show]


def _steps(rt: Runtime, runner: ScriptPostprocessingRunner) -> None:
    """The controls of all steps, in the order in which they work."""
    options = StepOptions(order=rt.settings.postprocessing_operation_order, disabled=rt.settings.postprocessing_disable_in_extras)
    runner.prepare_ui()
    with drawn_later(f"{TAB}_script_container") as container:
        for step in runner.in_order(options):
            runner.add_controls(step)
    runner.has_controls = True
    TOOLTIPS["upscaling_res_switch_btn"] = "Switch width and height"
    give_usual_classes(container)


def submit(rt: Runtime, values: dict[str, Any], **job: Any) -> Job:
    """Queue what the tab asks for."""
    return postprocessing.submit(rt, values[ASKED], **job)


def asked_for(rt: Runtime, args: Sequence[Any], request: Request | None) -> dict[str, Any]:
    """The request behind the inputs of Generate, without the id of the job. Raises UserError for a missing picture."""
    said, files, input_dir, output_dir, show, *values = args
    message = json.loads(said or "{}")
    steps = postprocessing.steps_runner().values(values)
    mode = message.get("mode")
    if mode == "batch":
        if not files:
            raise RequestError("image", "There is no picture to work on.", remedy="Choose some under Batch Process.")
        return {ASKED: ExtrasRequest(files=[str(file) for file in files], steps=steps)}
    if mode == "directory":
        if not (input_dir or "").strip():
            raise RequestError("input_dir", "There is no folder to work on.", remedy="Name the input directory.")
        return {ASKED: ExtrasRequest(input_dir=input_dir, output_dir=output_dir or "", steps=steps, show=bool(show))}
    picture = canvas_files(rt, request, message.get("canvas")).image
    if picture is None:
        raise RequestError("image", "There is no picture to work on.", remedy="Drop one on Single Image, or choose one.")
    return {ASKED: ExtrasRequest(picture=picture, steps=steps)}
