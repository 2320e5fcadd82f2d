"""The order of hooks and callbacks when a run begins with a picture, without and with a mask."""
import pytest
from hook_order import BATCH, BEGIN, DECODED, END, PICTURE, STEP, events, names
from PIL import Image, ImageDraw

SIZE_PX = 64
PASTED = [PICTURE[0], "postprocess_maskoverlay", *PICTURE[1:]]
BLENDED_STEP = [*STEP[:2], "on_mask_blend", STEP[2]]


@pytest.fixture
def made_of(rt):
    """made_of(**values) -> the finished job of a tiny img2img request of two steps."""
    from modules import img2img

    def make(**values):
        request = {"prompt": "a cat", "steps": 2, "denoising_strength": 1.0, "width": SIZE_PX, "height": SIZE_PX, "seed": 1,
                   "sampler_name": "Euler", "do_not_save_grid": True, "init_images": [Image.new("RGB", (SIZE_PX, SIZE_PX), "teal")]}
        job = img2img.submit(rt, request | values)
        assert job.wait(120) and job.status == "done", job.error
        return job
    return make


def left_half(first_px=0):
    mask = Image.new("L", (SIZE_PX, SIZE_PX), 0)
    ImageDraw.Draw(mask).rectangle((first_px, 0, SIZE_PX // 2, SIZE_PX), fill=255)
    return mask


def test_a_run_that_begins_with_a_picture_has_the_hooks_of_one_that_does_not(made_of, recorder):
    made_of(n_iter=2, batch_size=2)
    batch = [*BATCH, *STEP * steps_of(recorder, batches=2), *DECODED, *PASTED * 2]
    assert names(recorder) == [*BEGIN, *batch * 2, *END]


def steps_of(recorder, batches=1):
    count, rest = divmod(len(events(recorder, "cfg_denoiser")), batches)
    assert count and not rest
    return count


def test_noise_that_a_setting_adds_is_told_before_the_first_step(made_of, recorder):
    made_of(override_settings={"img2img_extra_noise": 0.1})
    begun = [*BEGIN, *BATCH, "extra_noise", STEP[0]]
    assert names(recorder)[:len(begun)] == begun
    [told] = events(recorder, "extra_noise")
    assert told["event"].noise.shape == told["event"].x.shape == (1, 4, 8, 8)


@pytest.mark.parametrize("only_masked", [False, True])
def test_a_mask_is_blended_in_every_step_and_at_the_end(made_of, recorder, only_masked):
    made_of(mask=left_half(), inpaint_full_res=only_masked, inpaint_full_res_padding=0, inpainting_fill=1, mask_blur=0)
    steps = BLENDED_STEP * steps_of(recorder)
    assert names(recorder) == [*BEGIN, *BATCH, *steps, "on_mask_blend", *DECODED, *PASTED, *END]
    assert [event["final"] for event in events(recorder, "on_mask_blend")] == [False] * steps_of(recorder) + [True]


def test_a_sampler_of_timesteps_blends_before_it_denoises(made_of, recorder):
    made_of(mask=left_half(), sampler_name="DDIM", steps=3, mask_blur=0)
    step = ["on_mask_blend", *STEP]
    begun = [*BEGIN, *BATCH, *step]
    assert names(recorder)[:len(begun)] == begun


def test_what_a_hook_makes_of_the_blend_is_used(made_of, recorder):
    plain = made_of(mask=left_half(), mask_blur=0).result["images"][0]["path"]
    recorder.WISHES["on_mask_blend"] = lambda event: setattr(event["event"], "blended_latent", event["event"].blended_latent * 0.5)
    changed = made_of(mask=left_half(), mask_blur=0).result["images"][0]["path"]
    assert Image.open(plain).tobytes() != Image.open(changed).tobytes()


def test_mask_and_overlay_of_a_picture_may_be_replaced(made_of, recorder):
    red = Image.new("RGBA", (SIZE_PX, SIZE_PX), "red")
    recorder.WISHES["postprocess_maskoverlay"] = lambda event: setattr(event["event"], "overlay_image", red)
    with Image.open(made_of(mask=left_half(), mask_blur=0).result["images"][0]["path"]) as picture:
        assert picture.convert("RGB").getcolors() == [(SIZE_PX * SIZE_PX, (255, 0, 0))]


@pytest.mark.parametrize("hook", ["on_mask_blend", "postprocess_maskoverlay"])
def test_a_hook_of_a_mask_that_raises_is_named_and_the_run_goes_on(made_of, recorder, hook):
    recorder.FAILING.add(hook)
    job = made_of(mask=left_half())
    assert len(job.result["images"]) == 1 and any(f"failed in {hook}: {hook} went wrong" in note for note in job.result["notes"])
