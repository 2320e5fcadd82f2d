"""Rows of controls that every generating tab has: sampler, size, batch, guidance, seed, override settings."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules.sampling.registry import SAMPLERS
from modules.sampling.schedules import SCHEDULES
from modules.ui.components import PRIVATE, RANDOM, REUSE, SWAP, ToolButton, made

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.ui.form import Form
    from modules.ui.page_values import PageValues


@dataclass(frozen=True, kw_only=True)
class Switches:
    """Check boxes that say whether the controls behind them count; they are no fields of a request."""

    extra: gr.Checkbox
    refiner: gr.Checkbox

    @property
    def inputs(self) -> list[gr.Checkbox]:
        """Both, in the order in which `applied` takes them."""
        return [self.extra, self.refiner]

    @staticmethod
    def applied(values: dict[str, Any], extra: bool, refiner: bool) -> dict[str, Any]:
        """The values of a form with those behind a switch that is off set to what does nothing."""
        if not extra:
            values = values | {"subseed": -1, "subseed_strength": 0, "variations": "", "seed_resize_from_w": 0, "seed_resize_from_h": 0}
        return values if refiner else values | {"refiner_checkpoint": ""}


def in_users_order(rt: Runtime, blocks: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Build the blocks in the order of the setting, those that it does not name behind; what each of them returned."""
    chosen = [name for name in rt.settings.ui_reorder_list if name in blocks]
    return {name: blocks[name]() for name in dict.fromkeys([*chosen, *blocks])}


def sampler_controls(rt: Runtime, form: Form) -> None:
    """Sampling method, schedule type, steps."""
    shown = [sampler.name for sampler in SAMPLERS if sampler.name not in rt.settings.hide_samplers]
    schedules = ["Automatic", *(schedule.label for schedule in SCHEDULES if schedule.label != "Automatic")]
    columns = "three" if rt.settings.samplers_in_dropdown else "radios"
    with gr.Row(elem_id=f"sampler_selection_{form.tab}", elem_classes=["gradio-row", "form-row", columns]):
        if rt.settings.samplers_in_dropdown:
            form.dropdown("sampler_name", shown, min_width=120)
        else:
            form.radio("sampler_name", shown)
        form.dropdown("scheduler", schedules, min_width=120)
        form.slider("steps", min_width=160)


def size_sliders(form: Form) -> None:
    """Width and height."""
    with gr.Column(elem_id=f"{form.tab}_column_size", scale=4, min_width=200, elem_classes=["gradio-column", "size-column"]):
        form.slider("width")
        form.slider("height")


def batch_sliders(form: Form) -> None:
    """Batch count and batch size."""
    with gr.Column(elem_id=f"{form.tab}_column_batch", scale=4, min_width=200, elem_classes=["gradio-column", "batch-column"]):
        form.slider("n_iter")
        form.slider("batch_size")


def swap_button(form: Form) -> None:
    """The button that swaps width and height, which must exist."""
    swap = ToolButton(SWAP, elem_id=f"{form.tab}_res_switch_btn", title="Swap width and height")
    size = [form.components["width"], form.components["height"]]
    swap.click(None, size, size, js="(width, height) => [height, width]", **PRIVATE)


def checkboxes(rt: Runtime, form: Form, page: PageValues) -> None:
    """Switches of their own; in a new page they are as the settings say."""
    with gr.Row(elem_id=f"{form.tab}_checkboxes", elem_classes=["gradio-row", "form-row", "switches"]):
        faces = form.checkbox("restore_faces", value=bool(rt.settings.face_restoration), min_width=120, container=False)
    page.follow(faces, "value", lambda: bool(rt.settings.face_restoration))


def override_control(form: Form) -> None:
    """Seen while it holds something (style sheet)."""
    with gr.Row(elem_id=f"{form.tab}_override_settings_row", elem_classes=["gradio-row", "form-row", "override-settings"]):
        form.dropdown("override_settings", (), multiselect=True, allow_custom_value=True, elem_classes=["multiselect"])


def seed_controls(form: Form) -> gr.Checkbox:
    """Seed and what belongs to it; returns the switch of the variation seed and seed resizing."""
    tab = form.tab
    with gr.Row(elem_id=f"{tab}_seed_row", elem_classes=["gradio-row", "form-row", "seed-row"]):
        seed = form.number("seed", min_width=120)
        _seed_buttons(tab, "seed", "seeds", seed, "Set the seed to -1: a new one for every job", "Take the seed of the selected picture")
        extra = made(gr.Checkbox, False, label="Extra", elem_id=f"{tab}_subseed_show", min_width=80, scale=0, container=False,
                     elem_classes=["seed-switch"])
    # Shown by the style sheet while Extra is on: always in the page, so that scripts find it.
    with gr.Column(elem_id=f"{tab}_seed_extras", elem_classes=["gradio-group", "seed-extras"]):
        with gr.Row(elem_id=f"{tab}_subseed_row", elem_classes=["gradio-row", "form-row", "seed-row"]):
            subseed = form.number("subseed", min_width=120)
            _seed_buttons(tab, "subseed", "subseeds", subseed, "Set the variation seed to -1",
                          "Take the variation seed of the selected picture")
            form.slider("subseed_strength", min_width=160)
        with gr.Row(elem_id=f"{tab}_seed_resize_from_row", elem_classes=["gradio-row", "form-row"]):
            form.slider("seed_resize_from_w")
            form.slider("seed_resize_from_h")
        form.textbox("variations", placeholder="seed:strength, seed:strength", info="further variations, one after the other", max_lines=1)
    return extra


def _seed_buttons(tab: str, name: str, kind: str, box: gr.Number, random_title: str, reuse_title: str) -> None:
    random = ToolButton(RANDOM, elem_id=f"{tab}_random_{name}", title=random_title)
    reuse = ToolButton(REUSE, elem_id=f"{tab}_reuse_{name}", title=reuse_title)
    random.click(None, None, box, js="() => -1", **PRIVATE)
    reuse.click(None, box, box, js=f"present => seedOfSelected('{tab}', '{kind}', present)", **PRIVATE)
