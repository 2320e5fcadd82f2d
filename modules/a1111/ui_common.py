"""Parts of the page under the names of A1111's `ui_common`."""
import html
import json
import os

import gradio as gr

from modules import errors
from modules.ui_components import ToolButton

folder_symbol, refresh_symbol = "\U0001f4c2", "\U0001f504"


def plaintext_to_html(text: str, classname: str | None = None) -> str:
    """Text as HTML: each character stands for itself, line ends become line breaks."""
    lines = "<br>\n".join(html.escape(line) for line in str(text).split("\n"))
    return f"<p class='{html.escape(classname)}'>{lines}</p>" if classname else f"<p>{lines}</p>"


def create_refresh_button(refresh_component, refresh_method, refreshed_args, elem_id: str) -> gr.Button:
    """A button that calls `refresh_method` and gives one or more components what `refreshed_args` (a mapping, or a function) says."""
    components = refresh_component if isinstance(refresh_component, list) else [refresh_component]

    def refresh():
        refresh_method()
        args = refreshed_args() if callable(refreshed_args) else refreshed_args
        for key, value in args.items():
            for component in components:
                setattr(component, key, [(choice, choice) if isinstance(choice, str) else choice for choice in value]
                        if key == "choices" else value)
        changes = [gr.update(**(args or {})) for _ in components]
        return changes[0] if len(changes) == 1 else changes

    button = ToolButton(value=refresh_symbol, elem_id=elem_id)
    button.click(refresh, [], components, show_progress="hidden")
    return button


def setup_dialog(button_show, dialog, *, button_close=None) -> None:
    """Have a button show a hidden group, and another hide it."""
    dialog.visible = False
    button_show.click(lambda: gr.update(visible=True), None, dialog, show_progress="hidden")
    if button_close:
        button_close.click(lambda: gr.update(visible=False), None, dialog, show_progress="hidden")


def update_generation_info(generation_info: str, html_info: str, img_index: int):
    """The infotext of picture `img_index` as HTML, and the information as it was."""
    try:
        infotexts = json.loads(generation_info)["infotexts"]
        if 0 <= img_index < len(infotexts):
            return plaintext_to_html(infotexts[img_index]), gr.update()
    except (ValueError, KeyError, TypeError):
        errors.log.debug("no information about pictures in %r", generation_info)
    return html_info, gr.update()


def save_files(js_data: str, images, do_make_zip: bool, index: int):
    """Keep the chosen picture, or all of them, in the folder for saved ones; a list of files, and a line for the log."""
    from PIL import Image

    from modules import images as saving
    from modules import shared

    data, names = json.loads(js_data), []
    chosen = [images[index]] if index > -1 and not do_make_zip else list(images)
    for number, shown in enumerate(chosen):
        file = shown[0] if isinstance(shown, (list, tuple)) else shown
        path = file.get("name") or file.get("path") if isinstance(file, dict) else file
        infotexts = data.get("infotexts") or [""]
        text = infotexts[min(number if index < 0 else index, len(infotexts) - 1)]
        with Image.open(str(path).split("?")[0]) as picture:
            kept, _ = saving.save_image(picture, shared.opts.outdir_save, "", seed=data.get("seed"), prompt=data.get("prompt"), info=text)
        names.append(kept)
    return gr.update(value=names, visible=True), plaintext_to_html(f"Saved: {os.path.basename(names[0])}" if names else "Nothing to save.")


class OutputPanel:
    """Components of an output panel."""

    def __init__(self, gallery, generation_info, infotext, html_log, button_upscale=None):
        self.gallery, self.generation_info, self.infotext, self.html_log = gallery, generation_info, infotext, html_log
        self.button_upscale = button_upscale

    def __iter__(self):
        return iter((self.gallery, self.generation_info, self.infotext, self.html_log))


def create_output_panel(tabname: str, outdir: str, toprow=None) -> OutputPanel:
    """A gallery with the buttons that send its pictures to other tabs, its infotext and a log line."""
    from modules import infotext_utils

    with gr.Column(elem_id=f"{tabname}_results"):
        with gr.Group(elem_id=f"{tabname}_gallery_container"):
            gallery = gr.Gallery(label="Output", show_label=False, elem_id=f"{tabname}_gallery", columns=4, preview=True, height=480,
                                 object_fit="contain", format="png")
        with gr.Row(elem_id=f"image_buttons_{tabname}"):
            buttons = infotext_utils.create_buttons(["img2img", "inpaint", "extras"])
        infotext = gr.HTML(elem_id=f"html_info_{tabname}")
        html_log = gr.HTML(elem_id=f"html_log_{tabname}")
        generation_info = gr.Textbox(visible="hidden", elem_id=f"generation_info_{tabname}")
        infotext_utils.bind_buttons(buttons, gallery, generation_info)
    return OutputPanel(gallery, generation_info, infotext, html_log)


def list_hypernetworks() -> list[str]:
    """Names of hypernetworks."""
    from modules import shared

    return list(shared.hypernetworks)
