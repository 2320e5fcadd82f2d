"""Ways of gradio 3 and 4 for the code of extensions: one test for each, and that nobody else is treated so."""
import sys
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from modules.ui.gradio3 import in_force, suspended
from modules.ui.gradio3.unseen import UNSEEN


@pytest.fixture
def page():
    """A page of an extension being built."""
    with in_force(), gr.Blocks(analytics_enabled=False) as blocks:
        yield blocks
        blocks.fns


def connected(blocks):
    return list(blocks.fns.values())[-1]


def test_events_take_js_under_its_old_name_also_those_that_follow_others(page):
    button, box = gr.Button("x"), gr.Textbox()
    button.click(fn=lambda: 1, _js="first", inputs=None, outputs=[box], every=3, show_progress=False).then(None, _js="second")
    assert [event.js for event in page.fns.values()] == ["first", "second"]
    assert [event.api_visibility for event in page.fns.values()] == ["private", "private"]
    page.load(fn=lambda: 2, _js="third", outputs=[box])
    assert connected(page).js == "third"


def test_update_of_every_class_is_a_change(page):
    assert gr.Textbox.update("new", lines=3, tooltip="x") == {"__type__": "update", "value": "new", "lines": 3}
    assert gr.Dropdown.update(choices=("a", "b")) == {"__type__": "update", "choices": ["a", "b"]}


def test_style_sets_what_is_still_a_property(page):
    image, gallery = gr.Image().style(height=99), gr.Gallery().style(grid=[2, 3], container=True)
    assert image.height == 99 and gallery.columns == 3


def test_classes_and_modules_that_are_gone_can_be_named(page):
    import gradio.deprecation
    import gradio.inputs

    assert gr.Box is gr.Group and gr.Variable is gr.State and issubclass(gr.Textbox, gr.components.IOComponent)
    assert gradio.inputs.Textbox is gr.Textbox and issubclass(gradio.deprecation.GradioDeprecationWarning, UserWarning)


def test_constructors_take_old_keywords_and_leave_out_unknown_ones(page):
    image = gr.Image(source="upload", tool="editor", brush_radius=3, mirror_webcam=False)
    assert image.sources == ["upload"]
    assert gr.File(type="file").type == "filepath" and gr.Radio(choices=lambda: ["a"]).choices == [("a", "a")]
    assert gr.Slider(0, 1, tooltip="x", interactiv=True).interactive is True


def test_a_box_of_text_without_a_value_is_empty_and_not_nothing(page):
    assert (gr.Textbox(label="Elements").value, gr.TextArea(value=None).value, gr.Textbox("words").value) == ("", "", "words")


def test_a_style_sheet_of_blocks_is_kept_for_the_head_of_the_page():
    from modules.ui.gradio3.construction import style_sheets

    with in_force(), gr.Blocks(css=".of-a-test {}", variant="panel", analytics_enabled=False):
        pass
    assert ".of-a-test {}" in style_sheets
    style_sheets.remove(".of-a-test {}")


def test_an_image_to_sketch_on_gives_picture_and_mask(page):
    sketch = gr.Image(tool="sketch", type="pil", source="upload", elem_id="drawn")
    picture, layer = Image.new("RGB", (4, 2), "red"), Image.new("RGBA", (4, 2))
    layer.putpixel((1, 1), (0, 0, 0, 255))
    from modules.ui.gradio3.sketch import _mask

    assert sketch.get_block_name() == "imageeditor" and sketch.get_config()["elem_id"] == "drawn"
    assert np.argwhere(np.asarray(_mask([layer], picture))[..., 0]).tolist() == [[1, 1]]


def test_a_class_with_any_arguments_sends_its_properties(page):
    class Mine(gr.Button):
        def __init__(self, **keywords):
            super().__init__(variant="tool", **keywords)

        def get_block_name(self):
            return "button"

    class Checked(gr.Checkbox):
        def __init__(self, *args, **keywords):
            super().__init__(*args, **keywords)

    assert Mine(value="go", elem_id="mine", tooltip="x").get_config()["elem_id"] == "mine"
    assert Checked(True, label="on").get_config()["label"] == "on"


