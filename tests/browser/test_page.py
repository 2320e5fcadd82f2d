"""The rest of the page in a real browser: settings, styles, token counter, checkpoints, narrow and dark."""
import json

import pytest

pytestmark = pytest.mark.browser


def settings_tab(easel):
    easel.tab.click("#tab_settings-button")
    easel.tab.wait_for_selector("#settings_submit")


def test_a_setting_is_found_changed_stored_and_still_there_after_a_reload(easel):
    settings_tab(easel)
    easel.tab.fill("#settings_search input, #settings_search textarea", "jpeg quality")
    shown = easel.tab.locator('.settings-section [id^="setting_"]:visible')
    easel.wait_for("() => document.querySelectorAll('.settings-section [data-filtered-out]').length > 20")
    assert shown.count() == 1 and "JPEG" in shown.inner_text().upper()
    box = easel.tab.locator("#setting_jpeg_quality input[type=number]")
    box.fill("71")
    box.press("Tab")
    easel.tab.click("#settings_submit")
    easel.wait_for("() => byId('settings_result').innerText.includes('1 setting changed')")
    easel.wait_for("() => opts.jpeg_quality === 71")
    assert json.loads((easel.server.data_dir / "config.json").read_text("utf-8"))["jpeg_quality"] == 71
    easel.open()
    assert easel.tab.evaluate("opts.jpeg_quality") == 71
    settings_tab(easel)
    assert easel.tab.input_value("#setting_jpeg_quality input[type=number]") == "71"


def test_one_section_of_the_settings_is_drawn_at_a_time_and_all_are_stored(easel):
    settings_tab(easel)
    easel.tab.wait_for_selector("#settings_saving-images")
    assert easel.tab.locator(".settings-section").count() == 1
    easel.tab.fill("#setting_samples_filename_pattern textarea", "[seed]-drawn")
    easel.tab.click("#settings_contents [data-section=upscaling]")
    easel.tab.wait_for_selector("#setting_ESRGAN_tile p.remark:visible")
    assert not easel.tab.is_visible("#settings_saving-images")
    assert easel.tab.get_attribute("#settings_contents [data-section=upscaling]", "aria-current") == "true"
    box = easel.tab.locator("#setting_ESRGAN_tile input[type=number]")
    box.fill("256")
    box.press("Tab")
    easel.tab.click("#settings_submit")
    easel.wait_for("() => byId('settings_result').innerText.includes('2 settings changed')")
    easel.wait_for("() => opts.ESRGAN_tile === 256 && opts.samples_filename_pattern === '[seed]-drawn'")
    easel.server.post("/internal/settings/reset", {"keys": ["ESRGAN_tile", "samples_filename_pattern"]})
    easel.tab.click("#settings_show_all_pages")
    easel.wait_for("() => document.querySelectorAll('.settings-section').length === settingsSections().length")
    assert easel.tab.is_visible("#settings_saving-images") and easel.tab.is_visible("#settings_upscaling")


def test_a_style_is_saved_applied_and_deleted(easel):
    easel.prompt("a fox")
    easel.tab.click("#txt2img_styles_edit_button")
    easel.tab.fill("#txt2img_styles_edit_select input", "film")
    easel.tab.keyboard.press("Enter")
    easel.tab.fill("#txt2img_edit_style_prompt textarea", "{prompt}, grainy film")
    easel.tab.fill("#txt2img_edit_style_neg_prompt textarea", "digital")
    easel.tab.click("#txt2img_edit_style_save")
    easel.wait_for("() => byId('txt2img_styles_message').innerText.includes('Saved')")
    easel.tab.keyboard.press("Escape")
    assert not easel.tab.locator("#txt2img_styles_dialog").is_visible()
    easel.tab.click("#txt2img_styles input")
    easel.tab.locator("[role=option]", has_text="film").first.click()
    easel.tab.keyboard.press("Escape")
    easel.tab.click("#txt2img_style_apply")
    easel.wait_for("() => textareaOf('txt2img_prompt').value === 'a fox, grainy film'")
    assert easel.tab.input_value("#txt2img_neg_prompt textarea") == "digital"
    assert "film" in (easel.server.data_dir / "styles.csv").read_text("utf-8")
    easel.tab.click("#txt2img_styles_edit_button")
    easel.tab.click("#txt2img_edit_style_delete")
    easel.wait_for("() => byId('txt2img_styles_message').innerText.includes('Deleted')")
    assert "grainy" not in (easel.server.data_dir / "styles.csv").read_text("utf-8")


