"""From the canvases of the page to the pictures of a request."""
import json

import numpy as np
import pytest
from PIL import Image

from modules.errors import UserError
from modules.ui.img2img_modes import with_pictures

VALUES = {"prompt": "a", "mask_alpha": 0, "mask_blur": 0}


@pytest.fixture
def sent(runtime):
    """sent(name, mode, size, box) -> what a canvas says of a file of one colour, with a box of another alpha."""
    def make(name, mode="RGB", colour=(200, 200, 200), box=None):
        picture = Image.new(mode, (16, 12), colour)
        if box:
            picture.paste((255, 0, 0, 255) if mode == "RGBA" else 255, box)
        runtime.folders.temporary.mkdir(parents=True, exist_ok=True)
        picture.save(runtime.folders.temporary / name)
        return {"path": str(runtime.folders.temporary / name)}
    return make


def request(runtime, mode, canvas=None, mask_canvas=None, **values):
    message = json.dumps({"mode": mode, "resize_by": True, "canvas": canvas, "mask_canvas": mask_canvas})
    return with_pictures(runtime, {**VALUES, **values}, message, None)


def test_a_picture_goes_as_the_file_that_was_chosen(runtime, sent):
    made = request(runtime, "img2img", {"image": sent("a.png")})
    assert [path.name for path in made["init_images"]] == ["a.png"] and made["mask"] is None and made["resize_by"]
    assert "mask_alpha" not in made and made["prompt"] == "a"


def test_paint_of_a_sketch_is_in_the_picture(runtime, sent):
    paint = sent("paint.png", "RGBA", (0, 0, 0, 0), (2, 3, 6, 8))
    picture = np.asarray(request(runtime, "sketch", {"image": sent("a.png"), "paint": paint})["init_images"][0])
    assert (picture[3:8, 2:6] == (255, 0, 0)).all() and (picture[8:] != (255, 0, 0)).any()


def test_a_sketch_without_paint_is_a_picture(runtime, sent):
    assert request(runtime, "sketch", {"image": sent("a.png")})["init_images"][0].name == "a.png"


def test_inpaint_takes_the_drawn_mask(runtime, sent):
    made = request(runtime, "inpaint", {"image": sent("a.png"), "mask": sent("mask.png", "L", 0, (0, 0, 4, 4))})
    assert made["mask"].name == "mask.png"


def test_inpaint_sketch_repaints_where_paint_is_and_lets_the_picture_through(runtime, sent):
    paint = sent("paint.png", "RGBA", (0, 0, 0, 0), (2, 3, 6, 8))
    made = request(runtime, "inpaint sketch", {"image": sent("a.png"), "paint": paint}, mask_alpha=50)
    assert made["mask"].getbbox() == (2, 3, 6, 8)
    red = np.asarray(made["init_images"][0])[5, 4]
    assert 200 < red[0] < 255 and 0 < red[1] < 200


def test_an_uploaded_mask_is_the_second_canvas(runtime, sent):
    made = request(runtime, "inpaint upload", {"image": sent("a.png")}, {"image": sent("m.png", "L", 255)})
    assert (made["init_images"][0].name, made["mask"].name) == ("a.png", "m.png")


def test_a_batch_needs_no_canvas(runtime):
    made = request(runtime, "batch", input_dir="/somewhere")
    assert made["is_batch"] and made["input_dir"] == "/somewhere" and "init_images" not in made


@pytest.mark.parametrize("mode, has_picture, said", [
    ("img2img", False, "There is no picture."), ("inpaint", True, "There is no mask."), ("inpaint sketch", True, "There is no mask."),
    ("inpaint upload", True, "There is no mask."), ("inpaint", False, "There is no picture.")])
def test_what_is_missing_is_a_sentence(runtime, sent, mode, has_picture, said):
    with pytest.raises(UserError, match=said):
        request(runtime, mode, {"image": sent("a.png")} if has_picture else None)


def test_files_elsewhere_on_the_machine_are_refused(runtime, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    with pytest.raises(UserError, match="no longer on the server"):
        request(runtime, "img2img", {"image": {"path": str(tmp_path / "secret.png")}})
