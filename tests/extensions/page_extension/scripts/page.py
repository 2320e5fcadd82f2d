"""Builds controls in the ways of gradio 3, a tab, a setting and a route. Browser scripts of this extension look for them."""
import gradio as gr

from modules import generation_parameters_copypaste as sending
from modules import script_callbacks, scripts, shared
from modules.ui_components import FormRow, InputAccordion, ToolButton

TOLD = []


class Page(scripts.Script):
    def title(self):
        return "Page of a test"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with InputAccordion(False, label="With a switch", elem_id=self.elem_id("switch")) as switch:
            with FormRow():
                word = gr.Textbox("", label="Word", elem_id=self.elem_id("word"))
                hidden = gr.Textbox("secret", visible=False, elem_id=self.elem_id("hidden"))
            copy = ToolButton(value="c", elem_id=self.elem_id("copy"), tooltip="x")
            copied = gr.Textbox(label="Copied", elem_id=self.elem_id("copied"))
        copy.click(fn=lambda text: gr.Textbox.update(value=text.upper()), _js="(text) => text + '!'", inputs=[word], outputs=[copied])
        return [switch, word, hidden]

    def after_component(self, component, **kwargs):
        if kwargs.get("elem_id") == "txt2img_sampling":
            gr.HTML("<b>here</b>", elem_id="after_sampling")


def tab():
    with gr.Blocks(css=".page-of-a-test { outline: 1px solid }", analytics_enabled=False) as blocks:
        with gr.Tabs(elem_id="inner_tabs"):
            gr.State("before all tabs")
            gr.Textbox("unseen", visible=False, elem_id="before_tabs")
            with gr.Tab("First", elem_id="inner_first"):
                number = gr.Slider(0, 9, value=3, step=1, label="Number", elem_id="tab_number")
                gr.DataFrame([["Seed", "12"]], headers=["Key", "Value"], interactive=False, elem_id="tab_table")
            gr.HTML("<b>below</b>", elem_id="between_tabs")
            with gr.Tab("Second", elem_id="inner_second"):
                with gr.Accordion("Closed", open=False, elem_id="inner_closed"):
                    told = gr.Textbox(label="Told", elem_id="tab_told")
        number.change(fn=lambda value: f"it is {value}", inputs=number, outputs=told)
        picture, text = gr.Image(type="pil", visible=False), gr.Textbox(elem_id="tab_infotext")
        button = gr.Button("Send", elem_id="tab_send")
        sending.register_paste_params_button(sending.ParamBinding(button, "txt2img", text, picture))
    return [(blocks, "Tab of a test", "of_a_test")]


def settings():
    shared.opts.add_option("page_of_a_test", shared.OptionInfo(
        0.5, "A number", lambda **keywords: gr.Slider(minimum=0, maximum=1, tooltip="x", **keywords),
        section=("page_test", "Page of a test")))


def started(blocks, app):
    app.add_api_route("/page-of-a-test", lambda: {"told": TOLD, "flag": shared.cmd_opts.page_of_a_test}, methods=["GET"])


script_callbacks.on_ui_tabs(tab)
script_callbacks.on_ui_settings(settings)
script_callbacks.on_app_started(started)
script_callbacks.on_after_component(lambda component, **kwargs: TOLD.append(kwargs.get("elem_id")) if kwargs.get("elem_id") else None)
