"""POST /internal/picture-text and picture-info: what is inside an uploaded picture."""
import base64
import io
import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.imaging.encode import png_bytes

INFOTEXT = "a cat\nNegative prompt: bad\nSteps: 7, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 64x64"


def upload(client, content: bytes, route: str = "picture-text"):
    return client.post(f"/internal/{route}", files={"file": ("a.png", content, "image/png")})


def png(infotext: str = "") -> bytes:
    return png_bytes(Image.new("RGB", (8, 8)), infotext)


def test_the_text_is_answered(client):
    answer = upload(client, png(INFOTEXT)).json()
    assert answer == {"infotext": INFOTEXT, "program": "a program that writes as AUTOMATIC1111 does", "notes": []}


def test_a_jpeg_is_read_too(client):
    from modules.imaging.encode import Encoding, encode

    content = encode(Image.new("RGB", (8, 8)), INFOTEXT, Encoding(format="jpg")).content
    assert upload(client, content).json()["infotext"] == INFOTEXT


def test_a_picture_without_parameters_is_refused_with_a_sentence(client):
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "PNG")
    answer = upload(client, plain.getvalue())
    assert answer.status_code == 422 and "holds no parameters" in answer.json()["detail"]


def test_parameters_of_another_program_are_translated_and_every_text_is_answered(client):
    comment = json.dumps({"prompt": "{cat}", "uc": "bad", "steps": 28, "sampler": "k_euler", "scale": 5, "seed": 1, "sm": True})
    chunks = PngInfo()
    for name, text in {"Software": "NovelAI", "Comment": comment, "<b>": "<img src=x>"}.items():
        chunks.add_text(name, text)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=chunks)
    answer = upload(client, file.getvalue(), "picture-info").json()
    assert answer["program"] == "NovelAI" and answer["infotext"].startswith("(cat:1.05)\nNegative prompt: bad\nSteps: 28")
    assert answer["notes"] == ["SMEA cannot be expressed and was left out."]
    assert answer["texts"] == {"Software": "NovelAI", "Comment": comment, "<b>": "<img src=x>"}


def test_picture_info_answers_for_a_picture_without_parameters_too(client):
    assert upload(client, png(), "picture-info").json() == {"infotext": "", "program": "", "notes": [], "texts": {}}


@pytest.mark.parametrize("route", ["picture-text", "picture-info"])
@pytest.mark.parametrize("content", [b"", b"text", b"<svg onload='x'/>", png(INFOTEXT)[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_what_is_no_picture_is_refused_with_a_sentence(client, content, route):
    answer = upload(client, content, route)
    assert answer.status_code == 422 and "cannot be read" in answer.json()["detail"]


def test_a_request_without_a_file_is_refused(client):
    assert client.post("/internal/picture-text", json={"file": "x"}).status_code == 422
    assert client.post("/internal/picture-text", files={"other": ("a.png", b"x")}).status_code == 422


def test_an_invisible_watermark_is_told(client):
    from modules.imaging.watermark import with_watermark

    marked = png_bytes(with_watermark(Image.new("RGB", (256, 256), "grey"), "of Easel"), INFOTEXT)
    assert upload(client, marked, "picture-info").json()["watermark"] == "of Easel"
    assert "watermark" not in upload(client, png(INFOTEXT), "picture-info").json()
    answer = client.post("/sdapi/v1/png-info", json={"image": base64.b64encode(marked).decode()}).json()
    assert answer["items"] == {"invisible watermark": "of Easel"} and answer["info"] == INFOTEXT
