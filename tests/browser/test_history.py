"""What was in the form before: after a reload, taken back, in the history, as presets."""
import json

import pytest

pytestmark = pytest.mark.browser


def prompt(easel):
    return easel.tab.input_value("#txt2img_prompt textarea")


def steps(easel):
    return easel.tab.input_value("#txt2img_steps input[type=number]")


def noticed(easel, name, value):
    """Until the page has seen the change and kept it."""
    easel.wait_for(f"() => formMemories.txt2img.present[{json.dumps(name)}] === {json.dumps(value)}")


def test_values_outlast_a_reload_in_this_browser_and_can_be_had_in_another(easel, browser):
    easel.number("txt2img_steps", 7)
    easel.prompt("kept words")
    easel.tab.click("#txt2img_enable_hr input, #txt2img_hr-checkbox input, #txt2img_hr input[type=checkbox]")
    noticed(easel, "prompt", "kept words")
    with easel.tab.expect_response("**/internal/history/form"):
        pass
    easel.open()
    easel.wait_for("() => textareaOf('txt2img_prompt').value === 'kept words'")
    assert steps(easel) == "7"
    assert easel.tab.evaluate("formMemories.txt2img.read().then((values) => values.enable_hr)")
    other = browser.new_context().new_page()
    other.goto(easel.server.url)
    other.wait_for_function("() => typeof formMemories !== 'undefined' && formMemories.txt2img.present")
    assert other.input_value("#txt2img_prompt textarea") == ""
    other.click("#txt2img_history")
    other.click("text=as the server kept it")
    other.wait_for_function("() => textareaOf('txt2img_prompt').value === 'kept words'")
    other.context.close()


def test_changes_are_taken_back_and_made_again_by_button_and_by_key(easel):
    easel.number("txt2img_steps", 5)
    noticed(easel, "steps", 5)
    easel.tab.click("#txt2img_res_switch_btn")
    easel.prompt("words")
    noticed(easel, "prompt", "words")
    easel.tab.click("#txt2img_undo")
    easel.wait_for("() => textareaOf('txt2img_prompt').value === ''")
    assert steps(easel) == "5"
    easel.tab.locator("#txt2img_undo").focus()
    easel.tab.keyboard.press("Control+z")
    easel.wait_for("() => numberIn('txt2img_steps') !== 5")
    easel.tab.keyboard.press("Control+Shift+z")
    easel.tab.keyboard.press("Control+y")
    easel.wait_for("() => textareaOf('txt2img_prompt').value === 'words' && numberIn('txt2img_steps') === 5")


def test_what_became_a_job_is_found_again_pinned_and_used(easel):
    easel.number("txt2img_steps", 2)
    for words in ("a fox in snow", "a house"):
        easel.prompt(words)
        easel.generate()
        easel.wait_for_result(words)
    easel.wait_until_idle()
    easel.number("txt2img_steps", 9)
    easel.tab.click("#txt2img_history")
    easel.tab.fill("#history_dialog input[type=search]", "snow fox")
    rows = easel.tab.locator("#history_dialog .history-entries li")
    easel.wait_for("() => document.querySelectorAll('#history_dialog .history-entries li').length === 1")
    rows.first.get_by_role("button", name="Pin").click()
    easel.tab.wait_for_selector("#history_dialog li.pinned")
    rows.first.get_by_role("button", name="Use all").click()
    easel.wait_for("() => textareaOf('txt2img_prompt').value === 'a fox in snow' && numberIn('txt2img_steps') === 2")
    assert [entry["pinned"] for entry in easel.server.get("/internal/history/entries?pinned=true")[1]["entries"]] == [True]


def test_a_partial_preset_is_saved_changed_exported_and_imported(easel):
    tab = easel.tab
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    easel.number("txt2img_steps", 4)
    easel.prompt("stays")
    tab.click("#txt2img_history")
    tab.click("#history_dialog [data-page=presets]")
    tab.evaluate("whenInPage(() => document.querySelector('.new-preset')).then((part) => { part.open = true; })")
    tab.fill("#history_dialog .new-preset input[type=text]", "four <steps>")
    tab.click("#history_dialog .new-preset details summary")
    tab.click("#history_dialog .new-preset button:has-text('None')")
    tab.check("#history_dialog .preset-values input[value=steps]")
    tab.click("text=Save preset")
    tab.wait_for_selector("#history_dialog strong:has-text('four <steps>')")
    tab.click("#history_dialog button:has-text('Export')")
    tab.wait_for_selector("#easel_messages :text('Copied')")
    text = tab.evaluate("navigator.clipboard.readText()")
    assert json.loads(text)["values"] == {"steps": 4}
    easel.tab.keyboard.press("Escape")
    easel.number("txt2img_steps", 6)
    noticed(easel, "steps", 6)
    tab.click("#txt2img_history")
    tab.click("#history_dialog button:has-text('Update')")
    tab.wait_for_selector("#history_dialog select")
    tab.select_option("#history_dialog .preset-name select", "1")
    tab.click("div[data-page=presets] button:text-is('Use')")
    easel.wait_for("() => numberIn('txt2img_steps') === 4")
    assert prompt(easel) == "stays"
    easel.server.post("/internal/history/presets/delete", {"tab": "txt2img", "name": "four <steps>"})
    assert easel.server.post("/internal/history/presets/import", {"text": text})[1]["version"] == 1
