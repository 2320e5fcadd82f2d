"""The txt2img tab."""
from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from modules import scripts, txt2img
from modules.generation.fields import TXT2IMG_FIELDS
from modules.ui import controls
from modules.ui.further_passes import hires_part, hires_upscalers, refiner_part
from modules.ui.generating_tab import GeneratingTab, generating_tab
from modules.ui.page_values import PageValues
from modules.ui.tab_kind import Blocks, TabKind

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.ui.form import Form


def txt2img_tab(rt: Runtime, page: PageValues) -> GeneratingTab:
    """Build the tab inside the current Blocks context."""
    assert scripts.scripts_txt2img is not None, "modules.engine.start makes it"

    def blocks(form: Form) -> Blocks:
        return {
            "sampler": lambda: controls.sampler_controls(rt, form), "accordions": lambda: _further_passes(rt, form),
            "checkboxes": lambda: controls.checkboxes(rt, form, page), "dimensions": lambda: _size_controls(form),
            "cfg": lambda: _cfg_control(form),
            "seed": lambda: controls.seed_controls(form), "override_settings": lambda: controls.override_control(form)}

    tab = generating_tab(rt, page, TabKind(name=txt2img.KIND, fields=TXT2IMG_FIELDS, submit=txt2img.submit,
                                           runner=scripts.scripts_txt2img, blocks=blocks))
    page.follow_choices(tab.form.components["hr_upscaler"], lambda: hires_upscalers(rt))
    return tab


def _further_passes(rt: Runtime, form: Form) -> gr.Checkbox:
    hires_part(rt, form)
    return refiner_part(rt, form)


def _size_controls(form: Form) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row", "sizes"]):
        controls.size_sliders(form)
        with gr.Column(elem_id=f"{form.tab}_dimensions_row", scale=0, min_width=40, elem_classes=["dimensions-tools"]):
            controls.swap_button(form)
        controls.batch_sliders(form)


def _cfg_control(form: Form) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row"]):
        form.slider("cfg_scale")
