"""POST /sdapi/v1/img2img, png-info and extra-single-image: what clients send, what they get back."""
import base64
import io
import json

import pytest
import tiny_model
from api_requests import TINY_REQUEST
from PIL import Image, PngImagePlugin

IN = tiny_model.GOLDENS / "images" / "in"
CASES = {case["name"]: case for case in json.loads((tiny_model.GOLDENS / "api-cases.json").read_text())}


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def png(picture: Image.Image, text: str = "") -> bytes:
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    if text:
        info.add_text("parameters", text)
    picture.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


PICTURE = b64((IN / "init_64x64.png").read_bytes())


def post(client, **fields):
    return client.post("/sdapi/v1/img2img", json={**TINY_REQUEST, "init_images": [PICTURE], **fields})


def refusal(answer) -> tuple[str, str]:
    """Field and sentence of a refused request."""
    assert answer.status_code == 422, answer.text
    problem = answer.json()["detail"][0]
    return problem["loc"][-1], problem["msg"]


def test_the_request_has_every_recorded_field_with_its_type_and_default(client, openapi_golden):
    recorded = openapi_golden["components"]["schemas"]["StableDiffusionProcessingImg2Img"]["properties"]
    body = client.get("/openapi.json").json()["paths"]["/sdapi/v1/img2img"]["post"]["requestBody"]
    ours = body["content"]["application/json"]["schema"]["properties"]
    for name, field in recorded.items():
        assert ours[name]["type"] == field["type"], name
        assert ours[name].get("default") == field.get("default"), name


def test_a_data_url_is_understood_and_the_answer_has_the_recorded_form(client):
    recorded = CASES["img2img data uri"]["response"]
    answer = post(client, init_images=[f"data:image/png;base64,{PICTURE}"])
    assert answer.status_code == 200, answer.text
    assert opened(answer.json()["images"][0]).size == (64, 64)
    assert {name: answer.json()["parameters"][name] for name in recorded["parameters"] if name != "override_settings"} == {
        name: value for name, value in recorded["parameters"].items() if name != "override_settings"}
    assert json.loads(answer.json()["info"]).keys() >= json.loads(recorded["info"]).keys()


def test_pictures_of_the_request_come_back_only_on_request(client):
    assert post(client, include_init_images=True).json()["parameters"]["init_images"] == [PICTURE]


def test_an_inpainted_picture_says_that_nothing_else_changed(client):
    mask = Image.new("L", (64, 64))
    mask.paste(255, (20, 20, 40, 40))
    answer = post(client, mask=b64(png(mask)), inpaint_full_res=False, mask_blur=2)
    assert "Changed outside mask: 0" in opened(answer.json()["images"][0]).text["parameters"]


@pytest.mark.parametrize("fields, field, words", [
    ({"init_images": None}, "init_images", "picture"),
    ({"init_images": []}, "init_images", "picture"),
    ({"init_images": ["!!!!"]}, "init_images", "base64"),
    ({"init_images": [b64(b"hello")]}, "init_images", "cannot be read"),
    ({"init_images": [""]}, "init_images", "base64"),
    ({"init_images": ["https://example.org/a.png"]}, "init_images", "not fetched"),
    ({"init_images": [PICTURE, PICTURE]}, "init_images", "2 pictures"),
    ({"init_images": PICTURE}, "init_images", "list"),
    ({"mask": "!!!!"}, "mask", "base64"),
    ({"mask": 5}, "mask", "base64"),
    ({"resize_mode": 7}, "resize_mode", "0 to 3"),
    ({"inpainting_fill": -1}, "inpainting_fill", "0 to 3"),
    ({"mask_blur": 1e9}, "mask_blur", "512"),
    ({"denoising_strength": 2}, "denoising_strength", "0 to 1"),
    ({"restore_faces": True}, "restore_faces", "face"),
], ids=str)
def test_bad_input_is_refused_with_its_field_and_a_sentence(client, fields, field, words):
    found, sentence = refusal(post(client, **fields))
    assert found == field and words in sentence


def test_a_decompression_bomb_is_refused_before_it_is_decoded(client):
    big = png(Image.new("1", (20000, 20000)))
    assert "megapixels" in refusal(post(client, init_images=[b64(big)]))[1]


def test_png_info_tells_what_the_recorded_answer_told(client):
    recorded = CASES["png-info"]["response"]
    answer = client.post("/sdapi/v1/png-info", json={"image": b64(png(Image.new("RGB", (8, 8)), recorded["info"]))})
    assert answer.status_code == 200, answer.text
    assert answer.json()["info"] == recorded["info"] and answer.json()["items"] == {}
    assert answer.json()["parameters"].items() >= recorded["parameters"].items()


def test_png_info_of_a_picture_without_parameters_has_the_defaults(client):
    recorded = CASES["png-info none"]["response"]
    answer = client.post("/sdapi/v1/png-info", json={"image": b64(png(Image.new("RGB", (8, 8))))}).json()
    assert answer["info"] == "" and answer["parameters"].items() >= recorded["parameters"].items()


@pytest.mark.parametrize("body", [{}, {"image": ""}, {"image": "x"}, {"image": b64(b"hello")}], ids=str)
@pytest.mark.parametrize("route", ["png-info", "extra-single-image"])
def test_what_is_no_picture_is_refused(client, route, body):
    answer = client.post(f"/sdapi/v1/{route}", json=body)
    assert answer.status_code == 422 and answer.json()["detail"]


@pytest.mark.parametrize("name, size", [("extras single lanczos", (128, 128)), ("extras two upscalers", (96, 96))])
def test_a_picture_is_enlarged_as_recorded(client, name, size):
    case = CASES[name]
    answer = client.post(case["path"], json={**case["request"], "image": PICTURE})
    assert answer.status_code == 200, answer.text
    assert answer.json()["html_info"] == case["response"]["html_info"] and opened(answer.json()["image"]).size == size


def test_enlarging_to_a_size_covers_and_crops_and_keeps_the_parameters(client):
    request = {"image": b64(png(Image.new("RGB", (64, 64)), "a cat\nSteps: 1, Sampler: Euler, Seed: 1")), "resize_mode": 1,
               "upscaler_1": "Nearest", "upscaling_resize_w": 200, "upscaling_resize_h": 104}
    picture = opened(client.post("/sdapi/v1/extra-single-image", json=request).json()["image"])
    assert picture.size == (200, 104) and picture.text["parameters"].startswith("a cat\nSteps: 1")


def test_an_upscaler_that_is_not_there_or_a_result_too_large_is_refused(client):
    assert client.post("/sdapi/v1/extra-single-image", json={"image": PICTURE, "upscaler_1": "ESRGAN_9x"}).status_code == 404
    wide = b64(png(Image.new("1", (8000, 8000))))
    answer = client.post("/sdapi/v1/extra-single-image", json={"image": wide, "upscaler_1": "Lanczos", "upscaling_resize": 8})
    assert answer.status_code == 422 and "megapixels" in answer.text
