import io
import resource
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.imaging.encode import Encoding, encode
from modules.imaging.open_picture import PictureLimits, PictureRefused, open_picture

FOUR = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
CORNERS = Image.fromarray(FOUR).resize((32, 32), Image.Resampling.NEAREST)
MODES = [("RGB", "RGB"), ("RGBA", "RGBA"), ("L", "L"), ("1", "L"), ("LA", "RGBA"), ("P", "RGB"), ("I;16", "L")]


def file_of(image: Image.Image, kind: str, **more) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 50)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP"])
def test_every_listed_format_is_opened(kind):
    opened = open_picture(file_of(CORNERS, kind))
    assert (opened.image.size, opened.image.mode, opened.format, opened.infotext) == ((32, 32), "RGB", kind, None)


@pytest.mark.parametrize("mode, plain", MODES)
def test_pictures_come_in_three_modes(mode, plain):
    assert open_picture(file_of(Image.new(mode, (4, 4)), "PNG")).image.mode == plain


def test_the_infotext_is_read_and_does_not_stay_in_the_picture():
    opened = open_picture(encode(CORNERS, "a cat", Encoding()).content)
    assert opened.infotext == "a cat" and opened.image.info == {}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = open_picture(file_of(CORNERS, "PNG", exif=exif)).image
    turned = {1: (255, 0, 0), 2: (0, 255, 0), 3: (9, 9, 9), 4: (0, 0, 255), 5: (255, 0, 0), 6: (0, 0, 255), 7: (9, 9, 9), 8: (0, 255, 0)}
    assert image.getpixel((0, 0)) == turned[orientation]


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.4", b"II*\0"])
def test_what_is_no_picture_is_refused_with_the_formats(content):
    with pytest.raises(PictureRefused, match="cannot be read"):
        open_picture(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP"])
def test_a_file_cut_anywhere_is_a_sentence_or_a_picture(kind):
    content = file_of(Image.effect_noise((40, 40), 90).convert("RGB"), kind)
    for length in range(0, len(content), max(1, len(content) // 40)):
        try:
            open_picture(content[:length])
        except PictureRefused:
            pass


def bomb_texts() -> bytes:
    chunks = PngInfo()
    for index in range(80):
        chunks.add_text(f"k{index}", "x" * 900_000, zip=True)
    return file_of(CORNERS, "PNG", pnginfo=chunks)


def one_long_text() -> bytes:
    chunks = PngInfo()
    chunks.add_text("parameters", "x" * 50_000_000, zip=True)
    return file_of(CORNERS, "PNG", pnginfo=chunks)


def many_frames() -> bytes:
    frame = [Image.new("P", (2, 2), index % 2) for index in range(1500)]
    return file_of(frame[0], "GIF", save_all=True, append_images=frame[1:], optimize=False)


BOMBS = {
    "60000 x 60000": lambda: png_header(60_000, 60_000),
    "14000 x 14000": lambda: png_header(14_000, 14_000),
    "8193 x 8192": lambda: png_header(8193, 8192),
    "texts": bomb_texts,
    "one text": one_long_text,
    "frames": many_frames,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_one_sentence_at_once(bomb):
    content = BOMBS[bomb]()
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PictureRefused):
        open_picture(content)
    assert time.process_time() - started < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_limits_can_be_chosen():
    with pytest.raises(PictureRefused, match="megapixels"):
        open_picture(file_of(CORNERS, "PNG"), PictureLimits(pixels=1000))
