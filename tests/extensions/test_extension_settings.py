"""Settings that extensions register, with controls of their own."""
import gradio as gr

from modules.settings.option import OptionInfo
from modules.ui.page_values import PageValues
from modules.ui.settings import option_component


def made(rt, info):
    rt.settings.add_option("of_a_test", info)
    with gr.Blocks(analytics_enabled=False):
        return option_component(rt.settings, "of_a_test", PageValues())


def test_a_function_makes_the_control_in_old_ways(rt):
    control = made(rt, OptionInfo(0.5, "A number", lambda **keywords: gr.Slider(tooltip="x", **keywords), {"minimum": 0, "maximum": 2}))
    assert isinstance(control, gr.Slider) and control.maximum == 2 and control.elem_id == "setting_of_a_test" and control.value == 0.5


def test_a_class_with_any_arguments_gets_all_of_them(rt):
    from modules.ui_components import DropdownMulti

    control = made(rt, OptionInfo(["a"], "Some", DropdownMulti, lambda: {"choices": ["a", "b"]}))
    assert [value for _, value in control.choices] == ["a", "b"] and control.multiselect


def test_a_function_that_fails_leaves_a_text_box(rt):
    assert isinstance(made(rt, OptionInfo("x", "A text", lambda **_: 1 / 0)), gr.Textbox)
