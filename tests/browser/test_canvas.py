"""The canvas in a real browser: what is drawn with the mouse is what Python receives, pixel for pixel."""
import io

import numpy as np
import pytest
from canvas_page import CanvasPage
from canvas_user import CanvasUser, capsule, card, path_of
from PIL import Image

pytestmark = pytest.mark.browser
RED = (240, 69, 58)


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


def test_an_empty_canvas_says_what_to_do_and_sends_nothing(user):
    assert user.tab.inner_text("#canvas_mask .canvas-empty") == "Drop a picture here, paste it, or choose a file"
    sent = user.send()
    assert (sent.image, sent.mask, sent.paint) == (None, None, None)


def test_a_click_is_a_disc(user):
    user.load(card(300, 200))
    user.size(41)
    at, = user.draw((150, 100))
    assert np.array_equal(user.sent_mask(), capsule(300, 200, at, at, 20.5) * np.uint8(255))


@pytest.mark.parametrize("points", [
    [(20, 30), (280, 170)], [(250, 20), (250, 180)], [(10, 100), (290, 100)], [(290, 10), (30, 190), (150, 20), (-40, 90)],
])
def test_a_line_covers_what_is_within_the_brush(user, points):
    user.load(card(300, 200))
    user.size(17)
    exact = user.draw(*points)
    assert np.array_equal(user.sent_mask(), path_of(300, 200, exact, 8.5) * np.uint8(255))


def test_the_thinnest_line_has_no_holes(user):
    user.load(card(64, 48))
    user.size(1)
    user.draw((3.2, 4.1), (60.7, 40.3))
    mask = user.sent_mask()
    assert mask[4, 3] == mask[40, 60] == 255
    assert all(mask[:, x].any() for x in range(4, 60)), "a column without a pixel"


def test_drawing_while_zoomed_is_exact(user):
    user.load(card(512, 384))
    user.size(9)
    before = user.point(200, 150)
    x, y = user.screen(200, 150)
    user.tab.mouse.move(x, y)
    user.tab.keyboard.down("Alt")
    for _ in range(5):
        user.tab.mouse.wheel(0, -240)
    user.tab.keyboard.up("Alt")
    assert user.js("canvas.view.scale") > 5
    assert user.screen(*before) == pytest.approx((x, y), abs=1), "the point under the mouse stays where it is"
    exact = user.draw((195.3, 140.2), (214.6, 158.9))
    assert np.array_equal(user.sent_mask(), path_of(512, 384, exact, 4.5) * np.uint8(255))


def test_what_is_seen_is_what_is_sent(user):
    user.load(card(300, 200))
    user.zoom_to(1)
    user.js("(canvas.brush.visibility = 1, canvas.showVisibility())")
    user.size(30)
    user.draw((60, 60), (240, 140))
    user.tab.mouse.move(5, 5)
    user.tab.wait_for_timeout(100)
    x, y = user.screen(0, 0)
    shot = user.tab.screenshot(clip={"x": x, "y": y, "width": 300, "height": 170})  # the note with the size is below
    seen = np.array(Image.open(io.BytesIO(shot)).convert("RGB"))
    assert np.array_equal((seen == RED).all(-1), user.sent_mask()[:170] == 255)


def test_the_eraser_the_right_button_and_inverting(user):
    user.load(card(120, 90))
    user.size(20)
    line = user.draw((20, 45), (100, 45))
    user.press("eraser")
    gap, = user.draw((60, 45))
    user.press("brush")
    other, = user.draw((30, 45), button="right")
    expected = path_of(120, 90, line, 10) & ~capsule(120, 90, gap, gap, 10) & ~capsule(120, 90, other, other, 10)
    assert np.array_equal(user.sent_mask() == 255, expected)
    user.press("invert")
    assert np.array_equal(user.sent_mask() == 255, ~expected)
    user.press("clear")
    assert user.send().mask is None


def test_a_soft_brush_does_not_darken_where_it_crosses_itself(user):
    user.load(card(200, 150))
    user.js("canvas.brush.hardness = 0.2")
    user.size(60)
    user.draw((40, 75), (160, 75), (40, 75), (160, 75))
    several = user.sent_mask()
    user.press("undo")
    user.draw((40, 75), (160, 75))
    assert np.array_equal(several, user.sent_mask())
    column = several[75:, 100].astype(int)
    assert column[0] == 255 and 0 < column[20] < 255 and column[31] == 0 and (np.diff(column) <= 0).all()


