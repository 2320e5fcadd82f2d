"""The place in a form that names the files which a part of the program lacks; the page's script fills it (83_needed_files.js)."""
from __future__ import annotations

import html

import gradio as gr


def needed_files(*uses: str) -> gr.HTML:
    """Build it inside the current Blocks context. `uses`: what needs the files, as in the table of known files."""
    return gr.HTML(f'<div class="needed-files" data-uses="{html.escape(",".join(uses))}" aria-live="polite"></div>', padding=False,
                   apply_default_css=False)
