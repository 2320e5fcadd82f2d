"""img2img in a real browser against the real server: pictures, drawn masks, sending, comparing."""
import io

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def card(width=128, height=96):
    """A picture in which every pixel differs from its neighbours, as the bytes of a PNG file."""
    picture = Image.fromarray(np.random.default_rng(7).integers(0, 255, (height, width, 3), dtype=np.uint8))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def pixels(content_or_path):
    source = io.BytesIO(content_or_path) if isinstance(content_or_path, bytes) else content_or_path
    return np.asarray(Image.open(source).convert("RGB")).astype(int)


class Img2Img:
    """The img2img tab as a person uses it."""

    def __init__(self, easel):
        self.easel, self.tab = easel, easel.tab
        self.tab.click("#tab_img2img-button")
        self.tab.wait_for_selector("#img2img_steps")
        for name, value in (("steps", 4), ("width", 64), ("height", 64)):
            easel.number(f"img2img_{name}", value)

    def mode(self, tab):
        self.tab.click(f"#{tab}-button")

    def put(self, canvas, content=None):
        """Choose a file for a canvas."""
        given = {"name": "picture.png", "mimeType": "image/png", "buffer": card() if content is None else content}
        self.tab.locator(f"#{canvas} input[type=file][accept*=image]").set_input_files(given)
        self.easel.wait_for(f"() => canvasOf('{canvas}').hasPicture()")
        self.tab.evaluate(f"canvasOf('{canvas}').loading")

    def draw(self, canvas, *points):
        """Drag the mouse along points given in pixels of the picture."""
        self.tab.locator(f"#{canvas} .canvas-front").scroll_into_view_if_needed()
        x0, y0, scale = self.tab.evaluate(f"""(() => {{ const {{view}} = canvasOf('{canvas}'), box = view.stage.getBoundingClientRect();
            return [box.left + view.x, box.top + view.y, view.scale]; }})()""")
        for number, (x, y) in enumerate(points):
            self.tab.mouse.move(x0 + x * scale, y0 + y * scale, steps=4)
            if number == 0:
                self.tab.mouse.down()
        self.tab.mouse.up()

    def own_size(self):
        self.tab.click("#img2img_detect_image_size_btn")

    def made(self, prompt):
        """Press Generate; the job's result when the panel shows it."""
        self.easel.prompt(prompt, "img2img")
        self.easel.generate("img2img")
        self.easel.wait_for_result(prompt, tab="img2img")
        self.easel.wait_until_idle()
        return self.result()

    def result(self):
        job = self.tab.evaluate("shownTask('img2img')")
        return self.easel.server.get(f"/internal/result/{job}")[1]["result"]

    def text(self, element):
        return self.tab.inner_text(f"#{element}")


@pytest.fixture
def img2img(easel):
    return Img2Img(easel)


def test_a_mask_drawn_with_the_mouse_is_made_anew_and_nothing_else_changes(img2img):
    img2img.mode("img2img_inpaint_tab")
    img2img.put("img2maskimg")
    img2img.own_size()
    img2img.draw("img2maskimg", (40, 40), (80, 60))
    result = img2img.made("inside the mask")
    picture = result["images"][0]
    changed = (pixels(picture["path"]) != pixels(card())).any(axis=2)
    rows, columns = np.nonzero(changed)
    reach = 8 + 10 + 1  # half the brush, the blur of 4 px, rounding
    assert changed[50, 60] and picture["proof"] == {"applies": True, "changed": 0, "why": ""}
    assert rows.min() >= 40 - reach and rows.max() <= 60 + reach and columns.min() >= 40 - reach and columns.max() <= 80 + reach
    img2img.easel.wait_for("() => byId('img2img_proof') && byId('img2img_proof').innerText === '0 pixels changed outside the mask'")


def test_only_masked_keeps_the_size_of_the_picture(img2img):
    img2img.mode("img2img_inpaint_tab")
    img2img.put("img2maskimg", card(200, 152))
    assert not img2img.tab.locator("#img2img_inpaint_full_res_padding").is_visible()
    img2img.tab.click("#img2img_inpaint_full_res >> text=Only masked")
    assert img2img.tab.locator("#img2img_inpaint_full_res_padding").is_visible()
    img2img.easel.number("img2img_width", 64)
    img2img.easel.number("img2img_height", 64)
    img2img.draw("img2maskimg", (100, 70), (110, 80))
    picture = img2img.made("only a part")["images"][0]
    assert (picture["width"], picture["height"]) == (200, 152) and "Inpaint area: Only masked" in picture["infotext"]
    assert (pixels(picture["path"]) == pixels(card(200, 152))).all(axis=2)[:20].all()


