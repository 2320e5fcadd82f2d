"""The canvas as a part of the page: files in and out, keys, fingers and pens, new borders, reload, narrow windows."""
import io

import numpy as np
import pytest
from canvas_page import CanvasPage
from canvas_user import CanvasUser, capsule, card, path_of
from PIL import Image

from modules.errors import UserError

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with CanvasPage(tmp_path_factory.mktemp("canvas")) as running:
        yield running


@pytest.fixture
def user(page, served):
    person = CanvasUser(page, served).open()
    yield person
    assert person.problems == []
    assert page.outside_requests == []


def turned(kind, **options):
    """A file of 60 x 40 stored pixels that is to be shown turned by a quarter: 40 x 60."""
    picture = Image.new("RGB", (60, 40), (40, 90, 160))
    picture.paste((250, 220, 40), (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    picture.save(stream, kind, exif=exif, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_lies_on_its_side_is_drawn_on_upright(user, kind):
    content = turned(kind)
    user.load(content, f"side.{kind.lower()}")
    assert user.js("canvas.pictureSize()") == {"width": 40, "height": 60}
    user.size(5)
    at, = user.draw((30, 50))
    sent = user.send()
    assert sent.image.read_bytes() == content, "the file itself is not touched"
    mask = np.array(Image.open(sent.mask))
    assert np.array_equal(mask == 255, capsule(40, 60, at, at, 2.5))


@pytest.mark.parametrize("kind, picture", [
    ("PNG", Image.new("I;16", (50, 30), 30000)), ("JPEG", Image.new("CMYK", (50, 30), (10, 90, 40, 0))),
    ("GIF", Image.new("P", (50, 30), 7)), ("BMP", Image.new("RGB", (50, 30))), ("PNG", Image.new("LA", (50, 30), (90, 100))),
])
def test_every_kind_of_picture_can_be_drawn_on(user, kind, picture):
    stream = io.BytesIO()
    picture.save(stream, kind)
    user.load(stream.getvalue(), f"picture.{kind.lower()}")
    user.draw((10, 10), (30, 20))
    sent = user.send()
    assert Image.open(sent.mask).size == (50, 30) and sent.image.read_bytes() == stream.getvalue()


@pytest.mark.parametrize("content, says", [
    (b"no picture at all", "no picture in a known format"), (card(300, 300)[:-80], "cannot be read"),
])
def test_a_bad_file_is_refused_in_a_sentence_and_the_canvas_keeps_what_it_has(user, content, says):
    user.load(card(120, 80))
    user.draw((60, 40))
    before = user.checksum()
    user.tab.set_input_files("#canvas_mask input[type=file]", {"name": "bad.png", "mimeType": "image/png", "buffer": content})
    user.tab.wait_for_selector(f"#easel_messages .error:has-text('{says}')")
    assert user.js("canvas.pictureSize()") == {"width": 120, "height": 80} and user.checksum() == before
    assert np.array(Image.open(user.send().mask)).any()


def test_a_huge_picture_is_refused_before_it_is_decoded(user):
    stream = io.BytesIO()
    Image.new("1", (20000, 20000)).save(stream, "PNG")
    user.tab.set_input_files("#canvas_mask input[type=file]", {"name": "huge.png", "mimeType": "image/png", "buffer": stream.getvalue()})
    user.tab.wait_for_selector("#easel_messages .error:has-text('20000 × 20000')")
    assert not user.js("canvas.hasPicture()")


def test_only_what_changed_is_sent_again(user, served):
    uploads = []
    user.tab.on("request", lambda request: uploads.append(request.url) if request.url.endswith("/upload") else None)
    user.load(card(100, 80))
    user.draw((50, 40))
    first = user.send()
    assert len(uploads) == 2
    assert user.send() == first and len(uploads) == 2
    user.draw((20, 20))
    second = user.send()
    assert len(uploads) == 3 and second.image == first.image and second.mask != first.mask


def test_a_file_that_the_server_has_lost_is_sent_again(user):
    user.load(card(100, 80))
    user.draw((50, 40))
    first = user.send()
    first.image.unlink()
    first.mask.unlink()
    again = user.send()
    assert again.image.is_file() and Image.open(again.mask).size == (100, 80)


def test_a_picture_that_was_made_here_is_used_where_it_lies(user, served):
    made = served.program.folders.outputs / "made here #1.png"
    made.write_bytes(card(70, 50))
    user.tab.evaluate("async (path) => await canvasOf('canvas_view').load(addressOfServerFile(path))", str(made))
    user.show("view")
    assert user.js("canvas.pictureSize()") == {"width": 70, "height": 50}
    assert user.send().image == made


def test_a_path_from_elsewhere_is_refused(user, served, tmp_path):
    (tmp_path / "secret.png").write_bytes(card(8, 8))
    user.js(f"canvas.exported = async () => ({{image: {{path: '{tmp_path}/secret.png'}}, mask: null, paint: null}})")
    sent = user.send()
    assert isinstance(sent, UserError) and "no longer on the server" in str(sent)


TRANSFER = """([id, bytes, name]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, {type: "image/png"}));
    return transfer;
}"""


def test_pictures_are_dropped_and_pasted(user):
    transfer = user.tab.evaluate_handle(TRANSFER, [user.id, list(card(90, 60)), "dropped.png"])
    user.tab.dispatch_event("#canvas_mask .canvas-stage", "drop", {"dataTransfer": transfer})
    user.tab.wait_for_function("() => canvasOf('canvas_mask').hasPicture()")
    assert user.js("canvas.pictureSize().width") == 90
    user.tab.evaluate("""bytes => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "image.png", {type: "image/png"}));
        document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true}));
    }""", list(card(44, 33)))
    user.tab.wait_for_function("() => canvasOf('canvas_mask').pictureSize().width === 44")


def test_what_was_drawn_comes_back_after_the_picture_was_removed(user):
    user.load(card(100, 80))
    user.draw((50, 40))
    before = user.checksum()
    user.press("close")
    assert user.tab.is_visible("#canvas_mask .canvas-empty")
    user.tab.click("#easel_messages button:has-text('Bring it back')")
    assert user.checksum() == before


def test_keys_work_over_the_canvas_and_nowhere_else(user):
    user.load(card(400, 300))
    user.tab.mouse.move(*user.screen(200, 150))
    size = user.js("canvas.brush.size")
    user.tab.keyboard.press("w")
    assert user.js("canvas.brush.size") > size
    user.tab.keyboard.press("q")
    user.tab.keyboard.press("q")
    assert user.js("canvas.brush.size") < size
    user.tab.keyboard.down("Control")
    user.tab.mouse.wheel(0, -200)
    user.tab.keyboard.up("Control")
    user.tab.wait_for_function(f"() => canvasOf('canvas_mask').brush.size > {size}")
    user.tab.keyboard.press("o")
    assert user.js("getComputedStyle(canvas.view.front).opacity") == "0"
    user.tab.keyboard.press("o")
    user.tab.keyboard.press("s")
    assert user.tab.locator("#canvas_mask .canvas").bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 900}
    user.tab.keyboard.press("Escape")
    assert user.tab.locator("#canvas_mask .canvas").bounding_box()["width"] < 1280
    user.js("canvas.view.zoomBy(3, canvas.view.width / 2, canvas.view.height / 2)")
    place = user.place()
    user.tab.mouse.move(*user.screen(200, 150))
    user.tab.keyboard.down("f")
    x, y = user.screen(200, 150)
    user.tab.mouse.move(x, y)
    user.tab.mouse.move(x + 30, y + 20)
    user.tab.keyboard.up("f")
    assert user.place()[:2] == pytest.approx((place[0] + 30, place[1] + 20), abs=1)
    user.tab.keyboard.press("r")
    assert user.js("canvas.view.isFitted")
    settings = user.js("[canvas.brush.size, canvas.tool, canvas.isFullscreen]")
    user.tab.fill("#txt2img_prompt textarea", "")
    user.tab.focus("#txt2img_prompt textarea")
    user.tab.keyboard.type("a swift fox, beige, low light")
    assert user.tab.input_value("#txt2img_prompt textarea") == "a swift fox, beige, low light"
    assert user.js("[canvas.brush.size, canvas.tool, canvas.isFullscreen]") == settings


def touch(user, kind, *points):
    spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    user.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})


