"""The scripts' part of a tab: which controls there are, in which order, and what their values become."""
import gradio as gr
import pytest

from modules import scripts
from modules.ui.script_panel import script_panel


@pytest.fixture
def built(rt):
    """The panel in a page of its own; the runner is as before afterwards."""
    with gr.Blocks() as page:
        panel = script_panel("txt2img", scripts.scripts_txt2img)
    yield page, panel
    scripts.scripts_txt2img.prepare_ui()


VALUES = {"Dynamic Prompts": [True, False, 0, 1, False], "Hook Recorder": ["word", 2, 5], "Several Runs": [3, False]}


def by_id(page):
    return {block.elem_id: block for block in page.blocks.values() if getattr(block, "elem_id", None)}


def test_the_script_list_is_the_first_input_and_offers_the_selectable_scripts(built):
    page, panel = built
    assert panel.inputs[0] is by_id(page)["script_list"] and panel.inputs[0].label == "Script"
    offered = [title for title, _ in panel.inputs[0].choices]
    assert offered[0] == "None" and {"Prompt matrix", "X/Y/Z plot", "Several Runs"} <= set(offered)


def test_controls_lie_in_the_container_those_of_selectable_scripts_out_of_sight(built):
    page, panel = built
    assert "txt2img_script_container" in by_id(page) and "script_txt2img_hook_recorder_word" in by_id(page)
    shown = {script.title(): script.group.visible for script in panel.runner.scripts}
    expected = {"Dynamic Prompts": True, "Hook Recorder": True, "Several Runs": "hidden", "X/Y/Z plot": "hidden"}
    assert expected.items() <= shown.items()


@pytest.mark.parametrize("ui, is_seen", [(lambda is_img2img: gr.Button("Own").click and None, True), (lambda is_img2img: [], False)])
def test_what_a_script_shows_is_seen_also_when_it_returns_no_controls(rt, monkeypatch, ui, is_seen):
    script = scripts.scripts_txt2img.script("Hook Recorder")
    monkeypatch.setattr(script, "ui", ui)
    with gr.Blocks():
        script_panel("txt2img", scripts.scripts_txt2img)
    assert script.group.visible is is_seen
    monkeypatch.undo()
    scripts.scripts_txt2img.prepare_ui()


def test_values_come_out_by_script_for_always_on_ones_and_the_selected_one(built):
    _, panel = built
    args = [0, *[None] * (len(panel.inputs) - 1)]
    for title, given in VALUES.items():
        script = panel.runner.script(title)
        args[script.args_from:script.args_to] = given
    always_on = {title: given for title, given in VALUES.items() if title != "Several Runs"}
    assert panel.values(args) == {"selected": None, "args": always_on}
    number = panel.runner.titles.index("Several Runs") + 1
    assert panel.values([number, *args[1:]]) == {"selected": "Several Runs", "args": VALUES}


def test_an_infotext_fills_the_controls_that_ask_for_it(built):
    _, panel = built
    place = [component.label for component in panel.pasted_components].index("Word")
    assert panel.pasted({"Recorder word": "from a picture"})[place]["value"] == "from a picture"
    assert "value" not in panel.pasted({})[place]


def test_choosing_a_script_shows_its_controls(built):
    page, panel = built
    [change] = [function for function in page.fns.values() if panel.inputs[0]._id in [target[0] for target in function.targets]]
    assert [update["visible"] for update in change.fn(1)].count(True) == 1
    assert {update["visible"] for update in change.fn(0)} == {"hidden"}


def test_controls_of_scripts_carry_the_usual_class_names(built):
    page, _ = built
    assert "gradio-textbox" in by_id(page)["script_txt2img_hook_recorder_word"].elem_classes
