"""Every hook and callback comes at its place in a run, with its arguments; none of them can end the run."""
import pytest
import torch
from hook_order import BATCH, BEGIN, DECODED, END, PICTURE, STEP, events, names

HOOKS = [*BEGIN, *BATCH, "before_hr", *DECODED, "postprocess_image", "postprocess_image_after_composite", *END]
CALLBACKS = [*STEP, "before_image_saved", "image_saved", "image_grid", "extra_noise"]


def test_two_batches_of_two_call_the_hooks_in_the_documented_order(made, recorder):
    made(n_iter=2, batch_size=2)
    batch = [*BATCH, *STEP * 2, *DECODED, *PICTURE * 2]
    assert names(recorder) == [*BEGIN, *batch * 2, *END]


def test_a_second_pass_has_its_hook_and_samples_again(made, recorder):
    made(enable_hr=True, hr_scale=2.0, hr_second_pass_steps=3)
    second = ["before_hr", "process_before_every_sampling", *STEP * 3]
    assert names(recorder) == [*BEGIN, *BATCH, *STEP * 2, *second, *DECODED, *PICTURE, *END]
    assert [event["hires"] for event in events(recorder, "process_before_every_sampling")] == [False, True]
    first, again = events(recorder, "process_before_every_sampling")
    assert first["x"].shape == (1, 4, 8, 8) and again["x"].shape == again["noise"].shape == (1, 4, 16, 16)
    assert again["c"] and again["uc"]


def test_hooks_get_the_values_of_their_own_controls(made, recorder):
    made(scripts={"args": {"Hook Recorder": ["other", 0]}})
    assert {event["args"] for name, event in recorder.EVENTS if "args" in event} == {("other", 0, 3)}
    recorder.EVENTS.clear()
    made()
    assert events(recorder, "process")[0]["args"] == ("plain", 1, 3)


def test_lists_stand_when_process_is_called_and_batches_are_slices_of_them(made, recorder):
    made(n_iter=2, batch_size=2)
    [process] = events(recorder, "process")
    assert process["prompts"] == ["a cat"] * 4 and process["seeds"] == [1, 2, 3, 4]
    batches = events(recorder, "before_process_batch")
    assert [(event["batch_number"], event["seeds"]) for event in batches] == [(0, [1, 2]), (1, [3, 4])]
    assert all(event["same_list"] and event["subseeds"] for event in batches)
    assert events(recorder, "post_sample")[0]["shape"] == (2, 4, 8, 8)
    assert events(recorder, "postprocess_batch")[1]["batch_number"] == 1


def test_decoded_pictures_are_numbers_from_0_to_1(made, recorder):
    made()
    [event] = events(recorder, "postprocess_batch")
    assert event["images"].shape == (1, 3, 64, 64) and 0 <= event["images"].min() <= event["images"].max() <= 1


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_raises_is_named_and_the_run_goes_on(made, recorder, hook):
    recorder.FAILING.add(hook)
    job = made(enable_hr=True)
    assert len(job.result["images"]) == 1
    [note] = [note for note in job.result["notes"] if hook in note]
    assert "extension fixture" in note and "went wrong" in note


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_callback_that_raises_is_named_and_the_run_goes_on(made, recorder, rt, callback):
    recorder.FAILING.add(callback)
    job = made(n_iter=2, do_not_save_grid=False, enable_hr=True, override_settings={"img2img_extra_noise": 0.1})
    assert len([image for image in job.result["images"] if not image["is_grid"]]) == 2
    [note] = [note for note in job.result["notes"] if callback in note]
    assert "extension fixture" in note


def test_process_may_replace_the_lists_by_longer_ones(made, recorder):
    def longer(event):
        p = event["p"]
        p.all_prompts = ["one", "two", "three", "four", "five"]
        p.n_iter = 3

    recorder.WISHES["process"] = longer
    job = made(batch_size=2)
    assert [text.split("\n")[0] for text in infotexts(job)] == ["one", "two", "three", "four", "five"]
    assert [image["seed"] for image in job.result["images"]] == [1, 2, 3, 4, 5]


def infotexts(job):
    return [image["infotext"] for image in job.result["images"] if not image["is_grid"]]


def test_prompts_of_a_batch_may_be_edited_in_place(made, recorder):
    plain = made(prompt="a dog").result["images"][0]["path"]
    recorder.WISHES["before_process_batch"] = lambda event: event["prompts"].__setitem__(0, "a dog")
    assert pixels(made().result["images"][0]["path"]) == pixels(plain)


def pixels(path):
    from PIL import Image

    return Image.open(path).convert("RGB").tobytes()


def test_latents_pixels_and_pictures_may_be_replaced(made, recorder):
    from PIL import Image

    recorder.WISHES["post_sample"] = lambda event: setattr(event["event"], "samples", torch.zeros(1, 4, 16, 16))
    assert [(image["width"], image["height"]) for image in made().result["images"]] == [(128, 128)]
    recorder.WISHES = {"postprocess_batch": lambda event: event["images"].zero_()}
    assert not any(pixels(made().result["images"][0]["path"]))
    recorder.WISHES = {"postprocess_image": lambda event: setattr(event["event"], "image", Image.new("RGB", (8, 8), "red"))}
    assert pixels(made().result["images"][0]["path"]) == bytes([255, 0, 0]) * 64