def test_one_finger_draws_and_two_move_and_zoom(user):
    user.cdp = user.tab.context.new_cdp_session(user.tab)
    user.cdp.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    user.load(card(400, 300))
    user.size(11)
    a, b = user.screen(100, 100), user.screen(300, 200)
    exact = [user.point(100, 100), user.point(300, 200)]
    touch(user, "touchStart", a)
    touch(user, "touchMove", b)
    touch(user, "touchEnd")
    assert np.array_equal(user.drawn()[..., 0] == 255, path_of(400, 300, exact, 5.5))
    before, scale = user.checksum(), user.js("canvas.view.scale")
    held = user.point(200, 150)
    x, y = user.screen(200, 150)
    touch(user, "touchStart", (x - 50, y))
    touch(user, "touchMove", (x - 52, y))
    touch(user, "touchStart", (x - 50, y), (x + 50, y))
    touch(user, "touchMove", (x - 100 + 40, y + 30), (x + 100 + 40, y + 30))
    touch(user, "touchEnd")
    assert user.checksum() == before, "the line that the first finger began is gone"
    assert user.js("canvas.view.scale") == pytest.approx(2 * scale, rel=0.05)
    assert user.screen(*held) == pytest.approx((x + 40, y + 30), abs=3)


def test_a_pen_draws_broader_when_it_is_pressed_harder(user):
    user.cdp = user.tab.context.new_cdp_session(user.tab)
    user.load(card(400, 300))
    user.size(60)
    for x, force in ((100, 0.25), (300, 1.0)):
        px, py = user.screen(x, 150)
        press = {"x": px, "y": py, "button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": force}
        user.cdp.send("Input.dispatchMouseEvent", {"type": "mousePressed", **press})
        user.cdp.send("Input.dispatchMouseEvent", {"type": "mouseReleased", **press, "buttons": 0, "force": 0})
    mask = user.sent_mask() == 255
    light, hard = mask[:, :200].sum(), mask[:, 200:].sum()
    assert hard == pytest.approx(np.pi * 30**2, rel=0.03) and light == pytest.approx(hard / 16, rel=0.1)


