"""Parameters that other programs wrote into their pictures."""
import gzip
import io
import json

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.imaging import infotext
from modules.imaging.encode import Encoding, encode
from modules.imaging.exif import user_comment_block
from modules.imaging.foreign_infotext import read_parameters, reading_of
from modules.imaging.open_picture import PictureRefused

OURS = "a cat, (dog:1.1)\nNegative prompt: rain\nSteps: 7, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 64x64, Version: easel-0.1.0"
GREY = Image.new("RGB", (64, 64), (90, 90, 90))


def png(texts: dict[str, str], image: Image.Image = GREY) -> bytes:
    chunks = PngInfo()
    for name, text in texts.items():
        chunks.add_itxt(name, text)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def with_exif(kind: str, tags: dict[int, object]) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    file = io.BytesIO()
    GREY.save(file, kind, exif=exif)
    return file.getvalue()


def fields(reading) -> dict:
    return infotext.read_fields(reading.text)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "avif", "gif"])
def test_our_own_text_is_read_unchanged_from_every_format(kind):
    reading = read_parameters(encode(GREY, OURS, Encoding(format=kind)).content)
    assert (reading.text, reading.program, reading.notes) == (OURS, "Easel", ())
    assert OURS in reading.others.values()


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
def test_a_comment_in_exif_is_read_in_both_byte_orders(order):
    block = user_comment_block(OURS).replace(OURS.encode("utf-16-be"), OURS.encode(order))
    file = io.BytesIO()
    GREY.save(file, "JPEG", exif=block)
    assert read_parameters(file.getvalue()).text == OURS


def test_a_path_is_read_and_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(png({"parameters": OURS, "Author": "nobody"}))
    reading = read_parameters(tmp_path / "a.png")
    assert reading.text == OURS and reading.others["Author"] == "nobody"
    with pytest.raises(PictureRefused):
        read_parameters(b"no picture")


def test_a_picture_without_parameters_shows_its_other_texts():
    reading = read_parameters(with_exif("JPEG", {0x010E: "holiday", 0x0131: "camera", 0x9C9C: "comment\0".encode("utf-16-le")}))
    assert (reading.text, reading.program) == ("", "")
    assert reading.others == {"ImageDescription": "holiday", "Software": "camera", "XPComment": "comment"}


NOVELAI_COMMENT = {"prompt": "{cat}, [sky], (x)", "steps": 28, "height": 1216, "width": 832, "scale": 5.5, "seed": 4000000001,
                   "noise_schedule": "karras", "sampler": "k_euler_ancestral", "sm": True, "cfg_rescale": 0.0, "uc": "{{bad}}"}
NOVELAI = {"Title": "NovelAI generated image", "Description": "{cat}", "Software": "NovelAI", "Source": "Stable Diffusion XL 7BCCAA2C",
           "Comment": json.dumps(NOVELAI_COMMENT)}


def check_novelai(reading):
    assert reading.program == "NovelAI"
    assert fields(reading) == {
        "Prompt": r"(cat:1.05), (sky:0.952381), \(x\)", "Negative prompt": "(bad:1.1025)", "Steps": "28", "Sampler": "Euler a",
        "Schedule type": "Karras", "CFG scale": "5.5", "Seed": "4000000001", "Size-1": "832", "Size-2": "1216", "Version": "NovelAI"}
    assert "SMEA cannot be expressed and was left out." in reading.notes


def test_novelai_chunks_are_translated():
    check_novelai(read_parameters(png(NOVELAI)))


