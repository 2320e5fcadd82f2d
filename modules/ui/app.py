"""The page: the row above, the tabs, the footer."""
from __future__ import annotations

import html
import json
import os
import platform
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio looks at it when it is imported

import gradio as gr
import torch

from modules.ui import bindings, extension_files
from modules.ui.component_events import told_to_listeners
from modules.ui.components import TOOLTIPS, hidden_text
from modules.ui.extension_tabs import extension_tabs
from modules.ui.extensions import extensions_tab
from modules.ui.extras import extras_tab
from modules.ui.gallery import gallery_tab
from modules.ui.img2img import img2img_tab
from modules.ui.img2img_modes import modes_for_page
from modules.ui.merger import merger_tab
from modules.ui.page_values import PageValues
from modules.ui.png_info import png_info_tab
from modules.ui.quicksettings import CHECKPOINT, connect_quicksettings, quicksettings
from modules.ui.settings import options_json, settings_tab
from modules.ui.txt2img import txt2img_tab
from modules.version import VERSION

if TYPE_CHECKING:
    from modules.runtime import Runtime

SETTINGS = "settings"


def build_blocks(rt: Runtime) -> tuple[gr.Blocks, PageValues]:
    """The whole page for a running program, and what keeps it up to date. Tabs of generation come first: events cost less there."""
    gr.set_static_paths([str(folder) for folder in (rt.folders.outputs, rt.folders.results)])
    page = PageValues()
    bindings.forget()
    with told_to_listeners(), \
            gr.Blocks(title="Easel", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as blocks:
        settings_json = hidden_text("settings_json", options_json(rt.settings))
        page.follow(settings_json, "value", lambda: options_json(rt.settings))
        row = quicksettings(rt, page)
        with gr.Tabs(elem_id="tabs", elem_classes=["gradio-tabs"]) as tabs:
            with gr.Tab("txt2img", id="txt2img", elem_id="tab_txt2img"):
                txt2img = txt2img_tab(rt, page)
            with gr.Tab("img2img", id="img2img", elem_id="tab_img2img"):
                img2img = img2img_tab(rt, page)
            with gr.Tab("Gallery", id="gallery", elem_id="tab_gallery"):
                gallery_tab()
            with gr.Tab("Extras", id="extras", elem_id="tab_extras"):
                extras_tab(rt, page)
            with gr.Tab("PNG Info", id="pnginfo", elem_id="tab_pnginfo"):
                png_info_tab()
            with gr.Tab("Checkpoint Merger", id="modelmerger", elem_id="tab_modelmerger"):
                merger_tab(rt, page)
            extension_tabs(rt)
            with gr.Tab("Settings", id=SETTINGS, elem_id="tab_settings"):
                settings_tab(rt, settings_json, page, shown_elsewhere={CHECKPOINT, *row.others})
            with gr.Tab("Extensions", id="extensions", elem_id="tab_extensions"):
                extensions_tab()
        arrange(tabs, rt.settings.ui_tab_order, rt.settings.hidden_tabs)
        gr.HTML(footer(rt), elem_id="footer")
        bindings.connect_paste_params_buttons()
        connect_quicksettings(rt, row, [txt2img, img2img], settings_json)
        for event in blocks.fns.values():  # also those of scripts: our API is another one
            event.api_visibility = "private"
    return blocks, page


def arrange(tabs: gr.Tabs, order: Sequence[str], hidden: Collection[str]) -> None:
    """Put the tabs with these titles first, in this order, and hide others; Settings stays, where this can be changed."""
    places = {title: place for place, title in enumerate(order)}
    tabs.children.sort(key=lambda tab: places.get(tab.label, len(places)))  # type: ignore[attr-defined]
    for tab in tabs.children:
        if tab.label in hidden and tab.id != SETTINGS:  # type: ignore[attr-defined]
            tab.visible = False  # type: ignore[attr-defined]


def footer(rt: Runtime) -> str:
    """Versions, as HTML."""
    parts = [f"Easel {VERSION}", f"Python {platform.python_version()}", f"torch {torch.__version__}", f"gradio {gr.__version__}",
             str(rt.hardware.device)]
    links = [("API", "docs")] if getattr(rt.args, "api", False) else []
    texts = [html.escape(part) for part in parts] + [f'<a href="{href}">{name}</a>' for name, href in links]
    check = '<button type="button" id="self_check_button" class="plain">Self-check</button>'
    return f'<div class="versions">{" · ".join([*texts, check])}</div>'


def page_script(rt: Runtime) -> str:
    """What the page's scripts need to know at once, as a script for the page's head."""
    known = {"tooltips": TOOLTIPS, "theme": rt.args.theme or "", "modes": modes_for_page(), "wholePage": extension_files.has_scripts(rt)}
    return "window.easelPage = " + json.dumps(known).replace("<", "\\u003c") + ";"
