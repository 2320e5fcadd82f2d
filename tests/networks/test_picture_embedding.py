"""Embeddings in pictures: both forms of A1111's, written here as its format says, and ordinary pictures left alone."""
import base64
import json
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.networks import picture_embedding
from modules.networks.textual_inversion import EmbeddingTable, read_embedding

VECTORS = torch.linspace(-1, 1, 2 * 8).reshape(2, 8)


def content():
    param = {"*": {"TORCHTENSOR": VECTORS.tolist()}}
    return json.dumps({"name": "style", "string_to_token": {"*": 265}, "string_to_param": param}).encode()


def with_chunk(path):
    info = PngInfo()
    info.add_text("sd-ti-embedding", base64.b64encode(content()).decode())
    Image.new("RGB", (32, 32), "red").save(path, pnginfo=info)


def mixed(values):
    state, pattern = 0, []
    for _ in range(values.size):
        state = (1664525 * state + 1013904223) % 2**32
        pattern.append(state & 0x0F)
    return values ^ np.array(pattern, np.uint8).reshape(values.shape)


def in_pixels(path):
    """A card of 64 rows: the low halves left, a band whose low bits are zero, the high halves right."""
    packed = np.frombuffer(zlib.compress(content(), level=9), np.uint8)
    height, columns = 64, -(-len(packed) // (64 * 3))
    padded = np.zeros(height * columns * 3, np.uint8)
    padded[:len(packed)] = packed
    block = padded.reshape(height, columns, 3)
    band = np.full((height, 20, 3), 0x80, np.uint8)
    halves = [mixed(half) | 0x40 for half in (block & 0x0F, block >> 4)]
    Image.fromarray(np.concatenate([halves[0], band, halves[1]], axis=1)).save(path)


@pytest.mark.parametrize("write", [with_chunk, in_pixels])
def test_the_vectors_of_a_picture_are_those_that_were_stored(tmp_path, write):
    path = tmp_path / "my style.png"
    write(path)
    embedding = read_embedding(path)
    assert embedding.name == "my style" and torch.allclose(embedding.vectors, VECTORS)


def test_pictures_to_look_at_are_no_embeddings_and_no_faults(tmp_path):
    with_chunk(tmp_path / "style.png")
    with_chunk(tmp_path / "style.preview.png")
    Image.effect_noise((48, 48), 60).convert("RGB").save(tmp_path / "other.png")
    Image.new("RGB", (40, 40), "white").save(tmp_path / "plain.webp")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG nothing")
    table = EmbeddingTable([tmp_path], lambda text: [ord(sign) for sign in text])
    table.refresh(8)
    assert list(table.loaded) == ["style"] and table.skipped == {}


@pytest.mark.parametrize("text", ["", "!!!", base64.b64encode(b"[1, 2]").decode(), base64.b64encode(b"[" * 5000).decode()])
def test_a_damaged_chunk_is_no_embedding(tmp_path, text):
    info = PngInfo()
    info.add_text("sd-ti-embedding", text)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    assert picture_embedding.contents_of(tmp_path / "a.png") is None
