"""The Extras tab in a real browser: one picture, a batch with a broken file, a folder, and pictures that other tabs send."""
import json
from pathlib import Path

import pytest
from page_dropdowns import choose_option
from PIL import Image

from modules.imaging.encode import png_bytes

pytestmark = pytest.mark.browser
INFOTEXT = "a red square\nSteps: 1, Sampler: Euler, Seed: 5"


def open_tab(easel):
    easel.tab.click("#tab_extras-button")
    easel.tab.wait_for_selector("#extras_image input[type=file]", state="attached")


def picture(width=40, height=24, text=INFOTEXT):
    return png_bytes(Image.linear_gradient("L").resize((width, height)).convert("RGB"), text)


def given(name, content):
    return {"name": name, "mimeType": "image/png", "buffer": content}


def choose_upscaler(easel, name, number=1):
    choose_option(easel.tab, f"#extras_upscaler_{number}", name)


def press(easel):
    """Press Generate; the finished job, when the page shows its result."""
    before = easel.tab.evaluate("shownTask('extras')")
    easel.generate("extras")
    easel.wait_for(f"() => shownTask('extras') && shownTask('extras') !== {json.dumps(before)}")
    easel.wait_until_idle()
    return easel.server.get(f"/internal/result/{easel.tab.evaluate('shownTask(`extras`)')}")[1]["result"]


def test_a_picture_is_enlarged_and_keeps_its_parameters(easel):
    open_tab(easel)
    easel.generate("extras")
    easel.tab.wait_for_selector("#html_log_extras .error")
    assert "no picture to work on" in easel.log("extras")
    easel.tab.set_input_files("#extras_image input[type=file]", given("a.png", picture()))
    easel.wait_for("() => canvasOf('extras_image').hasPicture()")
    choose_upscaler(easel, "Nearest")
    easel.number("extras_upscaling_resize", 2)
    made = press(easel)["images"][0]
    assert Image.open(made["path"]).size == (80, 48) and made["infotext"].startswith(INFOTEXT)
    easel.wait_for("() => byId('html_info_extras').innerText.includes('Postprocess upscaler: Nearest')")
    easel.tab.click("#extras_send_to_img2img")
    easel.wait_for("() => canvasOf('img2img_image') && canvasOf('img2img_image').hasPicture()")
    assert easel.tab.evaluate("canvasOf('img2img_image').pictureSize()") == {"width": 80, "height": 48}


def test_scale_to_crops_and_steps_appear_when_they_are_switched_on(easel):
    open_tab(easel)
    easel.tab.set_input_files("#extras_image input[type=file]", given("a.png", picture()))
    easel.wait_for("() => canvasOf('extras_image').hasPicture()")
    easel.tab.click("#extras_scale_to_tab-button")
    easel.number("extras_upscaling_resize_w", 96)
    easel.number("extras_upscaling_resize_h", 64)
    easel.tab.click("#upscaling_res_switch_btn")
    easel.wait_for("() => numberIn('extras_upscaling_resize_w') === 64")
    choose_upscaler(easel, "Lanczos")
    flips = easel.tab.locator("#extras_create_flipped_copies")
    assert not flips.get_by_text("Vertical").is_visible()
    easel.tab.check("#extras_create_flipped_copies-checkbox input")
    flips.get_by_text("Vertical").click()
    images = press(easel)["images"]
    assert [Image.open(row["path"]).size for row in images] == [(64, 96)] * 3


def test_a_batch_with_a_broken_file_shows_the_others_and_names_it(easel, tmp_path):
    open_tab(easel)
    easel.tab.click("#extras_batch_process_tab-button")
    files = [given("one.png", picture()), given("bad.png", b"not a picture"), given("two.png", picture(32, 32))]
    easel.tab.set_input_files("#extras_image_batch input[type=file]", files)
    easel.tab.wait_for_selector("#extras_image_batch :text('two')")
    result = press(easel)
    assert [Path(row["path"]).stem for row in result["images"]] == ["one", "two"]
    easel.wait_for("() => byId('html_log_extras').innerText.includes('bad.png was left out')")
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(picture())
    easel.tab.click("#extras_batch_directory_tab-button")
    easel.tab.fill("#extras_batch_input_dir input, #extras_batch_input_dir textarea", str(tmp_path))
    easel.tab.fill("#extras_batch_output_dir input, #extras_batch_output_dir textarea", str(tmp_path / "out"))
    assert len(press(easel)["images"]) == 2 and (tmp_path / "out" / "a.png").is_file()


def test_pictures_of_txt2img_and_png_info_are_sent_here(easel):
    easel.number("txt2img_steps", 1)
    easel.prompt("a cat")
    easel.generate()
    easel.wait_for_result("a cat")
    easel.tab.click("#txt2img_send_to_extras")
    easel.wait_for("() => canvasOf('extras_image') && canvasOf('extras_image').hasPicture()")
    assert easel.tab.evaluate("canvasOf('extras_image').pictureSize()") == {"width": 64, "height": 64}
    easel.tab.click("#tab_pnginfo-button")
    easel.tab.set_input_files("#pnginfo_file", given("b.png", picture(48, 30)))
    easel.tab.wait_for_selector("#pnginfo_report h2")
    easel.tab.click("#pnginfo_send_to_extras")
    easel.wait_for("() => canvasOf('extras_image').pictureSize() && canvasOf('extras_image').pictureSize().width === 48")
    assert easel.tab.locator("#extras_image").is_visible()
