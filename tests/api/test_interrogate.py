"""POST /sdapi/v1/interrogate: what clients send, what they get back, and the job behind it."""
import base64

import pytest
from PIL import Image

from modules.imaging.encode import png_bytes
from modules.imaging.tag_text import TagOptions, tag_text

PICTURE = base64.b64encode(png_bytes(Image.new("RGB", (8, 8), "red"), "")).decode()


@pytest.fixture
def seeing(rt, monkeypatch):
    """Networks that see the same in every picture."""
    monkeypatch.setattr(rt.interrogator, "missing", lambda name: None)
    monkeypatch.setattr(rt.interrogator, "described", lambda image, options: (f"a {image.size} cube, {options.caption.beams}", []))
    monkeypatch.setattr(rt.interrogator, "tags", lambda image, name, options: tag_text({"red_cube": 0.8, "blue": 0.2}, options))


def post(client, **body):
    return client.post("/sdapi/v1/interrogate", json=body)


def test_a_caption_is_answered_as_clients_expect_it(client, seeing):
    assert post(client, image=PICTURE).json() == {"caption": "a (8, 8) cube, 1"}
    assert post(client, image=PICTURE, model="deepdanbooru").json() == {"caption": "red cube"}


def test_settings_count(client, rt, seeing):
    rt.settings.set("interrogate_deepbooru_score_threshold", 0.1)
    rt.settings.set("deepbooru_use_spaces", False)
    assert post(client, image=PICTURE, model="deepbooru").json() == {"caption": "blue, red_cube"}
    assert tag_text({"a": 0.5}, TagOptions()) == "a"


@pytest.mark.parametrize("body, status, words", [
    ({}, 404, "Image not found"), ({"image": ""}, 404, "Image not found"),
    ({"image": PICTURE, "model": "other"}, 404, "clip, deepdanbooru"),
    ({"image": "aGVsbG8="}, 422, "picture"), ({"image": 5}, 422, "base64"), ({"image": PICTURE, "model": 5}, 422, "text"),
])
def test_bad_input_is_refused_with_a_sentence(client, seeing, body, status, words):
    answer = post(client, **body)
    assert answer.status_code == status and words in answer.text


def test_a_missing_file_is_named_with_its_folder_size_and_source(client):
    answer = post(client, image=PICTURE)
    assert answer.status_code == 422
    for words in ("model_base_caption_capfilt_large.pth", "models/BLIP", "896 MB", "storage.googleapis.com"):
        assert words in answer.json()["detail"]
