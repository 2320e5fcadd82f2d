"""The page: the row above, the tabs, the footer."""
from __future__ import annotations

import html
import json
import os
import platform
from typing import TYPE_CHECKING

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio looks at it when it is imported

import gradio as gr  # noqa: E402

from modules.ui.components import TOOLTIPS  # noqa: E402
from modules.ui.quicksettings import CHECKPOINT, connect_quicksettings, quicksettings  # noqa: E402
from modules.ui.settings import settings_tab  # noqa: E402
from modules.ui.txt2img import txt2img_tab  # noqa: E402
from modules.version import VERSION  # noqa: E402

if TYPE_CHECKING:
    from modules.runtime import Runtime


def build_blocks(rt: Runtime) -> gr.Blocks:
    """The whole page for a running program. Tabs of generation come first: events cost less there."""
    gr.set_static_paths([str(folder) for folder in (rt.folders.outputs, rt.folders.results)])
    with gr.Blocks(title="Easel", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as blocks:
        row = quicksettings(rt)
        with gr.Tabs(elem_id="tabs", elem_classes=["gradio-tabs"]):
            with gr.Tab("txt2img", id="txt2img", elem_id="tab_txt2img"):
                tab = txt2img_tab(rt)
            with gr.Tab("Settings", id="settings", elem_id="tab_settings"):
                settings_json = settings_tab(rt, shown_elsewhere={CHECKPOINT, *row.others})
        gr.HTML(footer(rt), elem_id="footer")
    with blocks:
        connect_quicksettings(rt, row, tab, settings_json)
    return blocks


def footer(rt: Runtime) -> str:
    """Versions, as HTML."""
    import torch
    parts = [f"Easel {VERSION}", f"Python {platform.python_version()}", f"torch {torch.__version__}", f"gradio {gr.__version__}", str(rt.hardware.device)]
    links = [("API", "docs")] if getattr(rt.args, "api", False) else []
    texts = [html.escape(part) for part in parts] + [f'<a href="{href}">{name}</a>' for name, href in links]
    return f'<div class="versions">{" · ".join(texts)}</div>'


def tooltips_script() -> str:
    """The tooltips as a script for the page's head."""
    return "window.easelTooltips = " + json.dumps(TOOLTIPS).replace("<", "\\u003c") + ";"
