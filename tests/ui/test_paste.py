"""Infotext to the values of the form."""
import json

import gradio as gr
import pytest

from modules.errors import RequestError
from modules.generation.fields import IMG2IMG_FIELDS, TXT2IMG_FIELDS
from modules.imaging import infotext
from modules.ui import paste
from modules.ui.form import Form
from modules.ui.paste import form_values, override_mapping, override_texts, received_handler

TEXT = """a fox, <lora:x:1>
second line
Negative prompt: rain
Steps: 33, Sampler: DPM++ 2M Karras, CFG scale: 5.5, Seed: 7, Size: 640x384, Variation seed: 9, Variation seed strength: 0.2, \
Seed resize from: 512x256, Clip skip: 2, Model hash: 0123456789, Version: v1.8.0"""

FIELDS = TXT2IMG_FIELDS
# What an infotext says of the second pass by saying nothing of it.
NO_SECOND_PASS = {"restore_faces": False,
                  "enable_hr": False, "hr_resize_x": 0, "hr_resize_y": 0, "hr_checkpoint_name": "Use same checkpoint",
                  "hr_sampler_name": "Use same sampler", "hr_scheduler": "Use same scheduler"}


def values_of(text):
    return form_values(FIELDS, infotext.parse(text))


def pasted_values(rt, fields, text):
    return paste.values_of(rt, fields, paste.parsed_infotext(rt, text))


def test_every_field_of_an_infotext_finds_its_control():
    values, notes = values_of(TEXT)
    assert notes == []
    assert values == {
        "prompt": "a fox, <lora:x:1>\nsecond line", "negative_prompt": "rain", "steps": 33, "sampler_name": "DPM++ 2M",
        "scheduler": "Karras", "cfg_scale": 5.5, "seed": 7, "width": 640, "height": 384, "subseed": 9, "subseed_strength": 0.2,
        "seed_resize_from_w": 512, "seed_resize_from_h": 256} | NO_SECOND_PASS


def test_an_infotext_with_a_second_pass_switches_it_on():
    values, notes = values_of("a\nSteps: 8, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, Denoising strength: 0.6, "
                              "Hires upscale: 1.5, Hires steps: 4, Hires upscaler: Lanczos")
    assert notes == [] and values["enable_hr"] is True
    assert (values["hr_scale"], values["hr_second_pass_steps"], values["hr_upscaler"]) == (1.5, 4, "Lanczos")


def test_a_value_that_cannot_be_is_named_and_the_rest_is_used():
    values, notes = values_of("a\nSteps: 99999, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64")
    assert "steps" not in values and values["seed"] == 1
    assert len(notes) == 1 and "Sampling steps" in notes[0]


def test_a_mere_prompt_changes_only_the_prompts(runtime):
    values, notes = pasted_values(runtime, FIELDS, "just words, no numbers")
    assert values == {"prompt": "just words, no numbers", "override_settings": []} and notes == []


def test_settings_that_differ_from_the_present_ones_are_listed(runtime):
    parsed = infotext.parse(TEXT)
    assert "Clip skip: 2" in override_texts(runtime.settings, parsed)
    runtime.settings.set("CLIP_stop_at_last_layers", 2)
    assert "Clip skip: 2" not in override_texts(runtime.settings, parsed)


def test_override_texts_become_settings_in_their_types(runtime):
    assert override_mapping(runtime, ["Clip skip: 2"]) == {"CLIP_stop_at_last_layers": 2}


@pytest.mark.parametrize("text", ["Colour of the sky: blue", "nonsense"])
def test_an_override_that_names_no_setting_is_refused_by_name(runtime, text):
    with pytest.raises(RequestError, match=text):
        override_mapping(runtime, [text])


def test_styles_are_recognised_in_pasted_prompts(runtime):
    runtime.styles.save("film", "{prompt}, grainy film", "digital")
    text = "a fox, grainy film\nNegative prompt: rain, digital\nSteps: 3, Sampler: Euler, Seed: 1"
    values, _ = pasted_values(runtime, FIELDS, text)
    assert (values["prompt"], values["negative_prompt"], values["styles"]) == ("a fox", "rain", ["film"])


