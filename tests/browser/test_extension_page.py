"""The page's script surface, as the scripts of an extension use it."""
import shutil
from pathlib import Path

import pytest
import tiny_model
from server_process import ServerProcess

pytestmark = pytest.mark.browser
EXTENSION = Path(__file__).parents[1] / "extensions" / "page_extension"
NAMES = ("gradioApp onUiLoaded onUiUpdate onAfterUiUpdate onUiTabChange onOptionsChanged updateInput get_uiCurrentTab "
         "get_uiCurrentTabContent submit submit_img2img create_submit_args switch_to_txt2img switch_to_img2img switch_to_img2img_tab "
         "switch_to_inpaint switch_to_sketch switch_to_extras selected_gallery_index selected_gallery_button all_gallery_buttons "
         "extract_image_from_gallery requestProgress randomId showSubmitButtons showRestoreProgressButton popup closePopup request "
         "requestGet getTranslation localSet localGet localRemove formatTime onEdit setupExtraNetworksForTab extraNetworksRequestMetadata "
         "extraNetworksEditUserMetadata cardClicked attachGalleryListeners update_txt2img_tokens update_img2img_tokens "
         "recalculate_prompts_txt2img recalculate_prompts_img2img selectCheckpoint setRandomSeed switchWidthHeight "
         "appendContextMenuOption removeContextMenuOption uiElementIsVisible uiElementInSight get_tab_index")
VALUES = "opts titles localization activePromptTextarea gradio_config"

# What scripts look for in the page; {t} stands for both of the main tabs.
ELEMENTS = (
    "{t}_prompt {t}_neg_prompt {t}_generate {t}_interrupt {t}_skip {t}_toprow {t}_actions_column {t}_generate_box {t}_tools "
    "{t}_styles {t}_width {t}_height {t}_column_size {t}_dimensions_row {t}_steps {t}_sampling {t}_cfg_scale {t}_seed "
    "{t}_batch_count {t}_batch_size {t}_denoising_strength {t}_settings {t}_results {t}_gallery {t}_gallery_container "
    "{t}_script_container {t}_extra_tabs {t}_extra_refresh {t}_lora_cards {t}_checkpoints_cards {t}_send_to_img2img "
    "{t}_send_to_inpaint {t}_send_to_extras image_buttons_{t} html_info_{t} generation_info_{t} tab_{t} tabs txt2img_hr "
    "txt2img_hires_steps txt2img_hr_scale txt2img_hr_upscaler paste script_list mode_img2img img2img_img2img_tab "
    "img2img_inpaint_tab img2img_batch_tab img2img_image img2img_sketch img2maskimg inpaint_sketch img_inpaint_base "
    "img_inpaint_mask img2img_inpaint_full_res img2img_batch_input_dir img2img_batch_output_dir "
    "img2img_batch_inpaint_mask_dir img2img_copy_to_img2img img2img_copy_to_sketch img2img_copy_to_inpaint tab_extras "
    "tab_pnginfo tab_settings tab_extensions tab_of_a_test extras_image extras_generate extras_gallery quicksettings "
    "settings settings_json settings_submit setting_samples_format setting_ESRGAN_tile extras_upscaler_1 footer lightboxModal")
KINDS = "button textbox slider dropdown checkbox radio image accordion row column gallery html number tabs tabitem group"
SELECTORS = [
    "#{t}_prompt.prompt textarea", "#{t}_neg_prompt.prompt label textarea", "#{t}_tools .tool", "#{t}_generate_box #{t}_generate",
    "#{t}_script_container .label-wrap", "#{t}_actions_column #{t}_generate", "#{t}_toprow #{t}_prompt", "#{t}_settings #{t}_steps",
    "#{t}_results #{t}_gallery_container #{t}_gallery",
    ".input-accordion .label-wrap", "#tabs .tab-nav button.selected", ".tabitem[id^=tab_]", "#settings_json textarea",
    *(f".gradio-{kind}" for kind in KINDS.split())]


