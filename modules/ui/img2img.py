"""The img2img tab: pictures, sketches and masks that a job begins with, and the controls that count for them."""
from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import img2img, scripts
from modules.generation import folder_batch
from modules.generation.fields import IMG2IMG_FIELDS
from modules.ui import controls
from modules.ui.components import PICTURE_SIZE, PRIVATE, TOOLTIPS, ToolButton, made
from modules.ui.further_passes import refiner_part
from modules.ui.generating_tab import GeneratingTab, generating_tab
from modules.ui.img2img_modes import IS_BATCH, MASK_TRANSPARENCY, MODES, Mode, with_pictures
from modules.ui.mask_canvas import canvas
from modules.ui.models import shown_for_instructions
from modules.ui.page_values import PageValues
from modules.ui.tab_kind import Blocks, TabKind

if TYPE_CHECKING:
    from modules.jobs.job import Job
    from modules.runtime import Runtime
    from modules.ui.form import Form

TAB = img2img.KIND


def img2img_tab(rt: Runtime, page: PageValues) -> GeneratingTab:
    """Build the tab inside the current Blocks context."""
    assert scripts.scripts_img2img is not None, "modules.engine.start makes it"

    def blocks(form: Form) -> Blocks:
        return {
            "image": lambda: _picture_controls(form), "inpaint": lambda: _mask_controls(form),
            "sampler": lambda: controls.sampler_controls(rt, form), "accordions": lambda: refiner_part(rt, form),
            "checkboxes": lambda: controls.checkboxes(rt, form, page),
            "dimensions": lambda: _size_controls(form), "cfg": lambda: _cfg_controls(rt, form, page),
            "denoising": lambda: _strength_control(form), "seed": lambda: controls.seed_controls(form),
            "override_settings": lambda: controls.override_control(form)}

    return generating_tab(rt, page, TabKind(
        name=TAB, fields=(*IMG2IMG_FIELDS, MASK_TRANSPARENCY, *folder_batch.FIELDS), submit=submit, runner=scripts.scripts_img2img,
        blocks=blocks, press_script="submit_img2img", takes_pictures=True, completed=partial(with_pictures, rt)))


def submit(rt: Runtime, values: dict[str, Any], **job: Any) -> Job:
    """Queue what the form says: one picture, or a batch of files."""
    return (folder_batch if values.get(IS_BATCH) else img2img).submit(rt, values, **job)


def _picture_controls(form: Form) -> None:
    """The sub-tabs with a canvas each, and the resize mode."""
    with gr.Tabs(elem_id="mode_img2img", elem_classes=["gradio-tabs", "picture-modes"]):
        for mode in MODES:
            with gr.Tab(mode.label, id=mode.name, elem_id=mode.tab):
                if mode.canvas:
                    canvas(mode.canvas, mode.kind)
                else:
                    _batch_controls(form)
                if mode.mask_canvas:
                    made(gr.HTML, '<p class="canvas-title">Mask: white is made anew, black stays</p>')
                    canvas(mode.mask_canvas, "view")
                if mode.takes_copies:
                    _copy_buttons(mode)
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        form.radio("resize_mode", elem_id="resize_mode")


def _batch_controls(form: Form) -> None:
    """Where the pictures of a batch come from and go to."""
    made(gr.HTML, '<p class="quiet">Every picture becomes one with these settings and the same name. Upload files, or name a folder on the '
                  "machine that Easel runs on.</p>", elem_classes=["batch-note"])
    form.files("files", label="Pictures", file_types=["image"], elem_id="img2img_batch_upload", height=140)
    form.textbox("input_dir", placeholder="Used when no pictures are uploaded")
    form.textbox("output_dir", placeholder="Empty: the usual folder")
    form.textbox("mask_dir", label="Inpaint batch mask directory (required for inpaint batch processing only)",
                 elem_id="img2img_batch_inpaint_mask_dir", placeholder="One mask for all, or one of the same name for each")
    form.checkbox("skip_done", label="Skip pictures that have a result in the output directory")
    with gr.Accordion("PNG info", open=False, elem_classes=["gradio-accordion"]):
        form.checkbox("use_png_info")
        form.textbox("png_info_dir", placeholder="Empty: parameters inside the pictures themselves")
        form.checkboxes("png_info_props", folder_batch.PNG_INFO_PROPS, label="Parameters to take from png info")


def _copy_buttons(mode: Mode) -> None:
    """Buttons of browser scripts (56_img2img.js): the picture of this canvas goes to another one."""
    with gr.Row(elem_id=f"img2img_copy_to_{mode.identifier}", elem_classes=["gradio-row", "copy-row"]):
        made(gr.HTML, "Copy image to", elem_id=f"img2img_label_copy_to_{mode.identifier}", elem_classes=["copy-label"])
        for other in MODES:
            if other.takes_copies and other is not mode:
                elem_id = f"img2img_copy_{mode.identifier}_to_{other.identifier}"
                made(gr.Button, other.name, elem_id=elem_id, size="sm", min_width=60)
                TOOLTIPS[elem_id] = f"Put this picture, as it is now, into the {other.label} canvas"


def _mask_controls(form: Form) -> None:
    """What is done inside and outside of a mask; the style sheet shows it on the sub-tabs that have one."""
    with gr.Column(elem_id="inpaint_controls", elem_classes=["gradio-group", "inpaint-controls"]):
        with gr.Row(elem_classes=["gradio-row", "form-row"]):
            form.slider("mask_blur", min_width=160)
            form.slider("mask_alpha", min_width=160)
        with gr.Row(elem_classes=["gradio-row", "form-row"]):
            form.radio("inpainting_mask_invert", min_width=160)
            form.radio("inpaint_full_res", min_width=160)
        form.radio("inpainting_fill")
        form.slider("inpaint_full_res_padding")


def _size_controls(form: Form) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row", "sizes"]):
        with gr.Column(scale=4, min_width=240, elem_classes=["gradio-column", "resize-column"]), \
                gr.Tabs(elem_id="img2img_resize_tabs", elem_classes=["gradio-tabs", "resize-tabs"]):
            with gr.Tab("Resize to", id="to", elem_id="img2img_tab_resize_to"), \
                    gr.Row(elem_classes=["gradio-row", "form-row", "sizes"]):
                controls.size_sliders(form)
                with gr.Column(elem_id=f"{form.tab}_dimensions_row", scale=0, min_width=40, elem_classes=["dimensions-tools"]):
                    controls.swap_button(form)
                    _picture_size_button(form)
            with gr.Tab("Resize by", id="by", elem_id="img2img_tab_resize_by"):
                form.slider("scale_by")
                gr.HTML("", elem_id="img2img_scale_resolution_preview", elem_classes=["said-beside"])
        controls.batch_sliders(form)


def _picture_size_button(form: Form) -> None:
    button = ToolButton(PICTURE_SIZE, elem_id="img2img_detect_image_size_btn", title="Take width and height from the picture")
    size = [form.components["width"], form.components["height"]]
    button.click(None, size, size, js="pictureSizeOr", **PRIVATE)


def _cfg_controls(rt: Runtime, form: Form, page: PageValues) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        form.slider("cfg_scale")
        picture_scale = form.slider("image_cfg_scale", visible=shown_for_instructions(rt))
    page.follow(picture_scale, "visible", lambda: shown_for_instructions(rt))


def _strength_control(form: Form) -> None:
    with gr.Column(elem_classes=["gradio-column", "strength"]):
        form.slider("denoising_strength")
        gr.HTML("", elem_id="img2img_steps_run", elem_classes=["said-beside"])
