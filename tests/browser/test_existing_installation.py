"""Using another program's models from the page."""
import json

import pytest
import tiny_model
from server_process import ServerProcess

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    """A server of its own: folders of another program are not given up again."""
    with ServerProcess(tiny_model.make_data_dir(tmp_path_factory.mktemp("server") / "data"), "--api") as process:
        yield process


def test_models_of_another_program_are_shown_applied_and_can_be_chosen(easel, tmp_path):
    other = tiny_model.make_data_dir(tmp_path / "other", seeds=(4,))
    (other / "config.json").write_text(json.dumps({"jpeg_quality": 55}))
    (other / "styles.csv").write_text("name,prompt,negative_prompt\n<b>film</b>,grainy,\n")
    easel.tab.click("#tab_settings-button")
    easel.tab.click("#settings_use_installation")
    easel.tab.fill("#existing_installation input[name=folder]", str(other))
    easel.tab.keyboard.press("Enter")
    easel.tab.wait_for_selector("#existing_installation_apply")
    shown = easel.tab.inner_text("#existing_installation")
    assert "<b>film</b>" in shown and "80 → 55" in shown and "1 file" in shown
    easel.tab.click("#existing_installation_apply")
    easel.wait_for("() => byId('existing_installation').innerText.includes('Used in place')")
    easel.tab.keyboard.press("Escape")
    easel.tab.wait_for_load_state()
    easel.tab.wait_for_function("() => typeof uiIsLoaded !== 'undefined' && uiIsLoaded && opts.jpeg_quality === 55")
    easel.tab.click("#setting_sd_model_checkpoint input")
    easel.tab.locator("[role=option]", has_text="tiny-sd1-v").wait_for()
