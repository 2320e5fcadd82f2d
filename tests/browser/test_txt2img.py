"""txt2img in a real browser against the real server: typing, generating, stopping, reloading."""
import io
import json
import urllib.parse
import urllib.request

import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def test_a_prompt_becomes_a_picture_on_disk_that_carries_its_parameters(easel):
    easel.prompt("a red circle, first")
    easel.number("txt2img_steps", 4)
    easel.generate()
    easel.wait_for_result("a red circle, first")
    assert "Steps: 4" in easel.tab.inner_text("#html_info_txt2img") and "Time taken" in easel.log()
    address = easel.tab.locator("#txt2img_gallery .preview img").first.get_attribute("src")
    picture = Image.open(io.BytesIO(urllib.request.urlopen(urllib.parse.urljoin(easel.server.url, address)).read()))
    assert picture.info["parameters"].startswith("a red circle, first\nSteps: 4")
    copies = [path for path in (easel.server.data_dir / "cache" / "tmp").rglob("*") if path.is_file()]
    assert copies == []  # it is served from where it lies


def test_the_page_can_be_used_soon_after_loading(easel):
    assert easel.open() < 10  # 2 s on a quiet machine
    assert easel.tab.evaluate("Object.keys(opts).length") > 50


def test_generate_interrupt_and_skip_by_keyboard(easel):
    easel.prompt("by keyboard")
    easel.number("txt2img_steps", 150)
    easel.number("txt2img_batch_count", 50)
    easel.tab.focus("#txt2img_prompt textarea")
    easel.tab.keyboard.press("Control+Enter")
    easel.wait_for("() => byId('txt2img_skip').offsetParent !== null")
    assert easel.tab.locator("#txt2img_generate").is_enabled()
    easel.tab.keyboard.press("Alt+Enter")
    easel.wait_for("() => queueState.jobs.length && document.title.includes('%')")
    easel.tab.keyboard.press("Escape")
    easel.wait_until_idle()
    easel.wait_for("() => byId('html_log_txt2img').innerText.includes('Interrupted')")
    assert easel.tab.title() == "Easel" and not easel.tab.locator("#txt2img_interrupt").is_visible()


def test_a_reloaded_and_a_second_page_follow_the_running_job_and_show_its_result(easel, page):
    easel.prompt("survives a reload")
    easel.number("txt2img_steps", 60)
    easel.number("txt2img_batch_count", 100)
    easel.generate()
    easel.wait_for("() => queueState.jobs.some((job) => job.pictures_done > 0)")
    easel.open()
    easel.wait_for("() => document.querySelector('#txt2img_gallery_container .progressDiv') && byId('txt2img_interrupt').offsetParent")
    second = page.context.browser.new_context().new_page()
    second.goto(easel.server.url)
    second.wait_for_selector(".progressDiv", timeout=20_000)
    second.click("#txt2img_interrupt")
    for tab in (easel.tab, second):
        tab.wait_for_function("() => byId('html_info_txt2img').innerText.includes('survives a reload')", timeout=60_000)
        assert tab.locator("#txt2img_gallery .preview img").count() > 0
    second.context.close()
    easel.open()
    easel.wait_for_result("survives a reload")


@pytest.mark.parametrize("presses", [30, pytest.param(100, marks=pytest.mark.long)])
def test_many_presses_make_as_many_jobs_and_the_page_stays_alive(easel, presses):
    easel.server.post("/internal/queue/pause", {})
    easel.number("txt2img_steps", 1)
    for number in range(presses):
        easel.tab.evaluate("byId('txt2img_generate').click()")
        if number == presses // 2:
            easel.prompt("the later half")
    easel.wait_for(f"() => queueState.waiting === {presses}")
    assert "Queued as" in easel.log()
    titles = [job["title"] for job in easel.queue()["jobs"]]
    assert titles.count("the later half") >= presses * 2 // 5  # each press froze what the form held then
    easel.prompt("still alive")
    assert easel.tab.locator("#queue_list li").count() == presses
    easel.tab.click("#queue_cancel_all")
    easel.wait_until_idle()
    easel.server.post("/internal/queue/resume", {})
    easel.generate()
    easel.wait_for_result("still alive")


def test_jobs_that_wait_can_be_reordered_and_cancelled_in_the_drawer(easel):
    easel.server.post("/internal/queue/pause", {})
    easel.number("txt2img_steps", 1)
    for text in ("one", "two", "three"):
        easel.prompt(text)
        easel.generate()
        easel.wait_for(f"() => queueState.jobs.some((job) => job.title === '{text}')")
    rows = easel.tab.locator("#queue_list li")
    rows.nth(2).locator("button.up").click()
    easel.wait_for("() => queueState.jobs.map((job) => job.title).join() === 'one,three,two'")
    rows.nth(0).focus()
    easel.tab.keyboard.press("Alt+ArrowDown")
    easel.wait_for("() => queueState.jobs.map((job) => job.title).join() === 'three,one,two'")
    rows.nth(1).locator("button.cancel").click()
    easel.wait_for("() => queueState.jobs.map((job) => job.title).join() === 'three,two'")
    easel.tab.click("#queue_pause")
    easel.wait_for_result("two")


def test_values_that_cannot_be_are_refused_with_a_sentence(easel):
    easel.prompt("refused")
    easel.number("txt2img_cfg_scale", 5000)
    easel.generate()
    easel.wait_for("() => byId('html_log_txt2img').innerText.includes('CFG Scale')")
    assert "0 to 1000" in easel.log()
    easel.wait_until_idle()
    assert "refused" not in [job["title"] for job in easel.queue()["recent"]]