def test_the_lasso_takes_what_its_line_encloses(user):
    user.load(card(300, 200))
    user.press("lasso")
    a, b, c = user.draw((40, 20), (260, 70), (110, 180))
    y, x = np.mgrid[0:200, 0:300] + 0.5

    def side(p, q):
        return (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])

    inside = (side(a, b) > 0) & (side(b, c) > 0) & (side(c, a) > 0)
    mask = user.sent_mask() == 255
    assert (mask != inside).sum() <= 3, "only centres on the very line may differ"


def test_fill_stops_at_lines_and_removes_too(user):
    user.load(card(200, 160))
    user.size(7)
    user.draw((50, 40), (150, 40), (150, 120), (50, 120), (50, 40))
    outline = user.drawn()[..., 0] == 255
    user.press("fill")
    user.draw((100, 80))
    mask = user.sent_mask() == 255
    assert mask[80, 100] and mask[outline].all() and not mask[5, 5] and mask.sum() == mask[30:130, 40:160].sum()
    user.draw((100, 80), button="right")
    assert user.send().mask is None


def test_fill_by_colours_follows_the_picture(user):
    picture = Image.new("RGB", (120, 80), (30, 40, 50))
    picture.paste((200, 180, 30), (30, 20, 90, 60))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    user.load(stream.getvalue())
    user.press("fill")
    user.tab.check("#canvas_mask [data-choice=followsPicture] input")
    user.draw((60, 40))
    expected = np.zeros((80, 120), bool)
    expected[20:60, 30:90] = True
    assert np.array_equal(user.sent_mask() == 255, expected)


def test_fifty_steps_back_and_forth(user):
    user.load(card(400, 300))
    user.size(25)
    sums = []
    for step in range(53):
        if step == 20:
            user.press("invert")
        elif step == 33:
            user.press("clear")
        else:
            user.draw((10 + step * 7, 20 + step * 5), (390 - step * 3, 280))
        sums.append(user.checksum())
    for expected in reversed(sums[2:-1]):
        user.tab.mouse.move(*user.screen(200, 150))
        user.tab.keyboard.press("Control+z")
        assert user.checksum() == expected
    assert user.js("canvas.history.past.length") == 0 and user.tab.is_disabled("#canvas_mask .icon-undo")
    for expected in sums[3:]:
        user.tab.keyboard.press("Control+Shift+z")
        assert user.checksum() == expected
    assert np.array_equal(user.sent_mask(), user.drawn()[..., 0])


def test_colours_arrive_as_they_were_chosen(user):
    user.show("sketch")
    user.load(card(160, 120, (10, 20, 30)))
    user.js("Object.assign(canvas.brush, {hardness: 1, colour: '#4080c0'})")
    user.size(30)
    at, = user.draw((50, 60))
    user.js("Object.assign(canvas.brush, {opacity: 0.5, colour: '#ff0000'})")
    second, = user.draw((110, 60))
    sent = user.send()
    assert sent.mask is None
    paint = np.array(Image.open(sent.paint))
    assert paint.shape == (120, 160, 4)
    assert (paint[capsule(160, 120, at, at, 15)] == (64, 128, 192, 255)).all()
    assert (paint[capsule(160, 120, second, second, 15)] == (255, 0, 0, 128)).all()
    assert not paint[~capsule(160, 120, at, at, 15) & ~capsule(160, 120, second, second, 15)].any()


def test_the_eyedropper_takes_the_colour_that_is_seen(user):
    user.show("paint_mask")
    user.load(card(100, 100, (12, 34, 56)))
    user.press("pick")
    user.draw((50, 50))
    assert user.js("[canvas.brush.colour, canvas.tool]") == ["#0c2238", "brush"]


@pytest.mark.parametrize("kind", ["mask", "sketch"])
def test_the_largest_picture_is_drawn_on_and_sent_exactly(user, kind, tmp_path):
    user.show(kind)
    Image.new("RGB", (4096, 4096), (90, 120, 80)).save(tmp_path / "large.png", compress_level=1)
    user.load(tmp_path / "large.png")
    user.js("canvas.brush.hardness = 1")
    user.size(200)
    exact = user.draw((500, 700), (3600, 2900))
    sent = user.send()
    expected = path_of(4096, 4096, exact, 100)
    if kind == "mask":
        assert np.array_equal(np.array(Image.open(sent.mask)) == 255, expected)
    else:
        assert np.array_equal(np.array(Image.open(sent.paint))[..., 3] == 255, expected)
    user.press("clear")
    user.press("undo")
    assert np.array_equal(np.array(Image.open(user.send().mask or user.send().paint)).reshape(4096, 4096, -1)[..., -1] == 255, expected)
