"""Replay & verify in a real browser against the real server."""
import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

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
