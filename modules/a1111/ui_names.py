"""What extensions import from `modules.ui`."""
import gradio as gr

from modules import infotext_utils
from modules._live import live
from modules.call_queue import wrap_gradio_call, wrap_gradio_gpu_call
from modules.ui_common import create_output_panel, create_refresh_button, plaintext_to_html, save_files, update_generation_info
from modules.ui_components import FormHTML, FormRow, ToolButton

random_symbol, reuse_symbol, refresh_symbol, save_style_symbol = "\U0001f3b2️", "♻️", "\U0001f504", "\U0001f4be"
paste_symbol, folder_symbol, apply_style_symbol, clear_prompt_symbol = "↙️", "\U0001f4c2", "\U0001f4cb", "\U0001f5d1️"
extra_networks_symbol, switch_values_symbol, restore_progress_symbol = "\U0001f3b4", "⇅", "\U0001f300"
detect_image_size_symbol, info_symbol, up_down_symbol = "\U0001f4d0", "ℹ️", "\u2195\ufe0f"


def gr_show(visible: bool = True) -> dict:
    """A change of whether a component is seen."""
    return gr.update(visible=visible)


def versions_html() -> str:
    """The line at the foot of the page."""
    from modules import runtime
    from modules.ui.app import footer

    return footer(runtime.current())


def create_sampler_and_steps_selection(choices, tabname: str):
    """A list of samplers and a slider of steps, with the names of a tab's own."""
    steps = gr.Slider(minimum=1, maximum=150, step=1, elem_id=f"{tabname}_steps", label="Sampling steps", value=20)
    sampler = gr.Dropdown(label="Sampling method", elem_id=f"{tabname}_sampling", choices=list(choices), value=next(iter(choices), None))
    return steps, sampler


live(__name__, computed={
    "txt2img_paste_fields": lambda: infotext_utils.fields_of("txt2img"),
    "img2img_paste_fields": lambda: infotext_utils.fields_of("img2img"),
})
