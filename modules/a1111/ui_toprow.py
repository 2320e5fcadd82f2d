"""Prompts and buttons of a tab of an extension's own, under the name of A1111's `ui_toprow`."""
import gradio as gr

from modules import shared
from modules.ui_components import ToolButton


class Toprow:
    """Prompt boxes, Generate and its neighbours, with the element ids of a generating tab."""

    def __init__(self, is_img2img: bool, is_compact: bool = False, id_part: str | None = None):
        self.is_img2img, self.is_compact = is_img2img, is_compact
        self.id_part = id_part or ("img2img" if is_img2img else "txt2img")
        self.prompt = self.negative_prompt = self.submit = self.interrupt = self.skip = None
        if not is_compact:
            with gr.Row(elem_id=f"{self.id_part}_toprow"):
                self.create_prompts()
                with gr.Column(scale=1, elem_id=f"{self.id_part}_actions_column"):
                    self.create_submit_box()
                    self.create_tools_row()
                    self.create_styles_ui()

    def create_inline_toprow_prompts(self) -> None:
        """The prompts where the rest follows elsewhere."""
        if self.is_compact:
            self.create_prompts()
            with gr.Row():
                self.create_tools_row()
                self.create_styles_ui()

    def create_inline_toprow_image(self) -> None:
        """The buttons beside the output."""
        if self.is_compact:
            self.create_submit_box()

    def create_prompts(self) -> None:
        """Both prompt boxes."""
        with gr.Column(elem_id=f"{self.id_part}_prompt_container", scale=6):
            self.prompt = gr.Textbox(label="Prompt", elem_id=f"{self.id_part}_prompt", show_label=False, lines=3, elem_classes=["prompt"])
            self.negative_prompt = gr.Textbox(label="Negative prompt", elem_id=f"{self.id_part}_neg_prompt", show_label=False, lines=3,
                                              elem_classes=["prompt"])

    def create_submit_box(self) -> None:
        """Interrupt, Skip and Generate."""
        with gr.Row(elem_id=f"{self.id_part}_generate_box"):
            self.interrupt = gr.Button("Interrupt", elem_id=f"{self.id_part}_interrupt")
            self.skip = gr.Button("Skip", elem_id=f"{self.id_part}_skip")
            self.submit = gr.Button("Generate", elem_id=f"{self.id_part}_generate", variant="primary")
        self.interrupt.click(lambda: shared.state.interrupt(), None, None)
        self.skip.click(lambda: shared.state.skip(), None, None)

    def create_tools_row(self) -> None:
        """Small buttons under Generate."""
        with gr.Row(elem_id=f"{self.id_part}_tools"):
            self.paste = ToolButton(value="↙️", elem_id=f"{self.id_part}_paste")
            self.clear_prompt_button = ToolButton(value="\U0001f5d1️", elem_id=f"{self.id_part}_clear_prompt")
            self.apply_styles = ToolButton(value="\U0001f4cb", elem_id=f"{self.id_part}_style_apply")
        self.clear_prompt_button.click(lambda: ("", ""), None, [self.prompt, self.negative_prompt])

    def create_styles_ui(self) -> None:
        """The list of styles."""
        self.ui_styles = gr.Dropdown(label="Styles", elem_id=f"{self.id_part}_styles", multiselect=True, show_label=False,
                                     choices=list(shared.prompt_styles.styles))
