"""Buttons that send a picture and its parameters to another tab."""
from __future__ import annotations

from modules.ui.components import SEND_PICTURE, SEND_TEXT, SEND_TO_EXTRAS, SEND_TO_INPAINT, ToolButton


def send_buttons(tab: str) -> None:
    """Where the selected picture and its parameters can go (58_send.js)."""
    if tab != "txt2img":
        ToolButton(SEND_TEXT, elem_id=f"{tab}_send_to_txt2img", title="Send the parameters of the selected picture to txt2img")
    ToolButton(SEND_PICTURE, elem_id=f"{tab}_send_to_img2img", title="Send the selected picture and its parameters to img2img")
    ToolButton(SEND_TO_INPAINT, elem_id=f"{tab}_send_to_inpaint", title="Send the selected picture and its parameters to inpaint")
    ToolButton(SEND_TO_EXTRAS, elem_id=f"{tab}_send_to_extras", title="Send the selected picture to Extras, to enlarge or restore it")