@pytest.fixture(scope="module")
def with_extension(tmp_path_factory):
    data_dir = tiny_model.make_data_dir(tmp_path_factory.mktemp("page") / "data")
    shutil.copytree(EXTENSION, data_dir / "extensions" / "page-test")
    with ServerProcess(data_dir, "--api", "--page-of-a-test", "given") as process:
        yield process


@pytest.fixture
def tab(page, with_extension):
    """The page when the scripts of the extension were told that it is loaded."""
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(with_extension.url)
    page.wait_for_function("() => typeof seen !== 'undefined' && seen.loaded > 0", timeout=90_000)
    yield page
    assert page.problems == [] and page.outside_requests == []


def test_scripts_run_early_in_order_and_are_told_once_when_all_is_there(tab):
    tab.wait_for_function("() => seen.module && seen.afterUpdates > 0")
    seen = tab.evaluate("() => seen")
    assert seen["early"] and seen["contentLoaded"] and seen["order"] == ["10", "20"]
    assert seen["loaded"] == 1 and seen["idsAtOnce"] == [] and seen["updates"] > 0 and seen["options"] >= 1
    assert seen["tabAtLoad"] == "tab_txt2img-button"
    assert not tab.evaluate("() => document.querySelector('#inner_closed .label-wrap').classList.contains('open')")
    assert tab.evaluate("names => names.filter((name) => typeof window[name] !== 'function')", NAMES.split()) == []
    assert tab.evaluate("names => names.filter((name) => typeof window[name] !== 'object')", VALUES.split()) == []
    addresses = tab.evaluate("() => Array.from(document.querySelectorAll('script[src*=page-test]'), (e) => e.getAttribute('src'))")
    assert all(address.startswith("file=") and address.partition("?")[2] for address in addresses) and len(addresses) == 3
    made = "() => { const e = document.createElement('i'); e.className = 'from-the-style-sheet'; document.body.append(e); "
    assert tab.evaluate(made + "return getComputedStyle(e).color }") == "rgb(1, 2, 3)"
    tab.evaluate("() => switch_to_img2img()")
    tab.wait_for_function("() => seen.tabs.includes('tab_img2img')")


def test_a_page_that_cannot_be_opened_whole_in_time_shows_its_first_tab(page, with_extension):
    page.add_init_script("""setInterval(() => {
        const chosen = typeof wholePage !== "undefined" && wholePage.isBegun && get_uiCurrentTab();
        if (chosen && chosen.id !== "tab_txt2img-button") wholePage.framesLeft = 0;
    }, 2)""")
    page.goto(with_extension.url)
    page.wait_for_function("() => typeof seen !== 'undefined' && seen.loaded > 0", timeout=90_000)
    assert page.evaluate("() => [wholePage.framesLeft < 1, seen.tabAtLoad, get_uiCurrentTab().id]") == [True, *["tab_txt2img-button"] * 2]


def test_every_element_that_scripts_look_for_is_there(tab):
    both = lambda names: [name.format(t=main) for name in names for main in ("txt2img", "img2img")]
    assert tab.evaluate("ids => ids.filter((id) => !gradioApp().getElementById(id))", both(ELEMENTS.split())) == []
    assert tab.evaluate("all => all.filter((one) => !gradioApp().querySelector(one))", both(SELECTORS)) == []
    tab.click("#txt2img_checkpoints-button")
    tab.wait_for_selector("#txt2img_checkpoints_cards .card .actions .additional .search_term", state="attached")


def test_a_value_written_by_a_script_reaches_python_and_comes_back(tab):
    tab.evaluate("""() => {
        const box = document.querySelector("#script_txt2img_page_of_a_test_word textarea");
        box.value = "hello";
        updateInput(box);
        document.querySelector("#script_txt2img_page_of_a_test_copy").click();
    }""")
    tab.wait_for_function("() => document.querySelector('#script_txt2img_page_of_a_test_copied textarea').value === 'HELLO!'")
    assert tab.evaluate("() => document.querySelector('#script_txt2img_page_of_a_test_hidden textarea').value") == "secret"
    assert tab.evaluate("() => document.querySelector('#script_txt2img_page_of_a_test_word').classList.contains('gradio-textbox')")
    assert tab.evaluate("() => document.querySelector('#after_sampling').textContent.trim()") == "here"
    tab.click("#script_txt2img_page_of_a_test_switch-checkbox input")
    tab.wait_for_selector("#script_txt2img_page_of_a_test_word", state="visible")


