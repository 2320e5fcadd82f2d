"""Whatever stands in a file, reading its parameters ends soon and raises nothing."""
import io
import json
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules import errors
from modules.imaging.foreign_infotext import read_parameters, reading_of
from modules.imaging.open_picture import PictureRefused

# Program -> the place, and an object in its form.
SAMPLES = {
    "NovelAI": ("Comment", {
        "prompt": "{a}", "uc": "b", "steps": 28, "scale": 5, "seed": 1, "width": 64, "height": 64, "sampler": "k_euler", "strength": 0.5,
        "noise_schedule": "karras", "uncond_scale": 1, "sm": True, "request_type": "x",
        "v4_prompt": {"caption": {"base_caption": "a", "char_captions": [{"char_caption": "b"}]}}}),
    "InvokeAI": ("invokeai_metadata", {
        "positive_prompt": "a+", "negative_prompt": "b", "steps": 2, "cfg_scale": 7, "seed": 1, "width": 64, "height": 64, "clip_skip": 1,
        "scheduler": "euler_k", "model": {"name": "m"}, "vae": "v", "loras": [{"model": {"name": "l"}, "weight": 1}], "strength": 0.5,
        "generation_mode": "img2img", "refiner_model": {"name": "r"}, "refiner_start": 0.8, "controlnets": [1], "seamless_x": True}),
    "InvokeAI 2": ("sd-metadata", {"model_weights": "m", "image": {
        "prompt": [{"prompt": "a [b]", "weight": 1}], "steps": 2, "cfg_scale": 7, "seed": 1, "width": 64, "height": 64, "sampler": "ddim",
        "type": "img2img", "strength": 0.5, "seamless": True}}),
    "Fooocus": ("parameters", {
        "metadata_scheme": "fooocus", "prompt": "a", "negative_prompt": "b", "full_prompt": ["a", "c"], "full_negative_prompt": ["b"],
        "steps": 3, "guidance_scale": 4, "seed": "5", "resolution": "(64, 64)", "sampler": "euler", "scheduler": "karras",
        "base_model": "m", "vae": "v", "refiner_model": "r", "refiner_switch": 0.5, "loras": [["l", 0.5, "hash"]], "clip_skip": 2,
        "styles": "['x']"}),
    "SwarmUI": ("parameters", {"sui_image_params": {
        "prompt": "a", "negativeprompt": "b", "steps": 2, "cfgscale": 7, "seed": 1, "width": 64, "height": 64, "model": "m",
        "sampler": "euler", "scheduler": "normal", "loras": ["l"], "loraweights": ["1"], "initimagecreativity": 0.5}}),
    "Easy Diffusion": ("UserComment", {
        "prompt": "a", "negative_prompt": "b", "num_inference_steps": 2, "guidance_scale": 7, "seed": 1, "width": 64, "height": 64,
        "use_stable_diffusion_model": "m", "use_lora_model": ["l"], "lora_alpha": [1], "clip_skip": True, "sampler_name": "euler",
        "prompt_strength": 0.5, "init_image": "x"}),
    "Draw Things": ("UserComment", {
        "c": "a", "uc": "b", "steps": 2, "scale": 7, "seed": 1, "size": "64x64", "model": "m", "sampler": "DPM++ 2M AYS", "seed_mode": "x",
        "lora": [{"model": "l", "weight": 1}], "refiner": "r", "refiner_start": 0.5}),
    "ComfyUI": ("prompt", {
        "3": {"class_type": "KSampler", "inputs": {
            "seed": 5, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "karras", "denoise": 1.0, "model": ["10", 0],
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["11", 0]}},
        "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "l", "strength_model": 1, "strength_clip": 1, "model": ["4", 0]}},
        "11": {"class_type": "LatentUpscaleBy", "inputs": {"upscale_method": "area", "scale_by": 2, "samples": ["12", 0]}},
        "12": {"class_type": "KSampler", "inputs": {"seed": 5, "denoise": 0, "positive": ["6", 0], "latent_image": ["5", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}},
        "6": {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["7", 0], "conditioning_2": ["7", 0]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "a", "clip": ["13", 0]}},
        "13": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}}}),
    "ComfyUI's editor": ("workflow", {
        "nodes": [{"id": 3, "type": "KSampler", "mode": 0, "widgets_values": [5, "x", 20, 8, "euler", "karras", 1],
                   "inputs": [{"name": "positive", "link": 1, "type": "C"}, {"name": "latent_image", "link": 2, "type": "L"}]},
                  {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a"]}, {"id": 8, "type": "Reroute", "inputs": [{"link": 2}]},
                  {"id": 9, "type": "X", "mode": 4, "inputs": [{"name": "a", "link": 1, "type": "C"}], "outputs": [{"type": "C"}]}],
        "links": [[1, 6, 0, 3, 0, "C"], [2, 9, 0, 3, 1, "L"]]}),
}
HOSTILE = [None, True, float("nan"), float("inf"), -1, 0, 2**80, 10**400, 1e308, "", "x" * 10_000, "1e999", "nan", [], {}, [[]], [None] * 3,
           {"a": {}}, "<img src=x onerror=alert(1)>", "\ud800", "\0", ["3", 0], [["3", 0]], "(" * 5_000,
           "Negative prompt: x\nSteps: 1, Sampler: a, Seed: 2"]


