"""Replay & verify, the prompt inspector, dropped and enlarged pictures, in a real browser against the real server."""
import base64
import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.imaging.encode import png_bytes

pytestmark = pytest.mark.browser
REPORT = "#txt2img_replay_report"


def made_picture(easel, prompt):
    """Generate one picture; its path."""
    easel.prompt(prompt)
    easel.number("txt2img_steps", 2)
    easel.generate()
    easel.wait_for_result(prompt)
    easel.wait_until_idle()
    job = easel.tab.evaluate("shownTask('txt2img')")
    return easel.server.get(f"/internal/result/{job}")[1]["result"]["images"][0]["path"]


def replayed(easel):
    """Press the button; the text of the report once it is there."""
    easel.tab.click("#txt2img_replay")
    easel.wait_for("() => byId('txt2img_replay_report') && byId('txt2img_replay_report').dataset.verdict !== 'running'")
    return easel.tab.inner_text(REPORT)


def test_replay_says_identical_under_the_picture_and_shows_the_new_one(easel):
    made_picture(easel, "a cat to be made again")
    first = easel.tab.evaluate("shownTask('txt2img')")
    assert "identical" in replayed(easel)
    easel.tab.click(f"{REPORT} button:has-text('Show the new picture')")
    easel.wait_for(f"() => shownTask('txt2img') !== {json.dumps(first)}")
    easel.tab.click(f"{REPORT} button:has-text('Show the first one')")
    easel.wait_for(f"() => shownTask('txt2img') === {json.dumps(first)}")
    easel.tab.click(f"{REPORT} button:has-text('Close')")
    assert easel.tab.locator(REPORT).count() == 0


def test_replay_of_a_changed_file_says_by_how_much_and_as_text(easel):
    path = made_picture(easel, "a dog <img src=x onerror=window.hit=1>")
    picture = Image.open(path)
    keep = PngInfo()
    keep.add_text("parameters", picture.info["parameters"].replace("Steps: 2", "Steps: 3"))
    picture.convert("L").save(path, pnginfo=keep)
    text = replayed(easel)
    assert "different (max" in text and easel.tab.locator(f"{REPORT} p").count() >= 1
    assert easel.tab.evaluate("window.hit") is None


def test_replay_without_a_picture_says_so(easel):
    easel.tab.evaluate("byId('generation_info_txt2img').querySelector('textarea').value = ''")
    easel.tab.click("#txt2img_replay")
    easel.tab.get_by_text("There is no picture yet.").wait_for()


def test_the_inspector_shows_tokens_weights_schedule_unknown_names_and_cost(easel):
    easel.prompt("a (red:1.5) [cat:dog:0.5] <lora:nobody:1> AND sky (")
    easel.number("txt2img_steps", 10)
    easel.tab.click("#txt2img_inspect")
    easel.tab.wait_for_selector("#txt2img_inspector[data-open] h3")
    text = easel.tab.inner_text("#txt2img_inspector")
    for expected in ("Steps 1 to 5", "Steps 6 to 10", 'There is no LoRA "nobody"', "No partner for this bracket", "Part 2, weight 1",
                     "30 network evaluations"):
        assert expected in text
    assert "1.5" in easel.tab.locator(".inspector-token.stronger", has_text="red").first.inner_text()
    assert easel.tab.locator("#txt2img_token_counter.error").count() == 1
    easel.tab.keyboard.press("Escape")
    assert not easel.tab.locator("#txt2img_inspector").is_visible()


def test_the_inspector_takes_prompts_for_text_and_follows_the_form(easel):
    easel.prompt("<b>bold</b> <img src=x onerror=window.hit=1>")
    easel.number("txt2img_steps", 7)
    easel.number("txt2img_batch_count", 3)
    easel.tab.click("#txt2img_inspect")
    easel.tab.get_by_text("The job: 3 pictures, 42 network evaluations.").wait_for()
    assert easel.tab.evaluate("window.hit") is None and easel.tab.locator("#txt2img_inspector b").count() == 0
    easel.tab.click("#txt2img_inspector button[aria-label='Close the inspector']")


DROP = """([content, element]) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], "picture.png", {type: "image/png"}));
    const box = byId(element).querySelector("textarea");
    const over = new DragEvent("dragover", {dataTransfer: files, bubbles: true, cancelable: true});
    const drop = new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true});
    box.dispatchEvent(over);
    const isMarked = byId(element).matches("[data-drop]") || !!document.querySelector("[data-drop]");
    box.dispatchEvent(drop);
    return isMarked && over.defaultPrevented && drop.defaultPrevented;
}"""


def dropped(easel, content, element="txt2img_prompt"):
    return easel.tab.evaluate(DROP, [base64.b64encode(content).decode(), element])


def test_a_picture_dropped_on_the_prompt_fills_the_form(easel):
    infotext = "a dropped cat\nNegative prompt: dropped too\nSteps: 11, Sampler: Heun, CFG scale: 3, Seed: 77, Size: 72x80"
    assert dropped(easel, png_bytes(Image.new("RGB", (8, 8)), infotext), "txt2img_neg_prompt")
    easel.wait_for("() => document.querySelector('#txt2img_steps input[type=number]').value === '11'")
    values = easel.tab.evaluate("""['txt2img_prompt', 'txt2img_neg_prompt', 'txt2img_seed', 'txt2img_width', 'txt2img_sampling'].map(
        (id) => (byId(id).querySelector('textarea') || byId(id).querySelector('input')).value)""")
    assert values == ["a dropped cat", "dropped too", "77", "72", "Heun"]


def test_a_dropped_file_without_parameters_changes_nothing_and_says_why(easel):
    easel.prompt("stays")
    assert dropped(easel, b"no picture")
    easel.tab.get_by_text("The picture cannot be read.").wait_for()
    assert easel.tab.input_value("#txt2img_prompt textarea") == "stays"


def test_the_enlarge_button_runs_hires_fix_on_the_selected_picture(easel):
    made_picture(easel, "a cat to be enlarged")
    easel.tab.click("#txt2img_upscale")
    easel.wait_for("() => byId('html_info_txt2img').innerText.includes('Hires upscale: 2')")
    assert "a cat to be enlarged" in easel.tab.inner_text("#html_info_txt2img")
    easel.wait_until_idle()
