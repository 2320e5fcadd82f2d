"""`modules.txt2img.txt2img` and `modules.img2img.img2img`, called in the place of the Generate button."""
import json

import pytest
from PIL import Image, ImageDraw

from modules import img2img, txt2img
from modules.errors import RequestError, UserError
from modules.generation import direct_calls

TINY = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}
BEGIN = Image.new("RGB", (64, 64), "teal")


def left_half():
    mask = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(mask).rectangle((0, 0, 31, 63), fill=255)
    return mask


def test_named_values_give_the_picture_of_the_job_with_its_numbers_and_infotext(rt, made, recorder):
    job = made()
    pictures, numbers, infotext, notes = txt2img.txt2img("task(1)", None, **TINY)
    [picture] = pictures
    with Image.open(job.result["images"][0]["path"]) as expected:
        assert picture.tobytes() == expected.convert("RGB").tobytes()
    assert json.loads(numbers)["all_seeds"] == [1] and infotext.startswith("<p>a cat<br>Steps: 2") and notes == ""


def test_hooks_and_the_selected_script_run(rt, recorder):
    pictures, numbers, _, _ = txt2img.txt2img("", None, **TINY, scripts={"selected": "Several Runs", "args": {"Several Runs": [2]}})
    assert len(pictures) == 2 and json.loads(numbers)["all_seeds"] == [100, 101]
    assert [name for name, _ in recorder.EVENTS].count("process") == 2


def test_a_processing_may_be_made_and_run_by_the_caller(rt, recorder):
    from modules import processing

    p = txt2img.txt2img_create_processing("", None, **TINY, prompt_styles=[])
    assert p.scripts.script("hook recorder") and p.script_args[0] == 0
    p.steps = 3
    assert "Steps: 3" in processing.process_images(p).info


def test_values_by_position_are_those_of_the_inputs_of_generate(rt, monkeypatch):
    seen = []

    def read(args, request):
        seen.append((args, request))
        return {**TINY, "prompt": args[0]}

    monkeypatch.setitem(direct_calls.readings, "txt2img", read)
    _, _, infotext, _ = txt2img.txt2img("task(2)", "who asks", "a dog", 5)
    assert seen == [(("a dog", 5), "who asks")] and infotext.startswith("<p>a dog")


def test_values_by_position_need_a_page(rt, monkeypatch):
    monkeypatch.delitem(direct_calls.readings, "txt2img", raising=False)
    with pytest.raises(UserError, match="by name"):
        txt2img.txt2img("", None, "a dog")


@pytest.mark.parametrize("mode, pictures", [
    (0, {"init_img": BEGIN}), (2, {"init_img_with_mask": {"image": BEGIN, "mask": left_half()}}),
    (4, {"init_img_inpaint": BEGIN, "init_mask_inpaint": left_half(), "init_img": None})])
def test_the_picture_is_that_of_the_mode(rt, mode, pictures):
    [picture, *_], _, infotext, _ = img2img.img2img("", None, mode=mode, **TINY, **pictures, mask_blur=0, denoising_strength=1.0)
    assert ("Mask blur" in infotext or "Changed outside mask: 0" in infotext) == (mode != 0)
    assert (picture.getpixel((60, 30)) == (0, 128, 128)) == (mode != 0)


def test_without_a_picture_it_is_refused(rt):
    with pytest.raises(RequestError, match="no picture"):
        img2img.img2img("", None, **TINY)


def test_the_caller_needs_no_turn_and_may_have_it(rt):
    from modules.call_queue import wrap_gradio_gpu_call

    wrapped = wrap_gradio_gpu_call(txt2img.txt2img, extra_outputs=[None, "", ""])
    pictures, _, _, said = wrapped("", None, **TINY)
    assert len(pictures) == 1 and "Time taken" in said and not rt.queue.turn.locked()


def test_the_inputs_of_the_page_behind_its_task_can_be_handed_on(rt):
    from modules import scripts
    from modules.extensions.offstage import default_value
    from modules.ui.app import build_blocks

    try:
        page, _ = build_blocks(rt)
        generate = next(block for block in page.blocks.values() if getattr(block, "elem_id", "") == "txt2img_generate")
        pressed = next(event for event in page.fns.values() if (generate._id, "click") in event.targets)
        values = [default_value(control) for control in pressed.inputs]
        short = {"txt2img_prompt": "of the page", "txt2img_steps": 2, "txt2img_width": 64, "txt2img_height": 64, "txt2img_seed": 1}
        for place, control in enumerate(pressed.inputs):
            values[place] = short.get(getattr(control, "elem_id", None), values[place])
        _, numbers, infotext, _ = txt2img.txt2img("task(3)", None, *values[1:])
        with pytest.raises(UserError, match="were given"):
            txt2img.txt2img("task(3)", None, *values)
    finally:
        direct_calls.readings.clear()
        scripts.scripts_txt2img.prepare_ui()
        scripts.scripts_img2img.prepare_ui()
    assert infotext.startswith("<p>of the page<br>Steps: 2") and json.loads(numbers)["all_seeds"] == [1]
