import io
import json
from pathlib import Path

import pytest
from PIL import Image

from modules.imaging import embedded_text
from modules.imaging.embedded_text import read_infotext
from modules.imaging.encode import FORMATS, Encoding, encode, png_bytes
from modules.imaging.exif import JPEG_LIMIT_BYTES, comment_text, shortened, user_comment_block

GOLDENS = Path(__file__).parents[1] / "goldens"
RECORDED = json.loads((GOLDENS / "misc.json").read_text(encoding="utf-8"))
TEXT = "a cat, 日本 😀\nNegative prompt: x\nSteps: 1, Sampler: Euler, CFG scale: 7"
PICTURE = Image.radial_gradient("L").convert("RGB").resize((64, 48))


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_infotext_comes_back_from_every_format(kind):
    encoded = encode(PICTURE, TEXT, Encoding(format=kind))
    image = opened(encoded.content)
    assert (read_infotext(image), image.size, encoded.extension) == (TEXT, (64, 48), kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_infotext_leaves_no_trace(kind):
    assert read_infotext(opened(encode(PICTURE, "", Encoding(format=kind)).content)) is None


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "gif"])
def test_files_of_the_reference_are_read(ending):
    assert read_infotext(Image.open(GOLDENS / "misc" / f"fmt.{ending}")) == RECORDED["formats_text"]


def test_the_comment_has_the_type_that_common_readers_expect():
    image = opened(encode(PICTURE, "ab", Encoding(format="jpg")).content)
    assert image.info["exif"] == user_comment_block("ab")
    assert user_comment_block("ab")[-12:] == b"UNICODE\0\0a\0b"
    assert user_comment_block("ab")[36:38] == b"\0\7"  # type 7, undefined


@pytest.mark.parametrize("value, text", [
    (b"UNICODE\0a\0b\0", "ab"), (b"UNICODE\0\0a\0b", "ab"), (b"UNICODE\0\xff\xfea\0", "a"), (b"ASCII\0\0\0ab", "ab"),
    (bytes(8) + b"ab", "ab"),
    (b"plain", "plain"), ("text", "text"), (b"", None), (b"UNICODE\0", None), (5, None), (None, None)])  # fmt: skip
def test_comments_of_other_programs_are_read(value, text):
    assert comment_text(value) == text


def test_pixels_of_a_png_stay_and_the_level_changes_the_size_only():
    small, large = png_bytes(PICTURE, "", 9), png_bytes(PICTURE, "", 0)
    assert len(small) < len(large) and opened(small).tobytes() == opened(large).tobytes() == PICTURE.tobytes()


def test_lossless_webp_keeps_every_pixel():
    encoded = encode(PICTURE, TEXT, Encoding(format="webp", webp_lossless=True))
    assert opened(encoded.content).tobytes() == PICTURE.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16", "F", "CMYK"])
@pytest.mark.parametrize("kind", FORMATS)
def test_pictures_of_every_mode_can_be_saved_in_every_format(kind, mode):
    image = Image.new(mode, (8, 8))
    encoded = encode(image, "x", Encoding(format=kind))
    assert opened(encoded.content).size == (8, 8) and encoded.note == ""


def test_sixteen_bits_become_eight_without_clipping():
    image = Image.new("I;16", (4, 4), 65535 // 2)
    assert 120 <= opened(encode(image, "", Encoding(format="jpg")).content).getpixel((0, 0)) <= 135


@pytest.mark.parametrize("encoding, image", [(Encoding(format="bmp"), PICTURE), (Encoding(format="webp"), Image.new("L", (17000, 1))),
                                             (Encoding(format="jpg"), Image.new("L", (66000, 1)))])
def test_what_a_format_cannot_hold_becomes_a_png_with_a_note(encoding, image):
    encoded = encode(image, TEXT, encoding)
    assert encoded.extension == "png" and "saved as png" in encoded.note and read_infotext(opened(encoded.content)) == TEXT


@pytest.mark.parametrize("length", [32_600, 32_737, 32_738, 40_000, 500_000])
def test_a_long_text_in_a_jpeg_keeps_its_line_of_parameters(length):
    text = "猫" * (length - len(TEXT) - 1) + "\n" + TEXT
    encoded = encode(PICTURE, text, Encoding(format="jpg"))
    read = read_infotext(opened(encoded.content))
    assert encoded.is_shortened == (read != text)
    assert read.endswith("\nSteps: 1, Sampler: Euler, CFG scale: 7") and read.startswith("猫猫")


def test_the_limit_of_a_jpeg_is_used_to_the_last_character():
    text = "x" * 40_000
    assert JPEG_LIMIT_BYTES - 1 <= len(user_comment_block(shortened(text))) <= JPEG_LIMIT_BYTES
    assert len(user_comment_block(shortened("a\n" + "y" * 30_000 + "\n" + "x" * 10_000))) <= JPEG_LIMIT_BYTES


def test_a_damaged_exif_block_is_no_error():
    content = encode(PICTURE, "abc", Encoding(format="jpg")).content.replace(b"MM\0*", b"MM\xff\xff")
    assert read_infotext(opened(content)) is None


def test_further_ways_of_storing_are_rows_of_a_table(monkeypatch):
    monkeypatch.setattr(embedded_text, "DIALECTS", (*embedded_text.DIALECTS, lambda image: image.info.get("Comment")))
    image = PICTURE.copy()
    image.info["Comment"] = "foreign"
    assert read_infotext(image) == "foreign"
