"""The Checkpoint Merger tab."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import merging
from modules.api.own_queue import page_owner
from modules.checkpoints.merge import CURVES, METHODS
from modules.checkpoints.vae import OWN
from modules.errors import UserError
from modules.ui.components import PRIVATE, REFRESH, ToolButton, made, paragraphs
from modules.ui.page_values import PageValues

if TYPE_CHECKING:
    from modules.runtime import Runtime

TAB = "modelmerger"
PARTS = {"primary": "Primary model (A)", "secondary": "Secondary model (B)", "tertiary": "Tertiary model (C)"}
EXPLAINED = {
    "No interpolation": "No interpolation will be used. Needs one model; A. Converts it, bakes a VAE in, or leaves weights out.",
    "Weighted sum": "The result is A · (1 − M) + B · M. Needs two models; A and B.",
    "Add difference": "The result is A + (B − C) · M. Needs three models; A, B and C."}


def merger_tab(rt: Runtime, page: PageValues) -> None:
    """Build the tab inside the current Blocks context."""
    controls: dict[str, Any] = {}
    with gr.Row(elem_id=f"{TAB}_page", elem_classes=["gradio-row", "workbench"]):
        with gr.Column(elem_classes=["gradio-column", "settings-column"]):
            refresh = _models(rt, controls)
            explained = made(gr.HTML, paragraphs(EXPLAINED["Weighted sum"], "note"), elem_id=f"{TAB}_interp_description")
            _mixing(controls)
            _output(rt, controls)
            read = _metadata(controls)
            merge = made(gr.Button, "Merge", variant="primary", elem_id=f"{TAB}_merge")
        with gr.Column(elem_id=f"{TAB}_results_container", elem_classes=["gradio-column", "results"]):
            result = made(gr.HTML, paragraphs("The new checkpoint is written beside the others. A merge waits in the queue like every "
                                              "job; stop it there.", "note"), elem_id=f"{TAB}_result")
    _connect(rt, controls, merge, refresh, read, result, explained)
    for name in PARTS:
        page.follow_choices(controls[name], lambda: _names(rt))
    page.follow_choices(controls["vae"], lambda: _vae_names(rt))


def _models(rt: Runtime, controls: dict[str, Any]) -> gr.Button:
    with gr.Row(elem_id=f"{TAB}_models", elem_classes=["gradio-row", "form-row"]):
        for name, label in PARTS.items():
            # Any text is taken, and judged by the merge: gradio refuses the name of a file that came after the page was loaded.
            controls[name] = made(gr.Dropdown, choices=_names(rt), value=None, label=label, elem_id=f"{TAB}_{name}_model_name",
                                  allow_custom_value=True, min_width=160)
        return ToolButton(REFRESH, elem_id=f"refresh_checkpoint_{TAB}", title="Look for checkpoints and VAE files again")


def _mixing(controls: dict[str, Any]) -> None:
    controls["method"] = made(gr.Radio, choices=list(METHODS), value="Weighted sum", label="Interpolation Method",
                              elem_id=f"{TAB}_interp_method")
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        controls["multiplier"] = made(gr.Slider, minimum=0, maximum=1, step=0.05, value=0.3,
                                      label="Multiplier (M) - set to 0 to get model A", elem_id=f"{TAB}_interp_amount")
        controls["curve"] = made(gr.Dropdown, choices=list(CURVES), value="Linear", label="Curve of M", elem_id=f"{TAB}_curve",
                                 min_width=120)
    controls["block_weights"] = made(
        gr.Textbox, label="Block weights", elem_id=f"{TAB}_block_weights", max_lines=1,
        placeholder="One M for all; or 25 numbers (IN00 to IN11, MID, OUT00 to OUT11), or 26 with one for everything else before them")


def _output(rt: Runtime, controls: dict[str, Any]) -> None:
    controls["custom_name"] = made(gr.Textbox, label="Custom Name (Optional)", elem_id=f"{TAB}_custom_name", max_lines=1)
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        controls["file_format"] = made(gr.Radio, choices=list(merging.FORMATS), value="safetensors", label="Checkpoint format",
                                       elem_id=f"{TAB}_checkpoint_format")
        controls["half"] = made(gr.Checkbox, False, label="Save as float16", elem_id=f"{TAB}_save_as_half")
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        controls["config_source"] = made(gr.Radio, choices=list(merging.CONFIG_SOURCES), value=merging.CONFIG_SOURCES[0],
                                         label="Copy config from", elem_id=f"{TAB}_config_method")
        controls["vae"] = made(gr.Dropdown, choices=_vae_names(rt), value=OWN, label="Bake in VAE", elem_id=f"{TAB}_bake_in_vae",
                               allow_custom_value=True, min_width=120)
    controls["discard"] = made(gr.Textbox, label="Discard weights with matching name", elem_id=f"{TAB}_discard_weights", max_lines=1,
                               placeholder="A regular expression, e.g. model_ema to leave the averaged weights out")


def _metadata(controls: dict[str, Any]) -> gr.Button:
    with gr.Accordion("Metadata", open=False, elem_id=f"{TAB}_metadata_editor"):
        with gr.Row(elem_classes=["gradio-row", "form-row"]):
            controls["save_metadata"] = made(gr.Checkbox, True, label="Save metadata", elem_id=f"{TAB}_save_metadata")
            controls["add_recipe"] = made(gr.Checkbox, True, label="Add merge recipe metadata", elem_id=f"{TAB}_add_recipe")
            controls["copy_metadata"] = made(gr.Checkbox, True, label="Copy metadata from merged models",
                                             elem_id=f"{TAB}_copy_metadata")
        controls["metadata_json"] = made(gr.Textbox, label="Metadata in JSON format", lines=4, elem_id=f"{TAB}_metadata_json")
        return made(gr.Button, "Read metadata from selected checkpoints", elem_id=f"{TAB}_read_metadata")


def _names(rt: Runtime) -> list[str]:
    """Names without hashes: they stay the same when a hash becomes known."""
    return [info.name for info in rt.checkpoints]


def _vae_names(rt: Runtime) -> list[str]:
    return [OWN, *rt.vae_files()]


def _connect(rt: Runtime, controls: dict[str, Any], merge: gr.Button, refresh: gr.Button, read: gr.Button, result: gr.HTML,
             explained: gr.HTML) -> None:
    names = list(controls)
    parts = [controls[name] for name in PARTS]

    async def run(request: gr.Request, *values: Any) -> str:
        given: dict[str, Any] = {name: "" if value is None else value for name, value in zip(names, values, strict=True)}
        try:
            job = merging.submit(rt, merging.MergeRequest(**given), owner=page_owner(request.request, request.session_hash or ""))
        except UserError as error:
            return paragraphs(str(error), "error")
        await job.wait_async()
        said = [*(job.result or {}).get("notes", ()), *([job.error] if job.error else ())]
        kind = "note" if job.status == "done" else "error"
        return "".join(paragraphs(text, kind) for text in said or ["The merge was stopped; no file was written."])

    def looked_again() -> list[Any]:
        rt.checkpoints.refresh()
        return [*(gr.update(choices=_names(rt)) for _ in PARTS), gr.update(choices=_vae_names(rt))]

    def metadata(*chosen: str | None) -> str:
        try:
            return merging.read_metadata(rt, [name for name in chosen if name])
        except UserError as error:
            gr.Warning(str(error))
            return ""

    refreshed = [*parts, controls["vae"]]
    pressed = merge.click(run, list(controls.values()), result, concurrency_limit=None, trigger_mode="multiple", **PRIVATE)
    pressed.then(looked_again, None, refreshed, **PRIVATE)
    refresh.click(looked_again, None, refreshed, **PRIVATE)
    read.click(metadata, parts, controls["metadata_json"], **PRIVATE)
    controls["method"].change(lambda method: paragraphs(EXPLAINED[method], "note"), controls["method"], explained, **PRIVATE)
