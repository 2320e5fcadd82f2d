"""The Extensions tab: the frame that the page's script (85_extensions.js) fills when the tab is first opened."""
from __future__ import annotations

import gradio as gr

from modules.ui.components import made

FRAME = '<div id="extensions_page"></div>'


def extensions_tab() -> None:
    """Build the tab inside the current Blocks context."""
    made(gr.HTML, FRAME, elem_id="extensions_frame", apply_default_css=False)
