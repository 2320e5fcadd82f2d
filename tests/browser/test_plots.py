"""The grid of a plot in the page: it fills while the job runs, turns, hides, makes cells again, takes more values, and survives a kill."""
import time

import pytest
from page_dropdowns import choose_option

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SCRIPT = "script_txt2img_xyz_plot"


def choose_plot(page, *axes):
    """The X/Y/Z plot with these axes, each a label and its values."""
    choose_option(page, "#txt2img_script_container #script_list", "X/Y/Z plot")
    for letter, (label, values) in zip("xy", axes):
        choose_option(page, f"#{SCRIPT}_{letter}_type", label)
        box = page.locator(f"#{SCRIPT}_{letter}_values textarea, #{SCRIPT}_{letter}_values input").first
        box.wait_for(state="visible")
        box.fill(values)


def cells(page, state):
    return page.locator(f"#txt2img_plot td[data-state={state}]").count()


def count_text(page):
    return page.inner_text("#txt2img_plot .plot-count")


def test_a_plot_says_its_cost_fills_turns_hides_and_grows(easel):
    page = easel.tab
    choose_plot(page, ("Steps", "20-30 (+5)"), ("CFG Scale", "3, 7"))
    easel.prompt("a plotted cat")
    page.get_by_text("3 × 2 = 6 cells, 6 pictures, 294 network evaluations.").wait_for()
    easel.generate()
    page.wait_for_selector("#txt2img_plot td[data-state=made]")
    page.wait_for_selector("#txt2img_plot td[data-state=waiting]")  # it is seen while others are still to come
    easel.wait_until_idle()
    page.get_by_text("6 of 6 cells").wait_for()
    corner = lambda: page.locator("#txt2img_plot tbody th").all_inner_texts()
    before = corner()
    page.get_by_role("button", name="Transpose").click()
    assert len(before) == 2 and len(corner()) == 3 and "Steps: 20" in corner()[0]
    page.get_by_role("button", name="Hide Steps: 25").click()
    assert len(corner()) == 2 and cells(page, "made") == 4
    page.get_by_role("button", name="Show all").click()
    page.locator("#txt2img_plot td[data-key='2-0-0'] button").click()
    assert "Steps: 30" in page.locator("#txt2img_plot .plot-infotext").inner_text()
    page.get_by_role("button", name="Add values").click()
    page.fill("#txt2img_plot .plot-form input", "none")
    page.keyboard.press("Enter")
    page.get_by_text("'none' is no whole number").wait_for()
    page.fill("#txt2img_plot .plot-form input", "2")
    page.keyboard.press("Enter")
    page.get_by_text("8 of 8 cells").wait_for()
    easel.wait_until_idle()


def test_what_is_said_is_of_the_last_values_also_when_they_change_while_it_is_found_out(easel):
    page = easel.tab
    choose_plot(page, ("Steps", "1-150"), ("Seed", "1-20"))
    page.wait_for_function("() => planAsked.txt2img === 1")
    assert "outdated" in page.get_attribute("#txt2img_script_plan", "class")
    page.fill(f"#{SCRIPT}_y_values textarea, #{SCRIPT}_y_values input", "1-3")
    page.get_by_text("150 × 3 = 450 cells").wait_for()
    page.wait_for_selector("#txt2img_script_plan:not(.outdated)")
    page.fill(f"#{SCRIPT}_y_values textarea, #{SCRIPT}_y_values input", "1-99")
    page.get_by_text("The plot has 14,850 cells. The most are 10,000.").wait_for()


def test_a_failed_cell_shows_its_error_and_a_cell_is_made_again(easel):
    page = easel.tab
    choose_plot(page, ("Steps", "1, 0, 2"))
    easel.generate()
    page.get_by_text("2 of 3 cells, 1 failed").wait_for()
    easel.wait_until_idle()
    assert page.inner_text("#txt2img_plot td[data-state=failed]").strip()
    source = page.get_attribute("#txt2img_plot td[data-key='2-0-0'] img", "src")
    page.locator("#txt2img_plot td[data-key='2-0-0'] button").click()
    page.get_by_role("button", name="Make again").click()
    page.wait_for_function("source => document.querySelector(\"#txt2img_plot td[data-key='2-0-0'] img\").src !== source", arg=source)
    easel.wait_until_idle()
    assert count_text(page).startswith("2 of 3 cells")
    page.get_by_role("button", name="Earlier plots").last.click()
    page.locator("#plots_dialog .plots-entry").first.get_by_text("2 of 3 cells, 1 failed").wait_for()
    page.keyboard.press("Escape")


def test_a_killed_plot_is_opened_again_and_completed(page, module_server):
    server, outputs = module_server, module_server.data_dir / "outputs"
    usable = "() => typeof uiIsLoaded !== 'undefined' && uiIsLoaded && queueState.version >= 0"
    earlier = set(outputs.rglob("*.png"))
    page.goto(server.url)
    page.wait_for_function(usable)
    for name in ("width", "height"):
        page.fill(f"#txt2img_{name} input[type=number]", "64")
        page.press(f"#txt2img_{name} input[type=number]", "Tab")
    choose_plot(page, ("Seed", "1-6"), ("Steps", "40"))
    page.click("#txt2img_generate")
    count = "document.querySelectorAll('#txt2img_plot td[data-state{}]').length"
    page.wait_for_function(f"() => {count.format('')} === 6 && {count.format('=made')} >= 2", timeout=60000)
    with server.killed():
        before = {path.name: path.read_bytes() for path in set(outputs.rglob("*.png")) - earlier}
    page.goto(server.url)
    page.wait_for_function(usable)
    page.click("#unfinished_banner >> text=Resume")
    page.get_by_text("6 of 6 cells").wait_for(timeout=120000)
    page.wait_for_function("() => !queueState.jobs.length", timeout=60000)
    deadline = time.monotonic() + 20
    while not (job := next(iter(server.get("/internal/queue")[1]["recent"]), None)) and time.monotonic() < deadline:
        time.sleep(0.1)
    after = {path.name: path.read_bytes() for path in set((outputs / "txt2img-images").rglob("*.png")) - earlier}
    assert job["status"] == "done" and job["pictures_done"] >= 6 and len(before) >= 2
    assert all(after.get(name, content) == content for name, content in before.items()) and 6 <= len(after) <= 7
