"""Hires. fix and Refiner: the controls of what happens after, or in the middle of, the first pass."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import gradio as gr

from modules.generation.hires import LATENT_UPSCALERS
from modules.generation.text_to_image import SAME_CHECKPOINT, SAME_SAMPLER, SAME_SCHEDULE
from modules.sampling.registry import SAMPLERS
from modules.sampling.schedules import SCHEDULES
from modules.ui.components import made
from modules.ui.models import checkpoint_titles

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.ui.form import Form

NO_CHECKPOINT = ""


def hires_part(rt: Runtime, form: Form) -> None:
    """Build Hires. fix inside the current Blocks context."""
    with switched_part(f"{form.tab}_hr"):
        with gr.Row(elem_classes=["gradio-row", "form-row", "part-head"]):
            form.checkbox("enable_hr", container=False, min_width=120, scale=0)
            gr.HTML("", elem_id=f"{form.tab}_hr_finalres", elem_classes=["final-size"])
        with gr.Column(elem_classes=["part-body"]):
            _hires_controls(rt, form)


def refiner_part(rt: Runtime, form: Form) -> gr.Checkbox:
    """Build Refiner inside the current Blocks context; returns its switch, which is no field of a request."""
    with switched_part(f"{form.tab}_enable"):
        with gr.Row(elem_classes=["gradio-row", "form-row", "part-head"]):
            refiner = made(gr.Checkbox, False, label="Refiner", elem_id=f"{form.tab}_enable-checkbox", container=False, min_width=120)
        with gr.Row(elem_classes=["gradio-row", "form-row", "part-body"]):
            form.dropdown("refiner_checkpoint", [NO_CHECKPOINT, *checkpoint_titles(rt)], allow_custom_value=True, min_width=160)
            form.slider("refiner_switch_at", min_width=160)
    return refiner


@contextmanager
def switched_part(elem_id: str) -> Iterator[None]:
    """A box whose body is seen while the check box in its head is on (style sheet), and is always in the page."""
    with gr.Column(elem_id=elem_id, elem_classes=["gradio-group", "input-accordion"]):
        yield


def hires_upscalers(rt: Runtime) -> list[str]:
    """What the list of upscalers of Hires. fix offers: those of the latent, then those of pictures."""
    return [*LATENT_UPSCALERS, *rt.upscalers.names()]


def _hires_controls(rt: Runtime, form: Form) -> None:
    with gr.Row(elem_classes=["gradio-row", "form-row", "three"]):
        form.dropdown("hr_upscaler", hires_upscalers(rt), allow_custom_value=True, min_width=140)
        form.slider("hr_second_pass_steps", min_width=140)
        form.slider("denoising_strength", min_width=140)
    with gr.Row(elem_classes=["gradio-row", "form-row", "three"]):
        form.slider("hr_scale", min_width=140)
        form.slider("hr_resize_x", min_width=140)
        form.slider("hr_resize_y", min_width=140)
    with gr.Row(elem_classes=["gradio-row", "form-row", "three"], visible=bool(rt.settings.hires_fix_show_sampler)):
        form.dropdown("hr_checkpoint_name", [SAME_CHECKPOINT, *checkpoint_titles(rt)], allow_custom_value=True, min_width=140)
        form.dropdown("hr_sampler_name", [SAME_SAMPLER, *(sampler.name for sampler in SAMPLERS)], min_width=140)
        form.dropdown("hr_scheduler", [SAME_SCHEDULE, *(schedule.label for schedule in SCHEDULES)], min_width=140)
        form.number("hr_cfg", placeholder="as above", min_width=140)
    with gr.Column(visible=bool(rt.settings.hires_fix_show_prompts)):
        form.textbox("hr_prompt", lines=2, placeholder="Empty: as above", elem_classes=["prompt"])
        form.textbox("hr_negative_prompt", lines=2, placeholder="Empty: as above", elem_classes=["prompt"])