def test_a_script_may_add_pictures_to_a_batch(made, recorder):
    recorder.WISHES["postprocess_batch_list"] = lambda event: event["event"].images.append(torch.zeros(3, 64, 64))
    job = made(n_iter=2, batch_size=2)
    assert len(job.result["images"]) == 6 and len({picture.index for picture in job.pictures}) == 6
    assert [image["seed"] for image in job.result["images"]] == [1, 2, 3, 4, 2, 4]


def test_a_script_may_drop_pictures_of_a_batch(made, recorder):
    recorder.WISHES["postprocess_batch_list"] = lambda event: event["event"].images.pop()
    assert [image["seed"] for image in made(n_iter=2, batch_size=2).result["images"]] == [1, 3]


def test_parameters_that_a_script_adds_stand_in_the_infotext(made, recorder):
    recorder.WISHES["process"] = lambda event: event["p"].extra_generation_params.update({"Recorder word": "x, y"})
    assert 'Recorder word: "x, y"' in made().result["images"][0]["infotext"]


def test_what_denoiser_callbacks_put_in_is_used(made, recorder):
    before = pixels(made().result["images"][0]["path"])
    for event, change in {"cfg_denoiser": lambda params: setattr(params, "text_cond", params.text_cond * 0),
                          "cfg_denoised": lambda params: params.x.mul_(0.5),
                          "cfg_after_cfg": lambda params: setattr(params, "x", params.x * 0.5)}.items():
        recorder.WISHES = {event: lambda details, change=change: change(details["event"])}
        assert pixels(made().result["images"][0]["path"]) != before, event


def test_denoiser_callbacks_see_all_rows_and_count_steps(made, recorder):
    made(batch_size=2, steps=3)
    params = [event["event"] for event in events(recorder, "cfg_denoiser")]
    assert [(one.sampling_step, one.total_sampling_steps) for one in params] == [(0, 3), (1, 3), (2, 3)]
    assert params[0].x.shape == (4, 4, 8, 8) and params[0].sigma.shape == (4,) and params[0].text_cond.shape[:2] == (2, 77)


def test_before_saving_picture_name_and_infotext_may_be_replaced(made, recorder, rt):
    from PIL import Image

    def change(event):
        params = event["event"]
        params.filename = params.filename.rsplit("/", 1)[0] + "/chosen.png"
        params.pnginfo["parameters"] += ", Mine: yes"
        params.image = Image.new("RGB", (8, 8), "blue")

    recorder.WISHES["before_image_saved"] = change
    [path] = [image["path"] for image in made().result["images"]]
    assert path.endswith("/chosen.png")
    with Image.open(path) as image:
        assert image.size == (8, 8) and image.info["parameters"].endswith("Mine: yes")
    assert events(recorder, "image_saved")[0]["event"].filename == path


def test_the_name_told_before_saving_is_the_one_that_is_used(made, recorder):
    made(n_iter=2)
    assert [event["event"].filename for event in events(recorder, "before_image_saved")] == [
        event["event"].filename for event in events(recorder, "image_saved")]


def test_the_shape_of_a_grid_may_be_changed(made, recorder):
    from PIL import Image

    recorder.WISHES["image_grid"] = lambda event: setattr(event["event"], "rows", 4)
    job = made(n_iter=4, do_not_save_grid=False)
    with Image.open(next(image["path"] for image in job.result["images"] if image["is_grid"])) as grid:
        assert grid.size == (64, 256)


def test_a_run_inside_a_hook_neither_ends_nor_repeats_the_outer_one(made, recorder):
    import copy

    from modules import processing

    def nested(event):
        recorder.WISHES.clear()
        inner = copy.copy(event["p"])
        inner.prompt, inner.do_not_save_samples = "inner", True
        event["event"].image = processing.process_images(inner).images[0]

    recorder.WISHES["postprocess_image"] = nested
    job = made(n_iter=2)
    assert len(job.result["images"]) == 2 and [picture.index for picture in job.pictures] == [0, 1]


def test_loading_a_model_is_told(made, recorder, rt):
    made(override_settings={"sd_model_checkpoint": "tiny-sd1-s2"})
    made()
    assert [event["event"].checkpoint.model_name for event in events(recorder, "model_loaded")] == ["tiny-sd1-s2", "tiny-sd1-s1"]




def test_noise_that_a_setting_adds_to_the_second_pass_is_told_between_its_hooks_and_its_steps(made, recorder):
    made(enable_hr=True, hr_scale=2.0, hr_upscaler="Latent", override_settings={"img2img_extra_noise": 0.1})
    second = ["before_hr", "process_before_every_sampling", "extra_noise", STEP[0]]
    first = [*BEGIN, *BATCH, *STEP * 2]
    assert names(recorder)[:len(first) + len(second)] == [*first, *second]


def test_a_grid_is_told_before_it_is_saved_and_after_all_pictures(made, recorder):
    made(n_iter=2, do_not_save_grid=False)
    saved = ["before_image_saved", "image_saved"]
    assert names(recorder)[-8:] == [*PICTURE, "image_grid", *saved, *END]