def test_seed_buttons_swap_and_extra(easel):
    easel.prompt("seeds")
    easel.number("txt2img_steps", 2)
    easel.number("txt2img_width", 64)
    easel.number("txt2img_height", 128)
    easel.tab.click("#txt2img_res_switch_btn")
    easel.wait_for("() => document.querySelector('#txt2img_width input[type=number]').value === '128'")
    easel.generate()
    easel.wait_for_result("seeds")
    assert "Size: 128x64" in easel.tab.inner_text("#html_info_txt2img")
    easel.tab.click("#txt2img_reuse_seed")
    easel.wait_for("() => Number(document.querySelector('#txt2img_seed input').value) >= 0")
    seed = easel.tab.input_value("#txt2img_seed input")
    assert f"Seed: {seed}" in easel.tab.inner_text("#html_info_txt2img")
    assert not easel.tab.locator("#txt2img_subseed").is_visible()
    easel.tab.check("#txt2img_subseed_show input")
    assert easel.tab.locator("#txt2img_subseed").is_visible()
    easel.tab.click("#txt2img_random_seed")
    easel.wait_for("() => document.querySelector('#txt2img_seed input').value === '-1'")


def test_pasted_parameters_fill_the_form(easel):
    numbers = "Steps: 7, Sampler: Euler a, CFG scale: 3.5, Seed: 42, Size: 64x96, Clip skip: 2"
    easel.prompt(f"a fox, <b>bold</b>\nNegative prompt: rain\n{numbers}")
    easel.tab.click("#paste")
    easel.wait_for("() => document.querySelector('#txt2img_steps input[type=number]').value === '7'")
    assert easel.tab.input_value("#txt2img_prompt textarea") == "a fox, <b>bold</b>"
    assert easel.tab.input_value("#txt2img_neg_prompt textarea") == "rain"
    assert easel.tab.input_value("#txt2img_sampling input") == "Euler a"
    assert easel.tab.input_value("#txt2img_seed input") == "42"
    assert "Clip skip: 2" in easel.tab.inner_text("#txt2img_override_settings")
    easel.generate()
    easel.wait_for_result("a fox, <b>bold</b>")
    assert "Clip skip: 2" in easel.tab.inner_text("#html_info_txt2img")


def test_lightbox_opens_on_the_picture_and_obeys_keys(easel):
    easel.prompt("lightbox")
    easel.number("txt2img_steps", 1)
    easel.number("txt2img_batch_count", 2)
    easel.generate()
    easel.wait_for_result("lightbox")
    easel.tab.locator("#txt2img_gallery .preview .media-button").click()
    shown = easel.tab.locator("#lightboxModal")
    shown.wait_for(state="visible")
    first = easel.tab.get_attribute("#modalImage", "src")
    easel.tab.keyboard.press("ArrowRight")
    assert easel.tab.get_attribute("#modalImage", "src") != first
    easel.tab.keyboard.press("s")
    easel.wait_for("() => (byId('easel_messages') || {innerText: ''}).innerText.includes('Saved as')")
    easel.tab.keyboard.press("Escape")
    assert not shown.is_visible()
    rows = (easel.server.data_dir / "log" / "images" / "log.csv").read_text("utf-8").splitlines()
    assert rows[0].startswith("prompt,seed,width") and rows[1].startswith("lightbox,")
    with easel.tab.expect_download() as download:
        easel.tab.click("#save_zip_txt2img")
    assert download.value.suggested_filename.endswith(".zip")


PAYLOADS = ["<img src=x onerror=window.fired=1>", "<script>window.fired=1</script>", "\" onmouseover=\"window.fired=1", "${window.fired=1}",
            "{{constructor.constructor('window.fired=1')()}}", "[x](javascript:window.fired=1)", "<svg/onload=window.fired=1>"]


def test_text_of_users_is_shown_literally_everywhere(easel):
    text = " ".join(PAYLOADS)
    easel.server.post("/sdapi/v1/options", {"samples_filename_pattern": "<img src=x onerror=window.fired=1>"})
    easel.prompt(text)
    easel.number("txt2img_steps", 1)
    easel.generate()
    easel.wait_for_result(PAYLOADS[0])
    assert easel.tab.locator("#html_info_txt2img img, #html_info_txt2img script").count() == 0
    easel.tab.click("#queue_button")
    easel.tab.click("#queue_recent summary")
    assert PAYLOADS[0] in easel.tab.locator("#queue_recent .title").first.inner_text()
    easel.tab.click("#txt2img_styles_edit_button")
    easel.tab.fill("#txt2img_styles_edit_select input", PAYLOADS[0])
    easel.tab.keyboard.press("Enter")
    easel.tab.click("#txt2img_edit_style_save")
    easel.wait_for("() => byId('txt2img_styles_message').innerText.includes('<img src=x')")
    easel.tab.click("#txt2img_edit_style_close")
    easel.open()
    easel.tab.click("#tab_settings-button")
    easel.tab.wait_for_selector("#setting_samples_filename_pattern")
    easel.wait_for_result(PAYLOADS[0]) if easel.tab.locator("#html_info_txt2img").is_visible() else None
    assert easel.tab.evaluate("window.fired") is None
    easel.server.post("/sdapi/v1/options", {"samples_filename_pattern": ""})


def test_hidden_state_for_scripts_is_valid_json(easel):
    assert json.loads(easel.tab.input_value("#settings_json textarea"))["samples_format"] == "png"