@pytest.fixture(autouse=True)
def no_mistake_is_hidden(monkeypatch):
    """Where reading fails inside, the mistake is reported; here it ends the test."""
    def raised(message, exc=None):
        raise AssertionError(message) from exc
    monkeypatch.setattr(errors, "report", raised)


def variants(value, replacement) -> Iterator:
    """`value` with `replacement` in the place of each part of it, one at a time."""
    yield replacement
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        for changed in variants(part, replacement):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = changed
            yield copy


@pytest.mark.parametrize("program", SAMPLES)
def test_the_sample_is_recognised(program):
    place, values = SAMPLES[program]
    assert program.startswith(reading_of({place: json.dumps(values)}).program or "-")


@pytest.mark.parametrize("program", SAMPLES)
def test_any_value_may_stand_anywhere(program):
    place, values = SAMPLES[program]
    for hostile in HOSTILE:
        for changed in variants(values, hostile):
            reading = reading_of({place: json.dumps(changed)})
            assert len(reading.text) < 100_000 and "\0" not in reading.text


@pytest.mark.parametrize("place", ["prompt", "workflow", "parameters", "Comment", "UserComment", "invokeai_metadata", "sd-metadata"])
@pytest.mark.parametrize("text", [
    '{"a":' * 100_000, "{" + "[" * 200_000, '{"a": ' + "9" * 100_000 + "}", "{}", "{" * 1_000_000,
    '{"nodes": [' + "{}," * 100_000 + '{}], "links": []}',
    json.dumps({str(n): {"class_type": "KSampler", "inputs": {"positive": [str(n + 1), 0], "latent_image": [str(n + 1), 0]}}
                for n in range(6000)}),
    json.dumps({str(n): {"class_type": "ConditioningCombine", "inputs": {
        "conditioning_1": [str(n + 1), 0], "conditioning_2": [str(n + 2), 0], "latent_image": ["1", 0]}} for n in range(6000)}),
    json.dumps({str(n): {"class_type": "SaveImage", "inputs": {"images": [str(max(n + 1, 2500)), 0]}} for n in range(5000)}),
    "a: b, " * 200_000, ":" * 1_000_000, "<exif:UserComment><rdf:li>" * 50_000,
])
def test_a_megabyte_of_anything_ends_soon(place, text):
    began = time.process_time()
    reading_of({place: text, "XMP": text})
    assert time.process_time() - began < 3


@given(st.text(max_size=300), st.sampled_from(["Dream", "parameters", "Comment", "prompt", "UserComment", "XMP"]))
def test_any_text_is_read(text, place):
    reading_of({place: text})


@pytest.mark.parametrize("bits", [0, 1, 2**31])
def test_a_wrong_length_or_stream_hidden_in_pixels_is_no_text(bits):
    content = b"stealth_pngcomp" + bits.to_bytes(4, "big") + b"no gzip"
    pixels = np.zeros((40, 40, 4), np.uint8)
    for place, bit in enumerate("".join(f"{byte:08b}" for byte in content)):
        pixels[place % 40, place // 40, 3] = int(bit)
    assert read_parameters(Image.fromarray(pixels)).others == {}


@pytest.mark.parametrize("mode, size", [
    ("RGBA", (1, 1)), ("RGB", (1, 200)), ("RGBA", (200, 1)), ("L", (3, 3)), ("P", (3, 3)), ("I;16", (3, 3))])
def test_every_kind_of_picture_is_looked_at(mode, size):
    assert read_parameters(Image.new(mode, size)).text == ""


def test_too_much_text_is_refused_as_everywhere():
    chunks = PngInfo()
    chunks.add_text("workflow", "x" * 5_000_000, zip=True)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=chunks)
    with pytest.raises(PictureRefused):
        read_parameters(file.getvalue())
