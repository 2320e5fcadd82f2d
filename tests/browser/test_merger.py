"""Merging two checkpoints on the page."""
import pytest

pytestmark = pytest.mark.browser


def choose(easel, element, name):
    box = easel.tab.locator(f"#{element} input")
    box.click()
    box.fill(name)
    easel.tab.locator("[role=option]", has_text=name).first.click()


def test_two_checkpoints_are_merged_and_the_new_one_can_be_chosen(easel):
    easel.tab.click("#tab_modelmerger-button")
    choose(easel, "modelmerger_primary_model_name", "tiny-sd1-s1")
    easel.tab.click("#modelmerger_merge")
    easel.wait_for("() => byId('modelmerger_result').innerText.includes('needs a secondary model')")
    choose(easel, "modelmerger_secondary_model_name", "tiny-sd1-s2")
    easel.tab.click("#modelmerger_merge")
    easel.wait_for("() => byId('modelmerger_result').innerText.includes('Checkpoint saved to')")
    assert (easel.server.data_dir / "models/Stable-diffusion/0.7(tiny-sd1-s1) + 0.3(tiny-sd1-s2).safetensors").is_file()
    easel.wait_until_idle()
    easel.open()
    choose(easel, "setting_sd_model_checkpoint", "0.7(tiny-sd1-s1)")
