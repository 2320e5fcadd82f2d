"""Values of controls as they are kept, and which of them can be used again."""
import gradio as gr
import pytest

from modules.ui.form_values import as_shown, named_controls, usable


@pytest.fixture
def controls():
    with gr.Blocks():
        return {
            "prompt": gr.Textbox(label="Prompt"), "steps": gr.Slider(label="Steps"), "seed": gr.Number(label="Seed"),
            "sampler": gr.Dropdown(["Euler", "Heun"], label="Sampler"), "hires": gr.Checkbox(label="Hires"),
            "styles": gr.Dropdown(["a", "b"], multiselect=True, label="Styles"),
            "override": gr.Dropdown([], multiselect=True, allow_custom_value=True, label="Override"),
            "fill": gr.Radio([("fill", 0), ("noise", 1)], label="Fill"),
        }


def test_what_the_controls_take_is_taken(controls):
    values = {"prompt": "a", "steps": 3, "seed": None, "sampler": "Heun", "hires": True, "styles": ["b"], "fill": 1,
              "override": ["Clip skip: 2"]}
    assert usable(controls, values) == (values, [])


@pytest.mark.parametrize("name, value", [
    ("prompt", 3), ("steps", "many"), ("steps", True), ("sampler", "Marvellous"), ("sampler", ["Heun"]), ("hires", 1),
    ("styles", ["a", "gone"]), ("styles", "a"), ("override", [{}]), ("fill", "fill"), ("unknown", 1)])
def test_what_they_do_not_take_is_named_and_left_out(controls, name, value):
    taken, notes = usable(controls, {"seed": 7, name: value})
    assert taken == {"seed": 7}
    assert len(notes) == 1 and (name if name == "unknown" else controls[name].label) in notes[0]


def test_a_place_in_a_list_is_kept_as_the_choice():
    with gr.Blocks():
        one = gr.Dropdown(["None", "Matrix"], type="index")
        several = gr.Dropdown(["x", "y", "z"], type="index", multiselect=True)
    assert (as_shown(one, 1), as_shown(several, [2, 0]), as_shown(one, None)) == ("Matrix", ["z", "x"], None)


def test_controls_of_scripts_have_names_of_their_own_and_pictures_are_left_out():
    with gr.Blocks():
        twice = [gr.Number(label="Margin"), gr.Number(label="Margin"), gr.Image(label="Picture"), gr.Button("press")]
        named = named_controls({"prompt": gr.Textbox()}, {"extra": gr.Checkbox()}, gr.Dropdown(), {"Grid": twice})
    assert list(named) == ["prompt", "extra", "script", "Grid/Margin", "Grid/1"]
