"""The PNG Info tab as it is built, and what it leans on in the page's scripts."""
import re
from pathlib import Path

import gradio as gr
import pytest

from modules.ui.png_info import DESTINATIONS, png_info_tab

SCRIPT = (Path(__file__).resolve().parents[2] / "modules" / "ui" / "web" / "js" / "86_png_info.js").read_text("utf-8")


@pytest.fixture(scope="module")
def by_id():
    with gr.Blocks(analytics_enabled=False) as blocks:
        png_info_tab()
    return {block.elem_id: block for block in blocks.blocks.values() if getattr(block, "elem_id", None)}


def test_elements_have_the_ids_by_which_scripts_find_them(by_id):
    assert {"pnginfo_image", "html_info_pnginfo", "pnginfo_generation_info"} <= set(by_id)
    assert by_id["pnginfo_generation_info"].visible == "hidden" and by_id["pnginfo_generation_info"].value == ""


def test_every_button_has_something_that_it_does(by_id):
    table = SCRIPT[SCRIPT.index("PICTURE_DESTINATIONS = {"):]
    for name, title in DESTINATIONS.items():
        assert by_id[f"pnginfo_send_to_{name}"].value == title and re.search(rf"\b{name}: \(picture\)", table)


def test_texts_of_files_are_never_made_into_html():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", SCRIPT)