def test_resize_by_says_and_gives_the_size_and_the_steps_that_are_run(img2img):
    img2img.put("img2img_image")
    assert img2img.text("img2img_steps_run") == "4 of 4 steps are run"
    img2img.easel.number("img2img_denoising_strength", 0.5)
    img2img.easel.wait_for("() => byId('img2img_steps_run').innerText === '3 of 4 steps are run'")
    img2img.tab.click("#img2img_tab_resize_by-button")
    img2img.easel.number("img2img_scale", 0.55)
    img2img.easel.wait_for("() => byId('img2img_scale_resolution_preview').innerText === 'from 128x96 to 64x48'")
    picture = img2img.made("smaller")["images"][0]
    assert (picture["width"], picture["height"]) == (64, 48)
    assert not img2img.tab.locator("#inpaint_controls").is_visible()
    img2img.easel.wait_for("() => !byId('img2img_proof')")


def test_paint_of_a_sketch_is_what_the_job_begins_with_and_is_copied(img2img):
    img2img.mode("img2img_img2img_sketch_tab")
    img2img.put("img2img_sketch")
    img2img.own_size()
    img2img.draw("img2img_sketch", (30, 30), (90, 30))
    img2img.easel.number("img2img_denoising_strength", 0)
    img2img.made("painted")
    job = img2img.tab.evaluate("shownTask('img2img')")
    begun = img2img.tab.evaluate("""async (job) => {
        const answer = await fetch('/internal/compare/input/' + encodeURIComponent(job));
        return Array.from(new Uint8Array(await answer.arrayBuffer()));
    }""", job)
    changed = (pixels(bytes(begun)) != pixels(card())).any(axis=2)
    assert changed[30, 60] and not changed[60:].any()
    img2img.tab.click("#img2img_copy_sketch_to_inpaint")
    img2img.easel.wait_for("() => currentMode().name === 'inpaint' && canvasOf('img2maskimg').hasPicture()")
    assert img2img.tab.locator("#img2img_mask_blur").is_visible() and not img2img.tab.locator("#img2img_mask_alpha").is_visible()
    img2img.mode("img2img_inpaint_sketch_tab")
    assert img2img.tab.locator("#img2img_mask_alpha").is_visible()


def test_inpaint_sketch_repaints_what_was_painted(img2img):
    img2img.mode("img2img_inpaint_sketch_tab")
    img2img.put("inpaint_sketch")
    img2img.own_size()
    img2img.draw("inpaint_sketch", (40, 40), (60, 40))
    picture = img2img.made("painted over")["images"][0]
    changed = (pixels(picture["path"]) != pixels(card())).any(axis=2)
    assert changed[40, 50] and not changed[80:].any() and picture["proof"]["changed"] == 0


def test_an_uploaded_mask_counts_as_a_drawn_one(img2img):
    img2img.mode("img2img_inpaint_upload_tab")
    mask = Image.new("L", (128, 96))
    mask.paste(255, (16, 16, 48, 48))
    file = io.BytesIO()
    mask.save(file, "PNG")
    img2img.put("img_inpaint_base")
    img2img.put("img_inpaint_mask", file.getvalue())
    img2img.own_size()
    picture = img2img.made("by an uploaded mask")["images"][0]
    changed = (pixels(picture["path"]) != pixels(card())).any(axis=2)
    assert changed[32, 32] and not changed[64:].any() and not changed[:, 70:].any()


def test_pictures_and_parameters_go_from_tab_to_tab(easel):
    easel.prompt("a cat that travels")
    easel.number("txt2img_steps", 3)
    easel.number("txt2img_width", 96)
    easel.generate()
    easel.wait_for_result("a cat that travels")
    easel.wait_until_idle()
    seed = easel.tab.evaluate("generationInfo('txt2img').seeds[0]")
    easel.tab.click("#txt2img_send_to_inpaint")
    easel.wait_for("() => byId('img2img_prompt') && textareaOf('img2img_prompt').value === 'a cat that travels'")
    names = ("steps", "width", "height", "seed")
    assert [float(easel.tab.locator(f"#img2img_{name} input").first.input_value()) for name in names] == [3, 96, 64, seed]
    assert easel.tab.evaluate("[currentMode().name, canvasOf('img2maskimg').pictureSize()]") == ["inpaint", {"width": 96, "height": 64}]
    easel.tab.click("#tab_txt2img-button")
    easel.tab.click("#txt2img_send_to_img2img")
    easel.wait_for("() => currentMode().name === 'img2img' && canvasOf('img2img_image').hasPicture()")
    img2img = Img2Img(easel)
    img2img.made("a dog that came back")
    easel.tab.click("#img2img_send_to_txt2img")
    easel.wait_for("() => textareaOf('txt2img_prompt').value === 'a dog that came back' && byId('txt2img_prompt').offsetParent")
    assert easel.tab.input_value("#txt2img_steps input[type=number]") == "4"


