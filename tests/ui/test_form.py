"""The form of a tab: fields as components, values by name, the user's own defaults."""
import json

import gradio as gr
import pytest

from modules.generation.fields import TXT2IMG_FIELDS
from modules.ui.form import Form, saved_defaults


def form(**properties):
    return Form(tab="txt2img", fields=TXT2IMG_FIELDS, **properties)


def test_a_slider_has_label_id_limits_and_default_of_its_field():
    with gr.Blocks():
        steps = form().slider("steps")
    assert (steps.label, steps.elem_id, steps.value) == ("Sampling steps", "txt2img_steps", 20)
    assert (steps.minimum, steps.maximum, steps.step) == (1, 150, 1)
    assert steps.interactive and "gradio-slider" in steps.elem_classes


def test_values_come_back_by_name_whatever_the_order_of_the_controls():
    tab = form()
    with gr.Blocks():
        tab.slider("width")
        tab.textbox("prompt")
    assert tab.values([640, "a fox"]) == {"width": 640, "prompt": "a fox"}


def test_updates_leave_unnamed_controls_alone():
    tab = form()
    with gr.Blocks():
        tab.slider("width")
        tab.slider("height")
    width, height = tab.updates({"height": 256})
    assert width == gr.skip() and height["value"] == 256


@pytest.mark.parametrize("saved, expected", [
    ({"txt2img/Sampling steps/value": 33}, 33),
    ({"txt2img/Sampling steps/value": "many"}, 20),
    ({"img2img/Sampling steps/value": 33}, 20),
])
def test_saved_defaults_win_when_their_type_fits(saved, expected):
    assert form(saved=saved).default("steps") == expected


def test_saved_limits_are_respected():
    with gr.Blocks():
        steps = form(saved={"txt2img/Sampling steps/maximum": 300}).slider("steps")
    assert steps.maximum == 300


def test_the_size_proposed_for_the_model_gives_way_to_a_saved_one():
    assert form(proposed={"width": lambda: 128}).default("width") == 128
    assert form(proposed={"width": lambda: 128}, saved={"txt2img/Width/value": 768}).default("width") == 768


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe"])
def test_a_damaged_file_of_defaults_counts_as_empty(tmp_path, content):
    file = tmp_path / "ui-config.json"
    file.write_bytes(content)
    assert saved_defaults(file) == {}


def test_defaults_are_read_with_and_without_a_byte_order_mark(tmp_path):
    file = tmp_path / "ui-config.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps({"txt2img/CFG Scale/value": 5}).encode())
    assert saved_defaults(file) == {"txt2img/CFG Scale/value": 5}
    assert saved_defaults(tmp_path / "none.json") == {}