def test_a_border_that_is_dragged_outwards_gives_picture_and_mask_in_one_step(user):
    picture = Image.effect_noise((96, 64), 80).convert("RGB")
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    user.load(stream.getvalue())
    user.size(9)
    at, = user.draw((20, 30))
    user.press("extend")
    scale = user.js("canvas.view.scale")
    box = user.tab.locator("#canvas_mask .canvas-extend-handle[data-x='1'][data-y='0']").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    user.tab.mouse.move(x, y)
    user.tab.mouse.down()
    user.tab.mouse.move(x + 33 * scale, y)
    user.tab.mouse.up()
    assert user.js("canvas.pictureSize()") == {"width": 128, "height": 64}
    user.tab.fill("#canvas_mask [aria-label='Pixels at the top']", "16")
    user.tab.click("#canvas_mask .canvas-do")
    sent = user.send()
    image, mask = np.array(Image.open(sent.image).convert("RGB")), np.array(Image.open(sent.mask))
    assert image.shape == (80, 128, 3) and np.array_equal(image[16:, :96], np.array(picture))
    assert (image[16:, 96:] == image[16:, 95:96]).all() and (image[:16, :96] == image[16, :96]).all()
    expected = np.full((80, 128), 255, np.uint8)
    expected[16:, :96] = capsule(96, 64, at, at, 4.5) * np.uint8(255)
    assert np.array_equal(mask, expected)
    user.press("undo")
    user.press("undo")
    assert user.js("canvas.pictureSize()") == {"width": 96, "height": 64}
    back = user.send()
    assert back.image.read_bytes() == stream.getvalue()
    assert np.array_equal(np.array(Image.open(back.mask)), expected[16:, :96])
    user.press("redo")
    user.press("redo")
    assert np.array_equal(user.sent_mask(), expected)


def test_another_picture_of_the_same_size_can_keep_the_mask(user, served):
    user.load(card(100, 80))
    at, = user.draw((50, 40))
    radius = user.js("canvas.brush.size / 2")
    result = served.program.folders.outputs / "result.png"
    for size, keeps in (((100, 80), True), ((90, 80), False)):
        result.write_bytes(card(*size, (9, 9, 9)))
        user.tab.evaluate("path => canvasOf('canvas_mask').load(addressOfServerFile(path), {keepDrawing: true})", str(result))
        sent = user.send()
        assert sent.image == result and (sent.mask is not None) == keeps
        if keeps:
            assert np.array_equal(np.array(Image.open(sent.mask)) == 255, capsule(100, 80, at, at, radius))


def test_a_reload_keeps_picture_and_drawing(user):
    user.load(card(300, 200))
    user.draw((50, 50), (250, 150))
    user.js("canvas.extend({left: 8, top: 0, right: 0, bottom: 24})")
    before = user.sent_mask()
    user.tab.wait_for_timeout(600)
    user.open()
    user.tab.wait_for_function("() => canvasOf('canvas_mask').hasPicture() && canvasOf('canvas_mask').layer")
    assert user.js("canvas.pictureSize()") == {"width": 308, "height": 224}
    assert np.array_equal(user.sent_mask(), before)
    user.press("clear")
    user.draw((20, 20))
    assert user.sent_mask()[20, 20] == 255


