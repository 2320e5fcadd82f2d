"""The row above all tabs: the checkpoint and other settings that apply at once, and the page's own buttons."""
from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules import model_jobs
from modules.errors import UserError
from modules.ui import models
from modules.ui.components import PRIVATE, REFRESH, ToolButton, hidden_button, hidden_text, made
from modules.ui.page_values import PageValues
from modules.ui.settings import apply_one, option_component, options_json

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.ui.generating_tab import GeneratingTab

CHECKPOINT = "sd_model_checkpoint"

# Buttons that browser scripts give their work; signs are decoration, the names are in the attributes.
HEADER_TOOLS = """
<div class="header-tools">
  <button type="button" id="queue_button" class="plain" aria-expanded="false" title="Show the queue">Queue<span class="count"></span>
  </button>
  <button type="button" id="shortcuts_button" class="plain easel-icon icon-keys" title="Keyboard shortcuts (?)"
          aria-label="Keyboard shortcuts">⌨</button>
  <button type="button" id="theme_button" class="plain easel-icon icon-theme" title="Light or dark" aria-label="Light or dark">◐</button>
</div>
"""


@dataclass(frozen=True, kw_only=True)
class Quicksettings:
    """Components of the row, by option."""

    checkpoint: gr.Dropdown
    refresh: gr.Button
    note: gr.HTML
    others: dict[str, gr.components.Component]


def quicksettings(rt: Runtime, page: PageValues) -> Quicksettings:
    """Build the row inside the current Blocks context."""
    others: dict[str, gr.components.Component] = {}
    with gr.Row(elem_id="quicksettings", elem_classes=["gradio-row"]):
        checkpoint = made(gr.Dropdown, choices=models.checkpoint_titles(rt), value=models.chosen_title(rt), elem_id=f"setting_{CHECKPOINT}",
                          label="Stable Diffusion checkpoint", scale=1, min_width=260,
                          # Titles change when a hash becomes known; gradio would refuse those of a page that was loaded before.
                          allow_custom_value=True)
        refresh = ToolButton(REFRESH, elem_id=f"refresh_{CHECKPOINT}", title="Look again for checkpoints")
        for key in getattr(rt.settings, "quicksettings_list", None) or ():
            if key != CHECKPOINT and key in rt.settings.data_labels:
                others[key] = option_component(rt.settings, key, page)
        gr.HTML(HEADER_TOOLS, elem_id="header_tools", min_width=0, apply_default_css=False)
    note = made(gr.HTML, models.models_note(rt), elem_id="models_note")
    gr.HTML('<div id="easel_banners"></div>', elem_id="easel_banners_holder")
    page.follow_choices(checkpoint, lambda: models.checkpoint_titles(rt))
    page.follow(checkpoint, "value", lambda: models.chosen_title(rt))
    page.follow(note, "value", lambda: models.models_note(rt))
    return Quicksettings(checkpoint=checkpoint, refresh=refresh, note=note, others=others)


def connect_quicksettings(rt: Runtime, row: Quicksettings, tabs: Sequence[GeneratingTab], settings_json: gr.Textbox) -> None:
    """Settings of the row apply at once; a new checkpoint proposes its size where the old one's is still set,
    and shows the controls that count for it."""
    sizes = [tab.form.components[name] for tab in tabs for name in ("width", "height")]
    scales = [tab.form.components["image_cfg_scale"] for tab in tabs if "image_cfg_scale" in tab.form.components]

    def choose(title: str, *present: Any) -> list[Any]:
        before = models.native_size(rt)
        try:
            apply_one(rt.settings, CHECKPOINT, title)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            return [gr.update(value=models.chosen_title(rt)), *[gr.skip()] * (len(sizes) + len(scales) + 1)]
        after = models.native_size(rt)
        changes = []
        for size in zip(present[::2], present[1::2], strict=True):
            untouched = size == (before, before) and after != before
            changes += [gr.update(value=after) if untouched else gr.skip()] * 2
        model_jobs.submit(rt, title)
        shown = gr.update(visible=models.shown_for_instructions(rt))
        return [gr.skip(), *changes, *[shown] * len(scales), options_json(rt.settings)]

    def choose_named(name: str, *present: Any) -> list[Any]:
        """The same for a name that a card or a script gives."""
        try:
            title = rt.checkpoints.find(name).title
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            return [gr.skip()] * (len(sizes) + len(scales) + 2)
        _, *changes = choose(title, *present)
        return [gr.update(choices=models.checkpoint_titles(rt), value=models.chosen_title(rt)), *changes]

    def look_again() -> tuple[Any, str]:
        rt.checkpoints.refresh()
        choices = models.checkpoint_titles(rt)
        return gr.update(choices=choices, value=models.chosen_title(rt)), models.models_note(rt)

    changed = [row.checkpoint, *sizes, *scales, settings_json]
    row.checkpoint.input(choose, [row.checkpoint, *sizes], changed, **PRIVATE)
    hidden_button("change_checkpoint").click(choose_named, [hidden_text("checkpoint_to_choose"), *sizes], changed,
                                             js="(name, ...sizes) => [checkpointToChoose(), ...sizes]", **PRIVATE)
    row.refresh.click(look_again, None, [row.checkpoint, row.note], **PRIVATE)
    for key, component in row.others.items():
        def apply(value: Any, key: str = key) -> str:
            try:
                apply_one(rt.settings, key, value)
            except UserError as error:
                gr.Warning(html.escape(str(error)))
            return options_json(rt.settings)
        # Not with every key or pixel.
        event = {gr.Slider: "release", gr.Textbox: "blur", gr.Number: "blur"}.get(type(component), "input")
        getattr(component, event)(apply, component, settings_json, **PRIVATE)
