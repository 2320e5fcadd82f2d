"""The PNG Info tab: what a picture file says about how it was made, and buttons that send this on.

The page's script (86_png_info.js) shows the picture from the browser's own memory and puts every text in as text.
"""
from __future__ import annotations

import gradio as gr

from modules.ui.components import hidden_text, made

TAB = "pnginfo"
# Where parameters can go; the last part of the button's id -> what it says. The page's script knows what each does.
DESTINATIONS = {"txt2img": "Send to txt2img", "img2img": "Send to img2img", "inpaint": "Send to inpaint", "extras": "Send to extras"}

# A label is the file chooser's button, so that it opens by click and by key.
DROP_ZONE = """
<div class="drop-zone">
  <input type="file" id="pnginfo_file" accept="image/*" aria-label="Source: choose a picture file">
  <img id="pnginfo_shown" alt="The chosen picture" hidden>
  <label for="pnginfo_file"><strong>Drop a picture here</strong><span>or click to choose one, or paste it</span></label>
</div>
"""
REPORT = """
<div id="pnginfo_report" class="picture-report" aria-live="polite">
  <p class="quiet">What the picture says appears here: the program that made it, its parameters, and every text in the file.</p>
</div>
"""


def png_info_tab() -> None:
    """Build the tab inside the current Blocks context."""
    with gr.Row(elem_id=f"{TAB}_page", elem_classes=["gradio-row", "workbench"]):
        with gr.Column(elem_classes=["gradio-column", "settings-column"]):
            made(gr.HTML, DROP_ZONE, label="Source", show_label=False, elem_id=f"{TAB}_image", elem_classes=["gradio-image"])
            with gr.Row(elem_id=f"{TAB}_send_buttons", elem_classes=["gradio-row", "form-row", "send-row"]):
                for name, title in DESTINATIONS.items():
                    made(gr.Button, title, elem_id=f"{TAB}_send_to_{name}", size="md", min_width=120, interactive=True)
        with gr.Column(elem_id=f"{TAB}_results", elem_classes=["gradio-column", "results"]):
            made(gr.HTML, REPORT, elem_id=f"html_info_{TAB}")
    hidden_text(f"{TAB}_generation_info")