def test_a_component_class_of_a_script_needs_no_file_and_leaves_none(tmp_path, monkeypatch):
    file = tmp_path / "component_of_a_test.py"
    file.write_text("import gradio as gr\nclass Own(gr.Textbox):\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with in_force():
        import component_of_a_test

        own = component_of_a_test.Own(elem_id="x", render=False)
    del sys.modules["component_of_a_test"]
    assert own.component_class_id and list(tmp_path.glob("*.pyi")) == []


def test_what_is_not_seen_stays_in_the_page(page):
    assert gr.Textbox(visible=False).visible == "hidden" and gr.Group(visible=False).visible == "hidden"
    assert gr.Row(visible=False).visible is True and {"x", UNSEEN} < set(gr.Column(visible=False, elem_classes="x").elem_classes)
    assert gr.Accordion("x", visible=False).visible == "hidden"


@pytest.mark.parametrize("answer", [lambda seen: gr.update(visible=seen), lambda seen: gr.Row(visible=seen, render=False),
                                    lambda seen: gr.Row.update(visible=seen)])
def test_rows_come_and_go_as_functions_say(page, answer):
    row, box = gr.Row(visible=False), gr.Textbox()
    box.change(lambda: (answer(True), "x"), None, [row, box])
    shown, text = connected(page).fn()
    assert UNSEEN not in shown["elem_classes"] and shown["visible"] is True and text == "x"
    box.change(lambda: answer(False), None, row)
    assert UNSEEN in connected(page).fn()["elem_classes"]
    box.change(lambda: {row: answer(True)}, None, [row, box])
    assert UNSEEN not in connected(page).fn()[row]["elem_classes"]


def test_what_a_generator_says_of_rows_is_put_into_classes_too(page):
    row, box = gr.Row(visible=False), gr.Textbox()

    def steps():
        yield gr.update(visible=True)
        yield gr.update(visible=False)

    box.change(steps, None, row)
    assert [UNSEEN in step["elem_classes"] for step in connected(page).fn()] == [False, True]


def test_tabs_keep_to_themselves_and_what_was_between_them_follows(page):
    before = gr.Button("x")
    with gr.Tabs() as tabs:
        state, box = gr.State(1), gr.Textbox()
        with gr.Tab("first") as first:
            inner = gr.Textbox()
        text = gr.HTML("y")
        with gr.Tab("second") as second:
            pass
    after = gr.Button("z")
    assert tabs.children == [first, second] and page.children == [before, tabs, state, box, text, after]
    assert state.parent is box.parent is text.parent is page and inner.parent.parent is first


def test_tabs_of_the_program_are_left_as_they_are():
    with gr.Blocks(analytics_enabled=False) as blocks, pytest.warns(UserWarning, match="can only contain"), gr.Tabs() as tabs:
        text = gr.HTML("y")
    assert tabs.children == [text] and blocks.children == [tabs]


def test_blocks_have_the_class_of_their_kind(page):
    assert gr.Dropdown(["a"], elem_classes="mine").elem_classes == ["gradio-dropdown", "mine"] and gr.Row().elem_classes == ["gradio-row"]


def test_values_that_no_list_has_are_handed_on(page):
    dropdown, slider, number = gr.Dropdown(["a"]), gr.Slider(0, 1), gr.Number(maximum=3)
    assert dropdown.preprocess("b") == "b" and gr.Dropdown(["a"], type="index").preprocess("b") is None
    assert slider.preprocess("7") == 7 and number.preprocess(9) == 9


def test_events_that_have_another_name_now_are_connected(page):
    image = gr.Image()
    image.edit(lambda value: value, image, image)
    assert connected(page).targets[0][1] == "change"
    with gr.Tabs():
        tab = gr.Tab("x")
    tab.change(None, None, None, _js="chosen")
    assert connected(page).targets[0][1] == "select"


def test_a_handler_may_use_old_ways_when_its_event_happens(page):
    box = gr.Textbox()
    box.change(lambda: gr.Image(source="upload", render=False).sources, None, box)
    assert connected(page).fn() == ["upload"]


def test_components_that_functions_change_are_made_anew_in_their_old_ways(page):
    slider = gr.Slider(0, 5, tooltip="x", visible=True)
    anew = type(slider)(**{**slider.constructor_args, "visible": False, "render": False})
    assert anew.visible == "hidden" and anew.maximum == 5


def test_the_program_itself_is_treated_as_gradio_does_it(page):
    with suspended():
        box = gr.Textbox(visible=False)
        with pytest.raises(TypeError):
            gr.Slider(0, 1, tooltip="x")
    assert box.visible is False and box.elem_classes == [] and box.interactive is None
    with pytest.raises(gr.Error):
        with suspended():
            gr.Dropdown(["a"]).preprocess("b")


def test_outside_of_the_scope_nothing_is_translated():
    with gr.Blocks(analytics_enabled=False):
        with pytest.raises(TypeError):
            gr.Image(source="upload")
        with pytest.raises(TypeError):
            gr.Button("x").click(None, _js="f")


def test_the_files_of_the_program_are_not_extensions():
    from modules.extensions.discovery import is_from_outside
    from modules.folders import PROGRAM

    inside = ("scripts/xyz_grid.py", "modules/ui/app.py", "extensions/easel-dynamic-prompts/scripts/dynamic_prompts.py")
    assert not any(is_from_outside(PROGRAM / name) for name in inside)
    assert is_from_outside(PROGRAM / "extensions" / "other" / "scripts" / "x.py")
    assert is_from_outside(Path("/data/extensions/x/scripts/y.py"))