def test_a_sampler_that_is_none_is_named_and_the_rest_is_used():
    values, notes = values_of("a\nSteps: 33, Sampler: Marvellous, Seed: 7")
    assert (values["steps"], values["seed"], "sampler_name" in values) == (33, 7, False) and "Marvellous" in notes[0]


def pasted_with(runtime, model):
    """Overrides and notes of an infotext that names a checkpoint."""
    values, notes = pasted_values(runtime, FIELDS, f"a\nSteps: 5, Sampler: Euler, Seed: 1, RNG: CPU, {model}")
    return values["override_settings"], notes


def test_the_checkpoint_of_an_infotext_is_named_where_another_one_is_chosen(runtime):
    chosen = runtime.chosen_checkpoint()
    other = next(info for info in runtime.checkpoints.list() if info.path != chosen.path)
    assert pasted_with(runtime, f"Model: {chosen.model_name}") == ([], [])
    assert pasted_with(runtime, f"Model: {other.model_name}") == (
        [], [f'It was made with the checkpoint "{other.name}"; "{chosen.name}" is chosen.'])
    assert pasted_with(runtime, "Model hash: 0000000000, Model: far away") == (
        [], ['It was made with the checkpoint "far away", which is not here.'])


def test_the_checkpoint_of_an_infotext_is_taken_where_the_settings_say_so(runtime):
    runtime.settings.set("disable_weights_auto_swap", False)
    other = next(info for info in runtime.checkpoints.list() if info.path != runtime.chosen_checkpoint().path)
    overrides, notes = pasted_with(runtime, f"Model: {other.model_name}")
    assert override_mapping(runtime, overrides) == {"sd_model_checkpoint": other.title} and notes == []


def test_the_strength_of_a_second_pass_is_none_of_img2img():
    text = "a\nSteps: 8, Sampler: Euler, Seed: 1, Denoising strength: 0.6"
    assert form_values(IMG2IMG_FIELDS, infotext.parse(text))[0]["denoising_strength"] == 0.6
    assert "denoising_strength" not in form_values(IMG2IMG_FIELDS, infotext.parse(text + ", Hires upscaler: Lanczos"))[0]


def test_words_of_masks_become_their_values():
    text = "a\nSteps: 8, Sampler: Euler, Seed: 1, Mask mode: Inpaint not masked, Inpaint area: Only masked, Masked content: latent noise"
    values, notes = form_values(IMG2IMG_FIELDS, infotext.parse(text))
    assert notes == [] and values["inpaint_full_res"] is True
    assert (values["inpainting_mask_invert"], values["inpainting_fill"]) == (1, 2)


class NoScripts:
    pasted_components = ()

    def pasted(self, parsed):
        return []


@pytest.fixture
def received(runtime):
    """received(message) -> field -> value for what changes in a small form."""
    form = Form(tab="img2img", fields=IMG2IMG_FIELDS)
    with gr.Blocks():
        form.textbox("prompt")
        for name in ("steps", "width", "height"):
            form.slider(name)
        form.number("seed")
        form.dropdown("override_settings", (), multiselect=True)

    def receive(**message):
        updates = received_handler(runtime, form, NoScripts())(json.dumps(message))
        return {name: update["value"] for name, update in zip(form.components, updates) if "value" in update}
    return receive


def test_a_picture_that_is_sent_brings_its_own_size_and_by_the_settings_its_seed(received, runtime):
    assert received(infotext=TEXT, width=96, height=72)["width"] == 96
    assert received(infotext=TEXT, width=96, height=72)["seed"] == 7
    runtime.settings.set("send_seed", False)
    runtime.settings.set("send_size", False)
    assert not {"seed", "width", "height"} & received(infotext=TEXT, width=96, height=72).keys()


def test_a_picture_without_parameters_brings_its_size_and_leaves_the_rest(received, runtime):
    runtime.settings.set("infotext_styles", "Apply")
    assert received(infotext="", width=96, height=72) == {"width": 96, "height": 72}


def test_only_the_named_parameters_are_taken(received):
    assert received(infotext=TEXT, only=["Steps", "Size"]) == {"steps": 33, "width": 640, "height": 384}
    assert received(infotext=TEXT, only=["Clip skip"]) == {"override_settings": ["Clip skip: 2"]}
