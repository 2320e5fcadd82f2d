"""The controls of the X/Y/Z plot: what the type of an axis shows, fill and swap, the number of cells, and infotexts."""
import re
import time

import pytest

from modules import scripts, txt2img
from modules.errors import UserError
from modules.generation.fields import TXT2IMG_FIELDS, validated
from modules.processing import StableDiffusionProcessingTxt2Img
from scripts.plots.axis_table import axis_options
from scripts.plots.page import _Axes, plot_controls

LISTED = [axis for axis in axis_options if axis.fits(False)]
NOTHING, SEED, STEPS, CFG, ORDER, SAMPLER = 0, 1, 4, 6, 8, 9


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


def planned(*controls, **values):
    """What the script says of types, texts and picked values of its axes."""
    controls = [*controls, *[NOTHING, "", []] * ((9 - len(controls)) // 3)]
    p = StableDiffusionProcessingTxt2Img(**validated(TXT2IMG_FIELDS, {"prompt": "a, b, c", "steps": 5, "sampler_name": "Euler", **values}))
    return scripts.scripts_txt2img.script("X/Y/Z plot").planned(p, *controls, True, False, False, False, False, False, False, 0, False, "")


@pytest.mark.parametrize("controls, sentence", [
    ((STEPS, "1-3", [], SAMPLER, "", ["Euler", "Heun"]), "3 × 2 = 6 cells, 6 pictures, 30 network evaluations."),
    ((SEED, "5", []), "1 cell, 1 picture, 10 network evaluations."),
    ((ORDER, "a, b, c", []), "6 cells, 6 pictures, 60 network evaluations."),
])
def test_cells_pictures_and_evaluations_are_said_before_the_run(rt, controls, sentence):
    assert planned(*controls).splitlines()[0] == sentence


@pytest.mark.parametrize("controls, sentence", [
    ((STEPS, "x", []), "X values: 'x' is no whole number"), ((STEPS, "", []), "X values are empty"),
    ((STEPS, "5-1 (+1)", []), "does not lead from 5 to 1"), ((SAMPLER, "", ["Eulr"]), "Eulr"),
    ((STEPS, "1-200", [], SEED, "1-200", []), "40,000 cells"), ((ORDER, ",".join("abcdefghij"), []), "more than 10,000 orders")])
def test_what_is_wrong_with_the_values_is_said_before_the_run(rt, controls, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        planned(*controls)


def test_cells_that_will_fail_are_named_before_the_run(rt):
    size = next(place for place, axis in enumerate(LISTED) if axis.label == "Hires upscale")
    said = planned(size, "0.01, 2", [], enable_hr=True, hr_upscaler="Latent", width=64, height=64).splitlines()[-1]
    assert said.startswith("The cell Hires upscale: 0.01 will fail: ")


def test_the_time_is_that_of_the_last_job(rt, made):
    rows = [line for line in planned(STEPS, "1-3", []).splitlines() if "pace" in line]
    txt2img.submit(rt, {"prompt": "x", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}).wait(60)
    again = [line for line in planned(STEPS, "1-3", []).splitlines() if "pace" in line]
    assert not rows and again[0].endswith("s at the pace of the last job.")


def test_ten_thousand_cells_are_planned_at_once(rt):
    began = time.monotonic()
    assert "10,000 cells, 10,000 pictures" in planned(CFG, "1-100", [], SEED, "1-100", [])
    assert time.monotonic() - began < 20


def test_an_infotext_fills_types_and_values_and_others_leave_the_plot_alone(rt):
    import gradio as gr

    with gr.Blocks():
        controls = plot_controls(LISTED, lambda item: f"plot_{item}")
    parsed = {"X Type": "Steps", "X Values": "1-3", "Y Type": "Sampler", "Y Values": "Euler,Heun"}
    changes = {control.elem_id: source(parsed) for control, source in controls.infotext_fields}
    assert changes["plot_x_type"]["value"] == STEPS and changes["plot_x_values"]["value"] == "1-3"
    assert changes["plot_y_values_dropdown"]["value"] == ["Euler", "Heun"] and changes["plot_z_type"]["value"] == NOTHING
    assert all(source({"Steps": "20"}) is None for _, source in controls.infotext_fields)
