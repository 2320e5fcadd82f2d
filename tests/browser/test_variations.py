"""Variations of a picture and a sweep of a slider, in a browser."""


def plot_of(easel):
    """The plots that the server has, the last first."""
    return easel.server.get("/internal/plots")[1]["plots"]


def test_variations_of_a_picture_become_a_grid_and_a_chain(easel):
    tab = easel.tab
    easel.prompt("a lamp")
    for element, value in (("txt2img_steps", 2), ("txt2img_width", 64), ("txt2img_height", 64), ("txt2img_seed", 7)):
        easel.number(element, value)
    easel.generate()
    easel.wait_for_result("a lamp")
    tab.click("#txt2img_explore")
    tab.wait_for_selector("#variations_dialog[data-open]")
    for place, value in enumerate(("2", "2", "0.1", "0.4")):
        tab.locator("#variations_dialog input").nth(place).fill(value)
    tab.click("#variations_go")
    easel.wait_for("() => plotViews.txt2img && plotViews.txt2img.cells.size === 4 && !tasksLeft()", 90)
    assert easel.problems == []


def test_a_right_click_on_a_slider_sweeps_it(easel):
    tab = easel.tab
    easel.prompt("a vase")
    for element, value in (("txt2img_steps", 2), ("txt2img_width", 64), ("txt2img_height", 64), ("txt2img_seed", 7)):
        easel.number(element, value)
    tab.click("#txt2img_cfg_scale", button="right")
    tab.click(".context-menu >> text=Sweep")
    easel.wait_for("() => plotViews.txt2img && plotViews.txt2img.cells.size === 5 && !tasksLeft()", 90)
    assert tab.input_value("#txt2img_cfg_scale input[type=number]") == "7"
    assert tab.input_value("#script_list input") == "None"
    assert easel.problems == []
