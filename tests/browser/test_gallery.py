"""The Gallery tab in a browser: finding, marking, sending, deleting with a way back, by mouse and by keys."""
import pytest


@pytest.fixture
def filled(easel):
    """The gallery of the open page with three pictures, and none that earlier tests left."""
    listed = easel.server.get("/internal/gallery/pictures?count=500")[1]["pictures"]
    easel.server.post("/internal/gallery/delete", {"ids": [picture["id"] for picture in listed]})
    easel.server.post("/internal/gallery/empty-bin", {"all": True})
    for number, prompt in enumerate(("a red fox", "a castle <b>at</b> night", "a red castle")):
        request = {"prompt": prompt, "steps": 4 + number, "width": 64, "height": 64, "seed": 10 + number, "save_images": True}
        status, answer = easel.server.post("/sdapi/v1/txt2img", request)
        assert status == 200, answer
    easel.tab.click("#tab_gallery-button")
    easel.wait_for("() => document.querySelectorAll('.gallery-cell img').length === 3 && !galleryView.unread")
    return easel


def search(easel, query, count):
    easel.tab.fill("#gallery_search", query)
    said = f"{count} picture{'' if count == 1 else 's'} found"
    shown = f"galleryView.cells.size === {count} && galleryView.rows.size === {count}"
    easel.wait_for(f"() => byId('gallery_said').textContent === '{said}' && {shown}")


def open_first(easel):
    easel.tab.locator(".gallery-cell").first.click()
    easel.tab.wait_for_selector("#gallery_detail h2")


def test_pictures_are_found_marked_sent_and_come_back_from_the_bin(filled):
    tab = filled.tab
    search(filled, "castle steps>=5", 2)
    search(filled, 'castle -red', 1)
    open_first(filled)
    assert tab.inner_text(".gallery-prompt") == "a castle <b>at</b> night" and tab.locator("#gallery_detail b").count() == 0
    tab.click(".gallery-star")
    tab.fill(".gallery-tag-input", "Poster")
    tab.press(".gallery-tag-input", "Enter")
    tab.wait_for_selector(".gallery-tag")
    search(filled, "is:starred tag:poster", 1)
    tab.click("text=To txt2img")
    filled.wait_for("() => document.querySelector('#txt2img_prompt textarea').value === 'a castle <b>at</b> night'")
    assert tab.input_value("#txt2img_steps input[type=number]") == "5"
    tab.click("#tab_gallery-button")
    open_first(filled)
    tab.locator(".gallery-actions >> text=Delete").click()
    filled.wait_for("() => galleryView.total === 0")
    tab.click("#easel_messages >> text=Undo")
    tab.wait_for_selector(".gallery-cell.starred")
    assert filled.problems == []


def test_the_gallery_is_used_by_keys_alone(filled):
    tab = filled.tab
    search(filled, "red", 2)
    tab.locator(".gallery-cell").first.focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.dataset.number") == "1"
    tab.evaluate("() => { galleryView.rows.clear(); galleryView.asked.clear(); }")  # as if a key came before what is known of the picture
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#gallery_detail h2")
    tab.keyboard.press("s")
    tab.wait_for_selector(".gallery-star[aria-pressed=true]")
    tab.locator(".gallery-cell").nth(1).focus()
    tab.keyboard.press("z")
    tab.wait_for_selector("#lightboxModal:not([hidden])")
    tab.keyboard.press("Escape")
    tab.locator(".gallery-cell").first.focus()
    tab.evaluate("() => { galleryView.rows.clear(); galleryView.asked.clear(); }")  # as if most had never been in sight
    tab.keyboard.press("Control+a")
    filled.wait_for("() => galleryView.chosen.size === 2 && !byId('gallery_chosen').hidden")
    tab.keyboard.press("Delete")
    filled.wait_for("() => galleryView.total === 0")
    tab.click("#gallery_bin")
    tab.wait_for_selector("#gallery_chosen >> text=Empty the bin")
    tab.locator(".gallery-cell").first.click()
    tab.click("#gallery_chosen >> text=Restore")
    filled.wait_for("() => galleryView.total === 1 && galleryView.isBin")
    assert filled.problems == []


def test_a_picture_of_the_gallery_is_made_again_and_compared(filled):
    tab = filled.tab
    search(filled, "fox", 1)
    open_first(filled)
    tab.click(".gallery-actions >> text=Replay")
    tab.wait_for_selector("#gallery_replay_report[data-verdict=identical]", timeout=60_000)
    tab.fill("#gallery_search", "")
    filled.wait_for("() => galleryView.total === 3 && galleryView.rows.size === 3")
    open_first(filled)
    tab.click(".gallery-actions >> text=Compare")
    tab.wait_for_selector("#compare_dialog[data-open]")
    filled.wait_for("() => byId('compare_dialog').querySelector('.compare-said').textContent.includes('pixels differ')")
    assert filled.problems == []
