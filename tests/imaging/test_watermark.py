"""The invisible watermark: what it survives, what it costs, and that other programs' readers and writers agree with ours."""
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules.errors import UserError
from modules.imaging.encode import png_bytes
from modules.imaging.watermark import DEFAULT_TEXT, Found, bits_of, embedded, find_watermark, watermark_in_file, with_watermark

# Made by the package invisible-watermark 0.2.0 (dwtDct), with the text of the first Stable Diffusion scripts.
BY_THE_PACKAGE = Path(__file__).with_name("watermark_of_invisible_watermark.png")


def photo(width: int = 256, height: int = 256, seed: int = 0) -> Image.Image:
    """Soft colours with fine grain, as photographs have."""
    random = np.random.default_rng(seed)
    colours = Image.fromarray(random.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8))
    soft = np.array(colours.resize((width, height), Image.Resampling.BICUBIC)) + random.normal(0, 3, (height, width, 1))
    return Image.fromarray(soft.clip(0, 255).astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def read_as_published(image: Image.Image, count: int) -> list[bool]:
    """The published algorithm block by block: largest of the last 15 coefficients of the Haar band, modulo 36, votes."""
    r, g, b = (np.array(image, np.float64)[..., i] for i in range(3))
    u = np.round(0.492 * (b - (0.299 * r + 0.587 * g + 0.114 * b)) + 128)
    height, width = u.shape[0] // 4 * 4, u.shape[1] // 4 * 4
    band = (u[0:height:2, 0:width:2] + u[1:height:2, 0:width:2] + u[0:height:2, 1:width:2] + u[1:height:2, 1:width:2]) / 2
    votes: list[list[bool]] = [[] for _ in range(count)]
    blocks = [band[i:i + 4, j:j + 4] for i in range(0, band.shape[0] - 3, 4) for j in range(0, band.shape[1] - 3, 4)]
    for number, block in enumerate(blocks):
        rest = block.flatten()[1:]
        votes[number % count].append(abs(rest[np.argmax(abs(rest))]) % 36 > 18)
    return [bool(np.mean(vote) * 255 > 127) for vote in votes]


@pytest.mark.parametrize("size", [(256, 256), (331, 277), (512, 768)], ids=str)
def test_it_survives_png_and_jpeg_95_from_256_pixels_on(size):
    marked = with_watermark(photo(*size), DEFAULT_TEXT)
    assert watermark_in_file(png_bytes(marked, "a cat")) == DEFAULT_TEXT
    assert find_watermark(as_jpeg(marked, 95)) == Found(text=DEFAULT_TEXT)


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5])
def test_it_does_not_survive_a_change_of_the_size(factor):
    marked = with_watermark(photo(512, 512), DEFAULT_TEXT)
    assert find_watermark(marked.resize((int(512 * factor), int(512 * factor)), Image.Resampling.LANCZOS)) is None


@pytest.mark.parametrize("text", ["SDV2", "made by Easel", "x" * 31 + "y"])
def test_any_text_of_4_to_32_characters_is_read_without_knowing_it(text):
    assert find_watermark(with_watermark(photo(512, 512), text)) == Found(text=text)


@pytest.mark.parametrize("colour", ["white", "black", "red", "blue", "yellow", "grey"])
def test_a_sheet_of_one_colour_holds_it_too(colour):
    assert find_watermark(with_watermark(Image.new("RGB", (256, 256), colour), DEFAULT_TEXT)) == Found(text=DEFAULT_TEXT)


def test_pictures_without_one_have_none():
    assert [find_watermark(photo(seed=seed)) for seed in range(20)] == [None] * 20
    assert find_watermark(Image.linear_gradient("L").convert("RGB")) is None and find_watermark(Image.new("RGB", (300, 300))) is None


def test_our_reader_reads_what_the_package_wrote():
    assert find_watermark(Image.open(BY_THE_PACKAGE)) == Found(text=DEFAULT_TEXT)


def test_the_published_algorithm_reads_what_we_wrote():
    assert read_as_published(with_watermark(photo(), DEFAULT_TEXT), 136) == bits_of(DEFAULT_TEXT).tolist()


def test_it_is_not_seen():
    image = photo(512, 512)
    change = np.array(with_watermark(image, DEFAULT_TEXT), np.float64) - np.array(image)
    assert 10 * np.log10(255 ** 2 / np.mean(change ** 2)) > 34  # decibels, PSNR
    assert np.abs(change[..., 0]).max() == 0 and np.abs(change @ (0.299, 0.587, 0.114)).max() < 6  # brightness hardly changes


def test_alpha_and_the_given_picture_stay_as_they_are():
    image = photo().convert("RGBA")
    image.putalpha(Image.linear_gradient("L"))
    before = image.tobytes()
    marked = with_watermark(image, DEFAULT_TEXT)
    assert image.tobytes() == before and marked.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    assert find_watermark(marked) == Found(text=DEFAULT_TEXT)


def test_large_pictures_are_worked_on_in_stripes_without_a_seam():
    pixels = np.array(photo(64, 1200))
    whole = embedded(pixels, bits_of("abcd"), 4.0)
    from modules.imaging import watermark
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watermark, "STRIPE_PX", 2048)
        assert np.array_equal(embedded(pixels, bits_of("abcd"), 4.0), whole)


def test_what_cannot_be_written_is_refused_with_a_sentence():
    with pytest.raises(UserError, match="200x200 pixels, and a watermark needs 256x256"):
        with_watermark(Image.new("RGB", (200, 200)), DEFAULT_TEXT)
    for text in ("abc", "x" * 33, "naïve", "a\nbcd"):
        with pytest.raises(UserError, match="4 to 32"):
            with_watermark(photo(), text)