def test_a_tab_of_an_extension_works_and_sends_to_others(tab, with_extension):
    tab.click("#tab_of_a_test-button")
    tab.evaluate("""() => {
        const number = document.querySelector("#tab_number input[type=number]");
        number.value = 7;
        updateInput(number);
    }""")
    tab.wait_for_function("() => document.querySelector('#tab_told textarea').value === 'it is 7'")
    tab.fill("#tab_infotext textarea", "a sent prompt\nSteps: 7, Sampler: Euler, Seed: 12, Size: 64x64")
    tab.click("#tab_send")
    tab.wait_for_function("() => document.querySelector('#txt2img_prompt textarea').value === 'a sent prompt'")
    config = with_extension.get("/config")[1]
    generate = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "txt2img_generate")
    pressed = next(event for event in config["dependencies"] if [generate, "click"] in event["targets"])
    assert len(pressed["outputs"]) == 4, "extensions find Generate by them"
    answer = with_extension.get("/page-of-a-test")[1]
    assert answer["flag"] == "given" and {"txt2img_prompt", "img2img_prompt", "setting_samples_format"} <= set(answer["told"])


def test_tabs_with_other_things_between_them_have_a_button_each(tab):
    tab.click("#tab_of_a_test-button")
    buttons = tab.locator("#inner_tabs .tab-nav [role=tab]")
    assert buttons.all_inner_texts() == ["First", "Second"]
    for button, content, other in (("Second", "inner_second", "inner_first"), ("First", "inner_first", "inner_second")):
        buttons.filter(has_text=button).click()
        tab.wait_for_selector(f"#{content}", state="visible")
        assert not tab.locator(f"#{other}").is_visible()
        assert tab.locator("#between_tabs").is_visible()
    assert tab.evaluate("() => document.querySelector('#before_tabs textarea').value") == "unseen"


def test_scripts_see_the_open_tab_as_a_block(tab):
    are_blocks = "(ids) => Array.from(document.querySelectorAll('#tabs > .tabitem')).filter((e) => e.style.display === 'block')"
    are_blocks += ".map((e) => e.id).join() === ids"
    tab.wait_for_function(are_blocks, arg="tab_txt2img")
    tab.click("#tab_of_a_test-button")
    tab.wait_for_function(are_blocks, arg="tab_of_a_test")
    assert tab.evaluate("() => getComputedStyle(document.querySelector('#tab_of_a_test')).display") == "flex"


def test_a_table_without_heads_has_columns(tab):
    tab.click("#tab_of_a_test-button")
    tab.click("#inner_first-button")
    tab.wait_for_function("() => document.querySelector('#tab_table [data-testid=\"cell-0-1\"]').offsetWidth > 30")


def test_a_script_presses_generate_and_follows_the_job(tab):
    for name, value in (("width", 64), ("height", 64), ("steps", 2)):
        box = tab.locator(f"#txt2img_{name} input[type=number]")
        box.fill(str(value))
        box.press("Tab")
    tab.evaluate("""() => {
        const box = document.querySelector("#txt2img_prompt textarea");
        box.value = "a cat";
        updateInput(box);
        localSet("of a test", "kept");
        gradioApp().querySelector("#txt2img_generate").click();
    }""")
    tab.wait_for_function("() => document.querySelector('#html_info_txt2img').innerText.startsWith('a cat')", timeout=90_000)
    assert tab.evaluate("() => [localGet('of a test', ''), opts.samples_format, all_gallery_buttons().length]") == ["kept", "png", 1]
    ended = tab.evaluate("""() => new Promise((resolve) => requestProgress("task(none)", byId("txt2img_gallery_container"),
        byId("txt2img_gallery"), () => resolve("ended"), null, 0.5))""")
    assert ended == "ended"