def test_tokens_are_counted_and_unmatched_brackets_marked(easel):
    counter = easel.tab.locator("#txt2img_token_counter")
    easel.prompt("a red circle on a blue background")
    easel.wait_for("() => byId('txt2img_token_counter').innerText === '7/75'")
    easel.prompt("(a red circle")
    easel.wait_for("() => byId('txt2img_token_counter').classList.contains('error')")
    assert "round brackets" in counter.get_attribute("title")


def test_another_checkpoint_is_chosen_at_once_and_used(easel):
    easel.tab.click("#setting_sd_model_checkpoint input")
    easel.tab.locator("[role=option]", has_text="tiny-sd1-s2").click()
    easel.wait_for("() => (opts.sd_model_checkpoint || '').startsWith('tiny-sd1-s2')")
    easel.prompt("the other model")
    easel.number("txt2img_steps", 1)
    easel.generate()
    easel.wait_for_result("the other model")
    assert "Model: tiny-sd1-s2" in easel.tab.inner_text("#html_info_txt2img")


def test_every_button_has_a_name(easel):
    # Names are put on when the page has not changed for 200 ms, which a busy machine puts off.
    easel.tab.wait_for_function("() => document.querySelector('#txt2img_res_switch_btn')?.title", timeout=60_000)
    nameless = easel.tab.evaluate("""() => Array.from(document.querySelectorAll('gradio-app button'))
        .filter((button) => button.offsetParent && !/[a-z]/i.test(button.textContent))
        .filter((button) => !button.getAttribute('aria-label') && !button.title)
        .map((button) => button.outerHTML.slice(0, 120))""")
    assert nameless == []


def test_a_phone_has_one_column_and_generate_at_hand(easel):
    easel.tab.set_viewport_size({"width": 390, "height": 844})
    easel.open()
    assert easel.tab.evaluate("document.documentElement.scrollWidth") <= 390
    for position in (0, 100_000):
        easel.tab.evaluate("y => window.scrollTo(0, y)", position)
        box = easel.tab.locator("#txt2img_generate").bounding_box()
        assert box["y"] + box["height"] <= 844 and box["width"] > 300
    settings_tab(easel)
    assert easel.tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("query, dark", [("?__theme=dark", True), ("?__theme=light", False)])
def test_the_theme_follows_the_address(easel, query, dark):
    easel.open(query)
    easel.wait_for(f"() => document.body.classList.contains('dark') === {str(dark).lower()}")
    red, green, blue = easel.tab.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert (red + green + blue < 200) == dark


def test_generate_forever_goes_on_until_it_is_cancelled(easel):
    easel.number("txt2img_steps", 1)
    easel.prompt("for ever")
    easel.tab.click("#txt2img_generate", button="right")
    easel.tab.click("text=Generate forever >> nth=0")
    easel.wait_for("() => queueState.recent.filter((job) => job.title === 'for ever').length >= 2")
    easel.tab.click("#txt2img_generate", button="right")
    easel.tab.click("text=Cancel generate forever")
    easel.wait_until_idle()


def test_styles_are_seen_at_a_glance_and_get_the_selected_picture(easel):
    (easel.server.data_dir / "styles.csv").write_text('name,prompt,negative_prompt\nWoodcut,"{prompt}, ink",grey\nPlain,,\n')
    easel.number("txt2img_steps", 1)
    easel.prompt("a fox")
    easel.generate()
    easel.wait_for_result("a fox")
    easel.tab.click("#txt2img_styles_edit_button")
    easel.tab.click("#refresh_txt2img_styles")
    easel.tab.click("#txt2img_style_cards .style-card:has-text('Woodcut')")
    easel.wait_for("() => textareaOf('txt2img_edit_style_prompt').value === '{prompt}, ink'")
    easel.tab.click("#txt2img_style_set_preview")
    easel.wait_for("() => (document.querySelector('.style-card[data-style=Woodcut] img') || {}).naturalWidth > 0")
    assert (easel.server.data_dir / "styles-previews" / "Woodcut.png").is_file()
    easel.tab.click("#txt2img_style_remove_preview")
    easel.wait_for("() => !document.querySelector('.style-card img')")
