"""POST /internal/picture-text: the parameters inside an uploaded picture."""
import io

import pytest
from PIL import Image

from modules.imaging.encode import png_bytes

INFOTEXT = "a cat\nNegative prompt: bad\nSteps: 7, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 64x64"


def upload(client, content: bytes):
    return client.post("/internal/picture-text", files={"file": ("a.png", content, "image/png")})


def png(infotext: str = "") -> bytes:
    return png_bytes(Image.new("RGB", (8, 8)), infotext)


def test_the_text_is_answered(client):
    assert upload(client, png(INFOTEXT)).json() == {"infotext": INFOTEXT}


def test_a_jpeg_is_read_too(client):
    from modules.imaging.encode import Encoding, encode

    content = encode(Image.new("RGB", (8, 8)), INFOTEXT, Encoding(format="jpg")).content
    assert upload(client, content).json() == {"infotext": INFOTEXT}


def test_a_picture_without_parameters_is_refused_with_a_sentence(client):
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "PNG")
    answer = upload(client, plain.getvalue())
    assert answer.status_code == 422 and "holds no parameters" in answer.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"text", b"<svg onload='x'/>", png(INFOTEXT)[:60], b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_what_is_no_picture_is_refused_with_a_sentence(client, content):
    answer = upload(client, content)
    assert answer.status_code == 422 and "cannot be read" in answer.json()["detail"]


def test_a_request_without_a_file_is_refused(client):
    assert client.post("/internal/picture-text", json={"file": "x"}).status_code == 422
    assert client.post("/internal/picture-text", files={"other": ("a.png", b"x")}).status_code == 422
