"""The Gallery tab: the frame that the page's scripts (87_gallery.js and those after it) fill when the tab is first opened."""
from __future__ import annotations

import gradio as gr

from modules.ui.components import made

# What stands here is all that a browser without our scripts would see; the rest is made by them, texts of files as text.
FRAME = """
<div id="gallery_page">
  <div id="gallery_tools" role="search"></div>
  <p id="gallery_said" role="status" aria-live="polite"></p>
  <div id="gallery_chosen" hidden></div>
  <div id="gallery_body">
    <div id="gallery_scroll" role="listbox" aria-multiselectable="true" aria-label="Pictures" tabindex="-1">
      <div id="gallery_field"></div>
    </div>
    <aside id="gallery_detail" aria-label="The chosen picture" hidden></aside>
  </div>
</div>
"""


def gallery_tab() -> None:
    """Build the tab inside the current Blocks context."""
    made(gr.HTML, FRAME, elem_id="gallery_frame", apply_default_css=False)