def test_what_cannot_be_is_a_sentence_and_the_form_keeps_its_values(img2img):
    img2img.easel.prompt("kept", "img2img")
    img2img.easel.generate("img2img")
    img2img.easel.wait_for("() => byId('html_log_img2img').innerText.includes('There is no picture.')")
    img2img.mode("img2img_inpaint_tab")
    img2img.put("img2maskimg")
    img2img.easel.generate("img2img")
    img2img.easel.wait_for("() => byId('html_log_img2img').innerText.includes('There is no mask.')")
    img2img.tab.locator("#img2maskimg input[type=file][accept*=image]").set_input_files(
        {"name": "text.png", "mimeType": "image/png", "buffer": b"no picture at all"})
    img2img.tab.get_by_text("The picture cannot be read.").first.wait_for()
    assert img2img.tab.input_value("#img2img_prompt textarea") == "kept"
    assert img2img.tab.input_value("#img2img_steps input[type=number]") == "4"
    img2img.easel.wait_until_idle()
    assert "kept" not in [job["title"] for job in img2img.easel.queue()["recent"]]


def test_generate_waits_for_a_picture_that_is_on_its_way(img2img):
    img2img.tab.evaluate("""() => {
        const opened = openedForCanvas;
        const gate = new Promise((resolve) => { window.goOn = resolve; });
        openedForCanvas = (...given) => gate.then(() => opened(...given));
    }""")
    img2img.tab.locator("#img2img_image input[type=file]").set_input_files({"name": "large.png", "mimeType": "image/png", "buffer": card()})
    img2img.easel.prompt("a large picture", "img2img")
    img2img.easel.generate("img2img")
    img2img.tab.wait_for_timeout(300)
    img2img.tab.evaluate("goOn()")
    img2img.easel.wait_for_result("a large picture", tab="img2img")
    img2img.easel.wait_until_idle()


def test_generate_forever_makes_one_job_at_a_time_while_pictures_are_sent(img2img):
    img2img.put("img2img_image")
    asked = img2img.tab.evaluate("""async () => {
        let asked = 0, press = null;
        canvasOf("img2img_image").exported = () => { asked++; return new Promise(() => {}); };
        const repeat = window.setInterval;
        window.setInterval = (f) => { press = f; return 0; };
        generateForever("img2img");
        window.setInterval = repeat;
        while (!asked) await new Promise((resolve) => setTimeout(resolve, 20));
        press();
        await new Promise((resolve) => setTimeout(resolve, 500));
        return asked;
    }""")
    assert asked == 1


def test_escape_at_a_canvas_does_not_interrupt_the_job(img2img):
    img2img.mode("img2img_inpaint_tab")
    img2img.put("img2maskimg")
    img2img.tab.evaluate("() => { window.stops = 0; clickActions.img2img_interrupt = () => { stops++; }; }")
    img2img.tab.evaluate("showSubmitButtons('img2img', false)")
    img2img.draw("img2maskimg", (40, 40))
    img2img.tab.keyboard.press("s")
    assert img2img.tab.evaluate("canvasOf('img2maskimg').isFullscreen")
    img2img.tab.keyboard.press("Escape")
    assert img2img.tab.evaluate("[canvasOf('img2maskimg').isFullscreen, stops]") == [False, 0]
    img2img.draw("img2maskimg", (40, 40))
    img2img.tab.mouse.down()
    img2img.tab.keyboard.press("Escape")
    assert img2img.tab.evaluate("[canvasOf('img2maskimg').input.action, stops]") == [None, 0]
    img2img.tab.mouse.up()
    img2img.tab.keyboard.press("Escape")
    assert img2img.tab.evaluate("stops") == 1


def test_the_last_result_is_there_again_after_a_reload(img2img):
    img2img.put("img2img_image")
    img2img.own_size()
    img2img.made("after a reload")
    img2img.easel.open()
    assert img2img.tab.locator("#img2img_gallery").count() == 0  # a tab is made when it is first opened
    img2img.tab.click("#tab_img2img-button")
    img2img.easel.wait_for_result("after a reload", tab="img2img")
    assert img2img.tab.locator("#img2img_gallery .preview img").count() > 0


