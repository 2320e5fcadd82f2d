"""Infotexts and buttons that send them, under the names of A1111's `infotext_utils` and `generation_parameters_copypaste`."""
import base64
import io

import gradio as gr
from PIL import Image

from modules import runtime
from modules.imaging import infotext
from modules.imaging.quoting import quote, unquote
from modules.ui.bindings import (
    ParamBinding,
    PasteField,
    add_paste_fields,
    connect_paste_params_buttons,
    fields_of,
    paste_fields,
    register_paste_params_button,
    registered_param_bindings,
)
from modules.ui.paste import override_mapping


def create_buttons(tabs_list) -> dict[str, gr.Button]:
    """A button for each tab that something can be sent to."""
    return {tab: gr.Button(f"Send to {tab}", elem_id=f"{tab}_tab") for tab in tabs_list}


def bind_buttons(buttons, send_image, send_generate_info) -> None:
    """Have the buttons of `create_buttons` send the picture of one component and the infotext of another, or of a tab by its name."""
    for tabname, button in buttons.items():
        is_tab = isinstance(send_generate_info, str)
        register_paste_params_button(ParamBinding(
            button, tabname, None if is_tab else send_generate_info, send_image, send_generate_info if is_tab else None))


def parse_generation_parameters(x: str, skip_fields: list[str] | None = None) -> dict:
    """The fields of an infotext by their keys, values as text."""
    skipped = runtime.current().settings.infotext_skip_pasting if skip_fields is None else skip_fields
    return infotext.parse(x or "", skip_fields=skipped or ())


def create_override_settings_dict(text_pairs) -> dict:
    """Settings for one job from lines such as "Clip skip: 2"."""
    return override_mapping(runtime.current(), text_pairs or ())


def image_from_url_text(filedata):
    """The picture that a component of the page stands for; None for none."""
    if isinstance(filedata, list):
        filedata = filedata[0] if filedata else None
    if isinstance(filedata, (tuple, list)):
        filedata = filedata[0]
    if isinstance(filedata, dict):
        filedata = filedata.get("name") or filedata.get("path") or (filedata.get("image") or {}).get("path")
    if not filedata or isinstance(filedata, Image.Image):
        return filedata or None
    if filedata.startswith("data:image/"):
        return Image.open(io.BytesIO(base64.b64decode(filedata.partition(",")[2])))
    return Image.open(filedata.rsplit("?", 1)[0])
