"""Scripts in the page: their controls are seen, their values reach the job, and a broken one is named."""
import shutil
from pathlib import Path

import pytest
import tiny_model
from page_dropdowns import choose_option
from server_process import ServerProcess

pytestmark = pytest.mark.browser
FIXTURE = Path(__file__).parents[1] / "extensions" / "fixture_extension"


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    """A server with the fixture extension; takes the place of the plain one."""
    data_dir = tiny_model.make_data_dir(tmp_path_factory.mktemp("server") / "data")
    shutil.copytree(FIXTURE, data_dir / "extensions" / "fixture")
    with ServerProcess(data_dir, "--api") as process:
        yield process


def last_result(easel):
    job = easel.queue()["recent"][0]
    return easel.server.get(f"/internal/result/{job['id']}")[1]["result"]


def prompts(easel):
    return [image["infotext"].split("\n")[0] for image in last_result(easel)["images"] if not image["is_grid"]]


def test_values_of_an_accordion_that_was_opened_reach_the_job(easel):
    easel.tab.locator("#txt2img_script_container .label-wrap", has_text="Dynamic Prompts").click()
    easel.tab.check("#script_txt2img_dynamic_prompts_combinatorial input")
    easel.number("txt2img_steps", 2)
    easel.prompt("{one|two} cats")
    easel.generate()
    easel.wait_for_result("{one|two} cats")
    assert prompts(easel) == ["one cats", "two cats"]


def test_values_of_an_accordion_that_stayed_closed_are_those_it_shows(easel):
    easel.number("txt2img_steps", 2)
    easel.prompt("a {dog|dog}")
    easel.generate()
    easel.wait_for_result("a dog")
    assert prompts(easel) == ["a dog"] and not last_result(easel)["notes"]


def test_a_chosen_script_shows_its_controls_and_makes_the_run(easel):
    runs = easel.tab.locator("label", has_text="Runs").first
    assert not runs.is_visible()
    choose_option(easel.tab, "#script_list", "Several Runs")
    runs.wait_for(state="visible")
    easel.number("txt2img_steps", 2)
    easel.prompt("x")
    easel.generate()
    easel.wait_for_result("run 0")
    assert prompts(easel) == ["run 0", "run 1"]


def test_a_file_that_cannot_be_loaded_is_named_in_the_page(easel):
    easel.tab.get_by_text("broken.py of the extension fixture is left out").wait_for()


def test_pasting_an_infotext_fills_the_controls_of_scripts(easel):
    easel.tab.locator("#txt2img_script_container .label-wrap", has_text="Hook Recorder").click()
    easel.prompt("a cat\nSteps: 2, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, Recorder word: pasted")
    easel.tab.click("#paste")
    easel.wait_for("() => document.querySelector('#script_txt2img_hook_recorder_word textarea').value === 'pasted'")
