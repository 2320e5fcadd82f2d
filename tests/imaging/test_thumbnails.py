"""Thumbnails: small copies that are kept, and made again when the picture changes."""
import io
import os

import pytest
from PIL import Image

from modules.imaging.open_picture import PictureRefused
from modules.imaging.thumbnails import thumbnail


def size_of(content):
    image = Image.open(io.BytesIO(content))
    return image.format, image.size


@pytest.mark.parametrize(("mode", "ending"), [("RGB", "png"), ("RGBA", "png"), ("L", "jpg"), ("P", "gif"), ("RGB", "webp"),
                                              ("I;16", "png")])
def test_a_thumbnail_keeps_the_shape_of_every_kind_of_picture(tmp_path, mode, ending):
    path = tmp_path / f"a.{ending}"
    Image.new(mode, (640, 160)).save(path)
    assert size_of(thumbnail(path, tmp_path / "cache", 64)) == ("WEBP", (64, 16))


def test_a_kept_thumbnail_is_used_until_the_picture_changes(tmp_path):
    path, cache = tmp_path / "a.png", tmp_path / "cache"
    Image.new("RGB", (100, 100), "red").save(path)
    first = thumbnail(path, cache, 32)
    kept = next(cache.rglob("*.webp"))
    kept.write_bytes(b"kept")
    assert thumbnail(path, cache, 32) == b"kept"
    Image.new("RGB", (100, 50), "red").save(path)
    os.utime(path, (1, 1))
    assert size_of(thumbnail(path, cache, 32)) == ("WEBP", (32, 16)) != size_of(first)


def test_what_is_no_picture_is_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"nothing")
    with pytest.raises(PictureRefused):
        thumbnail(path, tmp_path / "cache", 64)
    with pytest.raises(FileNotFoundError):
        thumbnail(tmp_path / "missing.png", tmp_path / "cache", 64)
