"""The PNG Info tab in a real browser: our own files, files of other programs, and files that mean harm."""
import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.imaging.encode import png_bytes

pytestmark = pytest.mark.browser
REPORT = "#pnginfo_report"
HARM = "<img src=x onerror='window.hit=1'>"


def open_tab(easel):
    easel.tab.click("#tab_pnginfo-button")
    easel.tab.wait_for_selector("#pnginfo_image .drop-zone")


def choose(easel, content: bytes, name: str = "picture.png"):
    """Open the tab and choose a file; waits until it was read."""
    open_tab(easel)
    easel.tab.set_input_files("#pnginfo_file", {"name": name, "mimeType": "image/png", "buffer": content})
    easel.tab.wait_for_selector(f"{REPORT} h2, {REPORT} .error")


def with_texts(texts: dict[str, str]) -> bytes:
    chunks = PngInfo()
    for name, text in texts.items():
        chunks.add_itxt(name, text)
    file = io.BytesIO()
    Image.new("RGB", (40, 24), "teal").save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def made_picture(easel, prompt: str) -> Path:
    """Generate once; the path of the picture."""
    before = easel.tab.evaluate("shownTask('txt2img')")
    easel.generate()
    easel.wait_for(f"() => shownTask('txt2img') && shownTask('txt2img') !== {json.dumps(before)}")
    easel.wait_for_result(prompt)
    easel.wait_until_idle()
    job = easel.tab.evaluate("shownTask('txt2img')")
    return Path(easel.server.get(f"/internal/result/{job}")[1]["result"]["images"][0]["path"])


def test_our_own_file_sent_to_txt2img_makes_the_same_pixels_again(easel):
    easel.prompt("a (red:1.2) house, <not html>")
    easel.tab.fill("#txt2img_neg_prompt textarea", "rain")
    easel.number("txt2img_steps", 3)
    easel.number("txt2img_cfg_scale", 4.5)
    easel.number("txt2img_height", 128)
    first = made_picture(easel, "a (red:1.2) house")
    easel.prompt("something else")
    easel.number("txt2img_steps", 2)
    easel.number("txt2img_height", 64)
    choose(easel, first.read_bytes())
    assert easel.tab.inner_text(f"{REPORT} h2") == "Made by Easel"
    assert easel.tab.inner_text(f"{REPORT} .picture-size") == "64 × 128"
    easel.tab.click("#pnginfo_send_to_txt2img")
    easel.tab.wait_for_function("() => textareaOf('txt2img_prompt').value === 'a (red:1.2) house, <not html>'")
    second = made_picture(easel, "a (red:1.2) house")
    assert second != first
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


def test_a_file_of_another_program_is_translated_and_says_what_is_missing(easel):
    comment = {"prompt": "{{cat}}", "uc": "bad", "steps": 28, "sampler": "k_euler_ancestral", "noise_schedule": "karras", "scale": 5.5,
               "seed": 7, "width": 832, "height": 1216, "sm": True}
    choose(easel, with_texts({"Software": "NovelAI", "Comment": json.dumps(comment)}))
    text = easel.tab.inner_text(REPORT)
    for expected in ("Made by NovelAI", "SMEA cannot be expressed", "parameters, translated", "(cat:1.1025)", "Comment", '"uc": "bad"'):
        assert expected in text
    easel.tab.click("#pnginfo_send_to_txt2img")
    easel.tab.wait_for_function("() => textareaOf('txt2img_prompt').value === '(cat:1.1025)'")
    assert easel.tab.input_value("#txt2img_height input[type=number]") == "1216"
    assert easel.tab.input_value("#txt2img_sampling input") == "Euler a"
    easel.tab.wait_for_function("() => byId('html_log_txt2img').innerText.includes('SMEA')")
    assert "NovelAI" in easel.log()
    easel.tab.click("#tab_pnginfo-button")
    easel.tab.click("#pnginfo_send_to_img2img")
    easel.tab.wait_for_function("() => byId('html_log_img2img') && byId('html_log_img2img').innerText.includes('SMEA')")


def test_texts_in_a_file_are_text(easel):
    choose(easel, with_texts({HARM: HARM, "long": "x" * 9000, "parameters": f"{HARM}\nSteps: 2, Sampler: LMS, Seed: 1, Model: \"{HARM}\""}))
    assert HARM in easel.tab.inner_text(REPORT)
    assert easel.tab.locator(f"{REPORT} img").count() == 0 and easel.tab.evaluate("window.hit") is None
    easel.tab.click(f"{REPORT} button:has-text('Show all 9,000 characters')")
    assert "x" * 9000 in easel.tab.inner_text(REPORT)


def test_a_file_without_parameters_and_one_that_is_no_picture_are_said_to_be_so(easel):
    choose(easel, png_bytes(Image.new("RGB", (8, 8)), ""))
    assert "holds no parameters" in easel.tab.inner_text(REPORT)
    easel.tab.click("#pnginfo_send_to_txt2img")
    easel.tab.get_by_text("no parameters that could be sent").wait_for()
    choose(easel, b"no picture", "text.png")
    easel.tab.wait_for_selector(f"{REPORT} .error")
    assert "cannot be read" in easel.tab.inner_text(REPORT)
    easel.tab.click("#pnginfo_send_to_txt2img")
    easel.tab.get_by_text("Choose a picture first.").wait_for()


def test_the_picture_and_its_parameters_go_to_img2img(easel):
    infotext = "an orange\nSteps: 4, Sampler: Euler, CFG scale: 3, Seed: 5, Size: 96x64"
    choose(easel, png_bytes(Image.new("RGB", (96, 64), "orange"), infotext))
    easel.tab.click("#pnginfo_send_to_img2img")
    easel.tab.wait_for_function("() => byId('img2img_prompt') && textareaOf('img2img_prompt').value === 'an orange'")
    easel.tab.wait_for_function("() => canvasOf('img2img_image').hasPicture()")
    assert easel.tab.evaluate("canvasOf('img2img_image').pictureSize()") == {"width": 96, "height": 64}


DROP = """([content, selector]) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], "dropped.png", {type: "image/png"}));
    for (const kind of ["dragenter", "dragover", "drop"]) {
        document.querySelector(selector).dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: files}));
    }
}"""


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_picture_can_be_dropped_on_the_tab(easel):
    open_tab(easel)
    easel.tab.evaluate(DROP, [encoded(png_bytes(Image.new("RGB", (8, 8)), "a dropped picture")), "#pnginfo_image .drop-zone"])
    easel.tab.wait_for_selector(f"{REPORT} h2")
    assert "a dropped picture" in easel.tab.inner_text(REPORT) and "dropped.png" in easel.tab.inner_text(REPORT)


def test_notes_about_a_foreign_file_stand_in_the_log_line_after_a_drop_on_the_prompt(easel):
    comment = json.dumps({"prompt": "[sea]", "uc": "", "steps": 28, "sampler": "k_odd", "scale": 5, "seed": 7})
    easel.tab.evaluate(DROP, [encoded(with_texts({"Software": "NovelAI", "Comment": comment})), "#txt2img_prompt textarea"])
    easel.tab.wait_for_function("() => textareaOf('txt2img_prompt').value === '(sea:0.952381)'")
    easel.tab.wait_for_function("() => byId('html_log_txt2img').innerText.includes('k_odd')")
    assert "NovelAI" in easel.log()