def hidden(text: str, *, signature: str, channels: slice) -> Image.Image:
    """A picture with `text` in its lowest bits: an independent writer, bit by bit."""
    content = gzip.compress(text.encode()) if signature.endswith("comp") else text.encode()
    bits = "".join(f"{byte:08b}" for byte in signature.encode() + (len(content) * 8).to_bytes(4, "big") + content)
    pixels = np.full((96, 128, 4), 254, np.uint8)
    count = channels.stop - channels.start
    for place, bit in enumerate(bits):
        column, row = divmod(place // count, 96)
        pixels[row, column, channels.start + place % count] |= int(bit)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("signature, channels", [
    ("stealth_pnginfo", slice(3, 4)), ("stealth_pngcomp", slice(3, 4)), ("stealth_rgbinfo", slice(0, 3)), ("stealth_rgbcomp", slice(0, 3))])
def test_text_hidden_in_pixels_is_found(signature, channels):
    reading = read_parameters(png({}, hidden(OURS, signature=signature, channels=channels)))
    assert (reading.text, reading.program) == (OURS, "Easel")


def test_novelai_is_read_from_its_alpha_channel():
    check_novelai(read_parameters(png({}, hidden(json.dumps(NOVELAI), signature="stealth_pngcomp", channels=slice(3, 4)))))


def test_the_captions_of_novelai_4_are_joined_and_its_first_models_had_settings_of_their_own():
    comment = {"prompt": "x", "uc": "", "v4_prompt": {"caption": {"base_caption": "two girls", "char_captions": [
        {"char_caption": "1.2::red hair::", "centers": [{"x": 0.5, "y": 0.5}]}, {"char_caption": ""}]}}}
    reading = reading_of({"Software": "NovelAI", "Source": "Stable Diffusion 81274D13", "Comment": json.dumps(comment)})
    assert fields(reading)["Prompt"] == "two girls, (red hair:1.2)"
    assert (fields(reading)["Clip skip"], fields(reading)["ENSD"]) == ("2", "31337")
    assert any("places of the characters" in note for note in reading.notes)


def test_invokeai_3_is_translated():
    metadata = {"generation_mode": "txt2img", "positive_prompt": "a cat++ (x)", "negative_prompt": "bad", "width": 640, "height": 512,
                "seed": 9, "rand_device": "cpu", "cfg_scale": 7.5, "steps": 30, "scheduler": "dpmpp_2m_k", "clip_skip": 1,
                "model": {"model_name": "dream", "base_model": "sd-1"}, "loras": [{"lora": {"model_name": "ink"}, "weight": 0.75}],
                "controlnets": [{"weight": 1}]}
    reading = read_parameters(png({"invokeai_metadata": json.dumps(metadata), "invokeai_graph": "{}"}))
    assert reading.program == "InvokeAI"
    assert fields(reading) == {
        "Prompt": "a (cat:1.21) x <lora:ink:0.75>", "Negative prompt": "bad", "Steps": "30", "Sampler": "DPM++ 2M",
        "Schedule type": "Karras", "CFG scale": "7.5", "Seed": "9", "Size-1": "640", "Size-2": "512", "Model": "dream",
        "Clip skip": "2", "RNG": "CPU", "Version": "InvokeAI"}
    assert reading.notes == ("ControlNet cannot be expressed and was left out.",)


def test_invokeai_2_and_the_dream_command_hold_the_negative_prompt_in_square_brackets():
    image = {"prompt": [{"prompt": "a cat [blurry, bad]", "weight": 1}], "steps": 50, "cfg_scale": 7.5, "width": 512, "height": 512,
             "seed": 1, "sampler": "k_lms", "type": "txt2img"}
    later = fields(reading_of({"sd-metadata": json.dumps({"model_weights": "sd-1.5", "image": image}), "Dream": "x"}))
    first = fields(reading_of({"Dream": '"a cat [blurry, bad]" -s 50 -S 1 -W 512 -H512 -C 7.5 -A k_lms'}))
    for found in (first, later):
        assert (found["Prompt"], found["Negative prompt"], found["Sampler"], found["Steps"]) == ("a cat", "blurry, bad", "LMS", "50")
        assert (found["Size-1"], found["Size-2"], found["Seed"]) == ("512", "512", "1")
    assert later["Model"] == "sd-1.5"


FOOOCUS = {"adm_guidance": "(1.5, 0.8, 0.3)", "base_model": "juggernaut", "clip_skip": 2, "guidance_scale": 4,
           "full_prompt": ["cinematic cat", "cat, detailed"], "full_negative_prompt": ["anime"], "loras": [["offset", 0.1, "4852686128"]],
           "metadata_scheme": "fooocus", "negative_prompt": "", "prompt": "cat", "refiner_model": "None", "resolution": "(1152, 896)",
           "sampler": "dpmpp_2m_sde_gpu", "scheduler": "karras", "seed": "127589946317439009", "sharpness": 2, "steps": 30,
           "styles": "['Fooocus V2']", "vae": "Default (model)", "version": "Fooocus v2.5.5"}
FOOOCUS_FIELDS = {"Prompt": "cinematic cat BREAK cat, detailed <lora:offset:0.1>", "Negative prompt": "anime", "Steps": "30",
                  "Sampler": "DPM++ 2M SDE", "Schedule type": "Karras", "CFG scale": "4", "Seed": "127589946317439009", "Size-1": "1152",
                  "Size-2": "896", "Model": "juggernaut", "Clip skip": "2", "Version": "Fooocus"}


def test_fooocus_is_translated_from_a_chunk_and_from_exif():
    chunk = read_parameters(png({"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"}))
    file = io.BytesIO()
    GREY.save(file, "JPEG", exif=user_comment_block(json.dumps(FOOOCUS)))
    for reading in (chunk, read_parameters(file.getvalue())):
        assert (reading.program, fields(reading)) == ("Fooocus", FOOOCUS_FIELDS)
        assert any("styles of Fooocus were written out" in note for note in reading.notes)


def test_the_other_scheme_of_fooocus_is_an_infotext():
    text = "cat\nNegative prompt: bad\nSteps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 5, Size: 1152x896, CFG scale: 4, Sharpness: 2, " \
           "Model: juggernaut, Version: Fooocus v2.3.1"
    reading = reading_of({"parameters": text, "fooocus_scheme": "a1111"})
    assert (reading.program, reading.text) == ("Fooocus", text)
    assert reading.notes == ("The sharpness of Fooocus cannot be expressed and was left out.",)


def test_keys_and_samplers_of_sd_next_get_our_names():
    text = "cat, a: b\nNegative prompt: bad\nSteps: 20, Size: 512x512, Sampler: DPM SDE, Seed: 5, CFG scale: 6, CLIP skip: 2, " \
           'App: SD.Next, Version: 8b73cb6, Parser: a1111, CFG rescale: 0.7, Note: "a, b"'
    reading = reading_of({"parameters": text})
    assert reading.program == "SD.Next"
    assert reading.text == text.replace("DPM SDE", "DPM++ SDE").replace("CLIP skip", "Clip skip")
    assert reading.notes == ("The rescaling of the guidance cannot be expressed and was left out.",)
    default = reading_of({"parameters": "x\nSteps: 20, Sampler: Default, Seed: 5, CFG scale: 6, App: SD.Next"})
    assert "Sampler" not in fields(default) and default.notes == ()


@pytest.mark.parametrize("ending, program", [
    ("Version: f2.0.1v1.10.1-previous-501-g668e87f9", "Forge"), ("Module 1: ae, Version: x", "Forge"), ("Version: v1.8.0", "AUTOMATIC1111"),
    ("Version: neo", "Forge"), ('Civitai resources: [{"type":"checkpoint"}]', "Civitai"),
    ("Model: x", "a program that writes as AUTOMATIC1111 does")])
def test_programs_that_write_infotexts_are_told_apart_and_their_text_stays(ending, program):
    text = f"cat\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Seed: 5, {ending}"
    reading = reading_of({"parameters": text})
    assert (reading.program, reading.text) == (program, text)


def test_what_forge_alone_has_is_named():
    reading = reading_of({"parameters": "x\nSteps: 20, Sampler: Euler, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 5, Version: f2.0.1"})
    assert reading.notes == ("The distilled guidance cannot be expressed and was left out.",)


def test_easy_diffusion_is_read_from_chunks_and_from_json():
    values = {"prompt": "a cat", "negative_prompt": "bad", "seed": 42, "use_stable_diffusion_model": "models/sd-v1-5.ckpt",
              "clip_skip": True, "sampler_name": "euler_a", "width": 512, "height": 640, "num_inference_steps": 25, "guidance_scale": 7.5,
              "use_lora_model": ["ink"], "lora_alpha": [0.5], "use_upscale": "RealESRGAN_x4plus"}
    one = reading_of({"UserComment": json.dumps(values)})
    several = read_parameters(png({key: json.dumps(value) if isinstance(value, list) else str(value) for key, value in values.items()
                                   if "lora" not in key}))
    assert fields(one) == {
        "Prompt": "a cat <lora:ink:0.5>", "Negative prompt": "bad", "Steps": "25", "Sampler": "Euler a", "CFG scale": "7.5", "Seed": "42",
        "Size-1": "512", "Size-2": "640", "Model": "sd-v1-5", "Clip skip": "2", "Version": "Easy Diffusion"}
    assert fields(several) == {**fields(one), "Prompt": "a cat"}
    assert one.notes == ("The upscaling afterwards cannot be expressed and was left out.",)


def test_scripts_around_diffusers_use_its_names():
    values = {"prompt": "a cat", "num_inference_steps": 25, "guidance_scale": 7, "seed": 1, "width": 64, "height": 64,
              "scheduler": "EulerAncestralDiscreteScheduler", "model": "runwayml/stable-diffusion-v1-5"}
    reading = reading_of({"parameters": json.dumps(values)})
    assert (reading.program, fields(reading)["Sampler"], fields(reading)["Model"]) == ("diffusers", "Euler a", "stable-diffusion-v1-5")


def test_swarmui_is_translated():
    values = {"prompt": "a [cat]", "negativeprompt": "bad", "model": "SDXL/dream_v6", "seed": 8, "steps": 28, "cfgscale": 6.0,
              "width": 1216, "height": 768, "sampler": "dpmpp_2m", "scheduler": "karras", "loras": ["ink"], "loraweights": ["0.4"]}
    reading = reading_of({"parameters": json.dumps({"sui_image_params": values, "sui_extra_data": {}})})
    assert reading.program == "SwarmUI"
    assert fields(reading)["Prompt"] == r"a \[cat\] <lora:ink:0.4>"
    names = ("Sampler", "CFG scale", "Seed", "Size-1", "Model")
    assert [fields(reading)[key] for key in names] == ["DPM++ 2M", "6", "8", "1216", "dream_v6"]


def test_draw_things_is_read_from_its_xmp_packet():
    values = {"c": "a 'cat' & dog", "uc": "bad", "steps": 28, "sampler": "DPM++ 2M Karras", "scale": 7.5, "seed": 42, "size": "768x512",
              "model": "sd_v1.5_f16.ckpt", "seed_mode": "NVIDIA GPU Compatible", "lora": [{"model": "ink.ckpt", "weight": 0.4}]}
    escaped = json.dumps(values).replace("&", "&amp;").replace('"', "&quot;")
    packet = '<x:xmpmeta><rdf:RDF><rdf:Description><exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">' + escaped + \
             "</rdf:li></rdf:Alt></exif:UserComment></rdf:Description></rdf:RDF></x:xmpmeta>"
    reading = read_parameters(png({"XML:com.adobe.xmp": packet}))
    assert reading.program == "Draw Things"
    assert fields(reading)["Prompt"] == "a 'cat' & dog <lora:ink:0.4>"
    assert [fields(reading)[key] for key in ("Sampler", "Schedule type", "RNG", "Seed", "Size-1")] == [
        "DPM++ 2M", "Karras", "NV", "42", "768"]


def test_an_unknown_sampler_is_left_out_with_a_note():
    reading = reading_of({"Comment": json.dumps({**NOVELAI_COMMENT, "sampler": "k_marvellous", "noise_schedule": "odd"})})
    assert "Sampler" not in fields(reading)
    assert {'The sampler "k_marvellous" is not among ours.', 'The schedule "odd" is not among ours.'} <= set(reading.notes)


def test_a_foreign_prompt_cannot_pass_for_parameters():
    prompt = "cat\nNegative prompt: hidden\nSteps: 1, Sampler: Heun, Seed: 2"
    found = fields(reading_of({"invokeai_metadata": json.dumps({"positive_prompt": prompt, "negative_prompt": "bad", "seed": 5})}))
    assert (found["Negative prompt"], found["Seed"]) == ("bad", "5")
    assert "Steps: 1, Sampler: Heun, Seed: 2" in found["Prompt"]
