"""The output panel: gallery, what to do with its pictures, infotext and log line."""
from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from modules.ui.components import (
    COMPARE,
    ENLARGE,
    FOLDER,
    PRIVATE,
    REPLAY,
    SAVE,
    VARIATIONS,
    ZIP,
    ToolButton,
    hidden_button,
    hidden_text,
    made,
)
from modules.ui.sending import send_buttons


@dataclass(frozen=True, kw_only=True)
class Results:
    """Components of the panel. `generation_info` holds JSON for browser scripts: the job's id and one infotext per picture."""

    gallery: gr.Gallery
    generation_info: gr.Textbox
    html_info: gr.HTML
    html_log: gr.HTML
    enlarge: gr.Button | None

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The four outputs of Generate, in the order in which extensions expect them."""
        return [self.gallery, self.generation_info, self.html_info, self.html_log]


def results_panel(tab: str, *, can_open_folders: bool, has_parameters: bool = True) -> Results:
    """Build the panel inside the current Blocks context. has_parameters: pictures of this tab can be made again from their infotext."""
    with gr.Column(elem_id=f"{tab}_results", elem_classes=["gradio-column", "results"]), \
            gr.Column(elem_id=f"{tab}_results_panel", elem_classes=["gradio-column"]):
        with gr.Column(elem_id=f"{tab}_gallery_container", elem_classes=["gradio-group", "gallery-frame"]):
            # Fetched as files that are on disk already, so the saved infotext travels with a downloaded picture.
            gallery = made(gr.Gallery, label="Output", show_label=False, elem_id=f"{tab}_gallery", columns=4, preview=True,
                           object_fit="contain", interactive=False, buttons=[], height=480, format="png")
        with gr.Row(elem_id=f"image_buttons_{tab}", elem_classes=["gradio-row", "image-buttons"]):
            if can_open_folders:
                ToolButton(FOLDER, elem_id=f"{tab}_open_folder", title="Open the output folder")
            ToolButton(SAVE, elem_id=f"save_{tab}", title="Save a copy of the selected picture in the log folder")
            ToolButton(ZIP, elem_id=f"save_zip_{tab}", title="Download all pictures as a zip file")
            enlarge = _enlarge_button(tab) if tab == "txt2img" else None
            if has_parameters:
                ToolButton(REPLAY, elem_id=f"{tab}_replay",
                           title="Replay & verify: make the selected picture again and say whether it comes out the same")
            if has_parameters:
                ToolButton(VARIATIONS, elem_id=f"{tab}_explore", title="Variations: a grid of pictures around the selected one")
            ToolButton(COMPARE, elem_id=f"{tab}_compare", title="Compare the selected picture with another one, or with its input")
            send_buttons(tab)
        html_info = made(gr.HTML, "", elem_id=f"html_info_{tab}", elem_classes=["infotext"])
        html_log = made(gr.HTML, "", elem_id=f"html_log_{tab}", elem_classes=["html-log"])
        generation_info = hidden_text(f"generation_info_{tab}")
        # Pressed by gallery.js when another picture is chosen: its infotext goes through gradio, so that the next output replaces it.
        hidden_button(f"{tab}_generation_info_button").click(
            None, None, html_info, js=f"() => selectedInfotextHtml('{tab}')", **PRIVATE)
    return Results(gallery=gallery, generation_info=generation_info, html_info=html_info, html_log=html_log,
                   enlarge=enlarge)


def _enlarge_button(tab: str) -> gr.Button:
    """For the tab that has the controls of Hires. fix."""
    return ToolButton(ENLARGE, elem_id=f"{tab}_upscale",
                      title="Run hires. fix on the selected picture, with the present settings of Hires. fix")
