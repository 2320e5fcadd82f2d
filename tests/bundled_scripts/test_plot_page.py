"""The controls of the X/Y/Z plot: what the type of an axis shows, fill and swap, the number of cells, and infotexts."""
import pytest

from scripts.plots.axis_table import axis_options
from scripts.plots.page import _Axes, plot_controls

LISTED = [axis for axis in axis_options if axis.fits(False)]
NOTHING, SEED, STEPS, ORDER, SAMPLER = 0, 1, 4, 8, 9


@pytest.fixture
def axes(rt):
    return _Axes(LISTED)


def test_axes_of_settings_that_do_not_exist_are_not_offered_but_keep_their_place(axes):
    offered = dict(axes.choices)
    assert offered["Sampler"] == SAMPLER and "FP8 mode" not in offered and len(offered) < len(LISTED)


def test_an_axis_with_names_shows_a_list_unless_text_is_wanted(axes):
    text, picked, fill = axes.shown(SAMPLER, "", [], False)
    assert (text["visible"], picked["visible"], fill["visible"]) == (False, True, True) and "Euler a" in picked["choices"]
    text, picked, fill = axes.shown(SAMPLER, "", ["Euler", "Heun"], True)
    assert (text["visible"], picked["visible"], fill["visible"]) == (True, False, True) and text["value"] == "Euler,Heun"


def test_values_that_were_written_are_picked_when_the_list_comes_back(axes):
    assert axes.shown(SAMPLER, "Heun, nonsense, Euler", [], False)[1]["value"] == ["Heun", "Euler"]


def test_an_axis_of_numbers_shows_a_box_and_one_of_nothing_shows_nothing(axes):
    assert [change["visible"] for change in axes.shown(STEPS, "1-3", [], False)] == [True, False, False]
    assert [change["visible"] for change in axes.shown(NOTHING, "", [], False)] == [False, False, False]


def test_all_values_go_into_the_list_or_into_the_box(axes):
    assert "Euler" in axes.filled(SAMPLER, False)[1] and axes.filled(SAMPLER, True)[0].startswith("DPM++ 2M,")


def test_swapped_axes_take_their_values_along(axes):
    changes = axes.swapped(STEPS, "1-3", [], SAMPLER, "", ["Euler"], False)
    assert changes[0] == SAMPLER and changes[2]["value"] == ["Euler"] and changes[4] == STEPS and changes[5]["value"] == "1-3"


@pytest.mark.parametrize("controls, sentence", [
    ((STEPS, "1-3", [], SAMPLER, "", ["Euler", "Heun"], NOTHING, "", []), "3 × 2 = 6 cells."),
    ((SEED, "5", [], NOTHING, "", [], NOTHING, "", []), "1 cell."),
    ((ORDER, "a, b, c", [], NOTHING, "", [], NOTHING, "", []), "6 cells."),
    ((STEPS, "x", [], NOTHING, "", [], NOTHING, "", []), "X values: 'x' is no whole number."),
    ((STEPS, "", [], NOTHING, "", [], NOTHING, "", []), "X values are empty."),
    ((STEPS, "1-200", [], SEED, "1-200", [], NOTHING, "", []), "200 × 200 = 40,000 cells; the most are 10,000."),
])
def test_the_number_of_cells_or_what_is_wrong_is_said_while_typing(axes, controls, sentence):
    assert axes.planned(False, *controls) == sentence


def test_what_was_typed_is_text_and_never_part_of_the_page(axes):
    assert "<" not in axes.plan(False, STEPS, "<img src=x onerror=alert(1)>", [], NOTHING, "", [], NOTHING, "", [])


def test_an_infotext_fills_types_and_values_and_others_leave_the_plot_alone(rt):
    import gradio as gr

    with gr.Blocks():
        controls = plot_controls(LISTED, lambda item: f"plot_{item}")
    parsed = {"X Type": "Steps", "X Values": "1-3", "Y Type": "Sampler", "Y Values": "Euler,Heun"}
    changes = {control.elem_id: source(parsed) for control, source in controls.infotext_fields}
    assert changes["plot_x_type"]["value"] == STEPS and changes["plot_x_values"]["value"] == "1-3"
    assert changes["plot_y_values_dropdown"]["value"] == ["Euler", "Heun"] and changes["plot_z_type"]["value"] == NOTHING
    assert all(source({"Steps": "20"}) is None for _, source in controls.infotext_fields)