def test_what_is_kept_outlasts_a_reload_at_which_the_server_takes_no_files(user):
    user.load(card(300, 200))
    user.draw((50, 50), (250, 150))
    before = user.sent_mask()
    user.tab.wait_for_timeout(600)
    user.tab.route("**/upload", lambda route: route.fulfill(status=503))
    user.open()
    user.tab.wait_for_selector("#easel_messages .error:has-text('status 503')")
    user.tab.wait_for_timeout(600)
    user.tab.unroute("**/upload")
    user.open()
    user.tab.wait_for_function("() => canvasOf('canvas_mask').hasPicture() && canvasOf('canvas_mask').layer")
    assert np.array_equal(user.sent_mask(), before)


def test_a_bad_file_during_the_upload_of_another_one_brings_back_what_was_there_before_both(user):
    user.load(card(120, 80))
    user.draw((60, 40))
    held = []
    user.tab.route("**/upload", lambda route: route.continue_() if held else held.append(route))
    user.tab.set_input_files("#canvas_mask input[type=file]", {"name": "new.png", "mimeType": "image/png", "buffer": card(90, 60)})
    user.tab.wait_for_function("() => canvasOf('canvas_mask').pictureSize().width === 90")
    user.tab.set_input_files("#canvas_mask input[type=file]", {"name": "bad.png", "mimeType": "image/png", "buffer": b"no picture"})
    user.tab.wait_for_selector("#easel_messages .error:has-text('no picture in a known format')")
    held[0].continue_()
    assert user.js("canvas.pictureSize()") == {"width": 120, "height": 80}
    assert user.send().mask is not None


def test_every_button_has_a_name_and_nothing_sticks_out_of_a_narrow_window(user):
    user.tab.set_viewport_size({"width": 390, "height": 844})
    for kind in ("view", "sketch", "mask", "paint_mask"):
        user.show(kind)
        user.load(card(512, 768))
        nameless = user.tab.evaluate("""id => Array.from(document.querySelectorAll(`#${id} button, #${id} input`))
            .filter((one) => uiElementIsVisible(one) && !one.getAttribute('aria-label') && !one.closest('label'))
            .filter((one) => !/[a-z]/i.test(one.textContent))
            .map((one) => one.outerHTML)""", user.id)
        assert nameless == []
        assert user.tab.evaluate("document.documentElement.scrollWidth") <= 390
        bar = user.tab.locator(f"#{user.id} .canvas-bar").bounding_box()
        assert bar["height"] < 100
    assert user.tab.locator("#canvas_mask .canvas-stage").evaluate("stage => stage.clientHeight") <= 720


def test_the_height_is_changed_by_dragging(user):
    user.load(card(512, 512))
    height = user.js("canvas.stage.clientHeight")
    assert height <= 720
    user.tab.locator("#canvas_mask .canvas-grip").scroll_into_view_if_needed()
    box = user.tab.locator("#canvas_mask .canvas-grip").bounding_box()
    user.tab.mouse.move(box["x"] + 50, box["y"] + 5)
    user.tab.mouse.down()
    user.tab.mouse.move(box["x"] + 50, box["y"] - 195)
    user.tab.mouse.up()
    assert user.js("canvas.stage.clientHeight") == pytest.approx(height - 200, abs=2)


def test_a_larger_picture_than_usual_works_and_says_that_it_is_slower(user):
    user.load(card(4200, 4000))
    user.tab.wait_for_selector("#easel_messages :text('4200 × 4000')")
    user.draw((4100, 1900))
    mask = user.sent_mask()
    assert mask.shape == (4000, 4200) and mask[1900, 4100] == 255


def test_shift_draws_a_straight_line_from_the_last_stroke(user):
    user.load(card(300, 200))
    user.size(9)
    a, = user.draw((40, 40))
    user.tab.keyboard.down("Shift")
    b, = user.draw((260, 150))
    user.tab.keyboard.up("Shift")
    assert np.array_equal(user.sent_mask() == 255, path_of(300, 200, [a, b], 4.5))


def test_keys_are_those_of_the_settings(user):
    user.load(card(300, 200))
    user.tab.mouse.move(*user.screen(100, 100))
    size = user.js("canvas.brush.size")
    user.tab.evaluate("Object.assign(opts, {canvas_hotkey_grow_brush: 'x', canvas_hotkey_adjust: 'Shift'})")
    user.tab.keyboard.press("w")
    assert user.js("canvas.brush.size") == size
    user.tab.keyboard.press("x")
    assert user.js("canvas.brush.size") > size


def test_escape_gives_up_a_line(user):
    user.load(card(300, 200))
    user.tab.mouse.move(*user.screen(50, 50))
    user.tab.mouse.down()
    user.tab.mouse.move(*user.screen(200, 100))
    user.tab.keyboard.press("Escape")
    user.tab.mouse.move(*user.screen(250, 150))
    user.tab.mouse.up()
    assert user.js("canvas.history.past.length") == 0 and user.send().mask is None