def test_a_result_is_compared_with_its_input_and_differences_are_applied(img2img):
    img2img.put("img2img_image")
    img2img.own_size()
    img2img.made("the first of two")
    img2img.easel.number("img2img_steps", 2)
    img2img.made("the second of two")
    img2img.tab.click("#img2img_compare")
    dialog = img2img.tab.locator("#compare_dialog")
    dialog.locator("img").first.wait_for(state="visible")
    assert dialog.locator("select option").first.inner_text() == "Its input"
    dialog.locator("button", has_text="Difference").click()
    img2img.easel.wait_for("() => byId('compare_dialog').innerText.includes('12,288 pixels differ')")
    names = dialog.locator("select option").all_inner_texts()
    dialog.locator("select").select_option(str(next(i for i, name in enumerate(names) if "the first of two" in name)))
    row = dialog.locator("tr", has_text="Steps")
    row.wait_for()
    assert row.locator("td").all_inner_texts()[1:] == ["2", "4"]
    for box in dialog.locator("[data-key]:enabled:not([data-key='Steps'])").all():
        box.uncheck()
    dialog.locator("text=Apply").click()
    img2img.easel.wait_for("() => document.querySelector('#img2img_steps input[type=number]').value === '4'")
    assert img2img.tab.input_value("#img2img_prompt textarea") == "the second of two" and not dialog.is_visible()


def test_a_phone_has_everything_in_one_column(img2img):
    img2img.tab.set_viewport_size({"width": 390, "height": 844})
    for mode in ("img2img_img2img_tab", "img2img_inpaint_tab"):
        if not img2img.tab.locator(f"#{mode}-button").is_visible():
            pytest.fail(f"{mode} is out of reach")
        img2img.mode(mode)
        assert img2img.tab.evaluate("document.documentElement.scrollWidth") <= 390
    box = img2img.tab.locator("#img2img_generate").bounding_box()
    assert box["y"] + box["height"] <= 844 and box["width"] > 300


def test_a_batch_keeps_names_reports_broken_files_and_shows_its_results(img2img, tmp_path):
    for name in ("one.png", "two.png"):
        (tmp_path / name).write_bytes(card(64, 64))
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    img2img.mode("img2img_batch_tab")
    img2img.tab.fill("#img2img_batch_input_dir textarea, #img2img_batch_input_dir input", str(tmp_path))
    img2img.tab.fill("#img2img_batch_output_dir textarea, #img2img_batch_output_dir input", str(tmp_path / "out"))
    img2img.made("a batch")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one.png", "two.png"]
    assert "broken.png was left out" in img2img.easel.log("img2img")
    assert img2img.tab.locator("#img2img_gallery .thumbnails img").count() == 2


def test_uploaded_files_are_a_batch(img2img):
    img2img.mode("img2img_batch_tab")
    files = [{"name": f"{name}.png", "mimeType": "image/png", "buffer": card(64, 64)} for name in ("first", "second")]
    img2img.tab.locator("#img2img_batch_upload input[type=file]").set_input_files(files)
    img2img.tab.locator("#img2img_batch_upload", has_text="second").wait_for()
    assert len(img2img.made("an uploaded batch")["images"]) == 2


def test_each_tab_follows_its_own_job(img2img):
    easel, tab = img2img.easel, img2img.tab
    img2img.put("img2img_image")
    tab.click("#tab_txt2img-button")
    easel.prompt("runs first")
    easel.number("txt2img_steps", 150)
    easel.number("txt2img_batch_count", 50)
    easel.generate()
    easel.wait_for("() => queueState.jobs.some((job) => job.status === 'running')")
    tab.click("#tab_img2img-button")
    easel.prompt("waits for it", "img2img")
    tab.focus("#img2img_prompt textarea")
    tab.keyboard.press("Control+Enter")
    tab.locator("#img2img_gallery_container .progress-label", has_text="In queue").wait_for()
    assert not tab.locator("#img2img_interrupt").is_visible()
    tab.click("#tab_txt2img-button")
    tab.click("#txt2img_interrupt")
    tab.click("#tab_img2img-button")
    easel.wait_for_result("waits for it", tab="img2img")
    easel.wait_until_idle()
    assert tab.evaluate("shownTask('txt2img') !== shownTask('img2img')") and tab.title() == "Easel"
