"""Promise 7 and 9: whatever is in a prompt, an infotext or a picture file, its reader ends soon, with a value or a sentence.

The short form runs in the ordinary suite with a fixed seed; the long one with -m long.
"""
import io
import math
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from modules import extra_networks
from modules.atomic_files import safe_name
from modules.errors import UserError
from modules.imaging import infotext
from modules.imaging.foreign_infotext import read_parameters, reading_of
from modules.imaging.open_picture import open_picture
from modules.prompt.compose import split_and
from modules.prompt.parse import parse_emphasis, strip_comments
from modules.prompt.schedule import schedule

SHORT, LONG = 150, 10_000
MOST_S = 0.5
TRIES = 3  # a busy machine makes a thread slower, too

SIGNS = ("(", ")", "[", "]", "{", "}", "<", ">", ":", "|", "\\", ",", "\n", "#", '"', "'", " ", "AND", " AND ", "BREAK", " BREAK ",
         "<lora:", "<hypernet:", "__", "::", ":0.5]", ":1.2)", ":nan]", ":1e999)", ":-1]", ":0]", "<|endoftext|>", "\x00", "\ud800", "🎈",
         "猫", "a", "cat")
pieces = st.one_of(st.sampled_from(SIGNS), st.floats().map(str), st.integers().map(str), st.text(max_size=8))
prompts = st.lists(pieces, max_size=60).map("".join)
LINES = ("Steps: 20", "Seed: -1", "Size: 512x512", "Size: x", "Sampler: Euler a Karras", 'Lora hashes: "a: b, c: d"', 'Template: "', ": ",
         ",", "Negative prompt: ", "Negative prompt:", "\n", "\\n", '\\"', "Version: v1.9.0", "Version: ", "Model hash: abc", "Easel: {",
         "First pass size: 0x0")
infotexts = st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=12)), max_size=40).map(", ".join)
names = st.text(min_size=1, max_size=300)
keys = st.text(alphabet=st.characters(whitelist_categories=("Lu", "Ll")), min_size=1, max_size=12).map(lambda name: "K" + name)
plain = st.characters(blacklist_categories=("Cs", "Cc"))
values = st.text(alphabet=plain, min_size=1, max_size=40).filter(lambda text: text.strip() == text)


def picture_files() -> list[bytes]:
    """Small valid files of each format, with texts inside."""
    image, text = Image.new("RGB", (24, 16), "red"), PngImagePlugin.PngInfo()
    text.add_text("parameters", "a cat\nNegative prompt: x\nSteps: 20, Sampler: Euler, Seed: 1", zip=True)
    text.add_itxt("prompt", '{"3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 4}}}')
    files = []
    frames = {"comment": b"Steps: 1", "save_all": True, "append_images": [Image.new("RGB", (24, 16))]}
    for format, options in (("PNG", {"pnginfo": text}), ("JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
                            ("WEBP", {"exif": b"Exif\0\0II*\0"}), ("GIF", frames), ("BMP", {})):
        buffer = io.BytesIO()
        image.save(buffer, format, **options)
        files.append(buffer.getvalue())
    return files


FILES = picture_files()


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A valid file with bytes changed, taken out and put in, and perhaps cut short."""
    content = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(("change", "remove", "insert", "cut"))):
            case "change":
                content[place:place + 1] = draw(st.binary(min_size=1, max_size=4))
            case "remove":
                del content[place:place + draw(st.integers(1, 8))]
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=16))
            case "cut":
                del content[place:]
    return bytes(content)


def soon(read: Callable, *args: object) -> object:
    """The value, or the sentence of what was refused; anything else that is raised fails the test, as does taking long."""
    for _ in range(TRIES):
        began = time.thread_time()  # not the clock on the wall: other programs may use the machine
        try:
            value = read(*args)
        except UserError as error:
            value = str(error)
            assert value
        if (taken := time.thread_time() - began) < MOST_S:
            return value
    raise AssertionError(f"{read.__name__} took {taken:.1f} s")


def prompt_is_read(text: str) -> None:
    parts = soon(parse_emphasis, text)
    assert all(isinstance(piece, str) and math.isfinite(weight) for piece, weight in parts)
    ends = [end for end, _ in soon(schedule, text, 20)]
    assert ends == sorted(set(ends)) and ends[-1] == 20
    assert all(math.isfinite(weight) for _, weight in soon(split_and, text))
    rest, tags = soon(extra_networks.parse, text)
    assert isinstance(rest, str) and isinstance(tags, dict)
    assert isinstance(soon(strip_comments, text), str)


def infotext_is_read(text: str) -> None:
    assert isinstance(soon(infotext.parse, text), dict)
    assert isinstance(soon(infotext.read_fields, text), dict)
    for key in ("parameters", "Comment", "prompt", "workflow", "invokeai_metadata", "sd-metadata", "Dream", "UserComment"):
        soon(reading_of, {key: text})


def fields_come_back(prompt: str, fields: dict[str, str]) -> None:
    fields = {"Steps": "1", "Sampler": "Euler", "Seed": "1", **fields}  # a line of less than three pairs is part of the prompt
    found = infotext.read_fields(infotext.write(prompt, "", fields))
    # A size such as 512x768 is read as two fields.
    joined = lambda key: found.get(key) or f"{found.get(f'{key}-1')}x{found.get(f'{key}-2')}"
    assert {key: joined(key) for key in fields} == fields


def picture_is_read(content: bytes) -> None:
    soon(open_picture, content)
    soon(read_parameters, content)


def name_is_safe(text: str) -> None:
    name = soon(safe_name, text, 100)
    assert name and len(name.encode()) <= 100 and not set(name) & set('/\\:*?"<>|\0') and name not in (".", "..") and name[-1] not in ". "


PROPERTIES = [
    (prompt_is_read, (prompts,)), (infotext_is_read, (infotexts,)), (infotext_is_read, (prompts,)),
    (fields_come_back, (values, st.dictionaries(keys, values, min_size=1, max_size=6))),
    (picture_is_read, (damaged_files(),)), (picture_is_read, (st.binary(max_size=200),)),
    (name_is_safe, (names,)),
]
IDS = ["prompts", "infotexts", "prompts as infotexts", "fields and back", "damaged pictures", "bytes as pictures", "file names"]


def check(read: Callable[..., None], strategies: tuple, examples: int) -> None:
    """Try `examples` random inputs, the same ones in every run."""
    quiet = settings(max_examples=examples, deadline=None, database=None, derandomize=True,
                     suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
    quiet(given(*strategies)(read))()


@pytest.mark.parametrize("read, strategies", PROPERTIES, ids=IDS)
def test_random_input_ends_in_a_value_or_a_sentence(read, strategies):
    check(read, strategies, SHORT)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("read, strategies", PROPERTIES, ids=IDS)
def test_much_random_input_ends_in_a_value_or_a_sentence(read, strategies):
    check(read, strategies, LONG)


GROWING = {
    "round brackets": lambda n: "(" * n, "round pairs": lambda n: "(" * n + "a" + ")" * n, "square": lambda n: "[" * n,
    "edits": lambda n: "[a:" * n + "b" + ":0.5]" * n, "alternatives": lambda n: "[a|" * n + "b" + "]" * n, "and": lambda n: "a AND " * n,
    "break": lambda n: "a BREAK " * n, "tags": lambda n: "<lora:" * n, "whole tags": lambda n: "<lora:a:1>" * n, "bars": lambda n: "|" * n,
    "escapes": lambda n: "\\" * n, "commas": lambda n: "a," * n, "comments": lambda n: "#" * n, "lines": lambda n: "# a\n" * n,
    "colons": lambda n: "a: b, " * n, "quotes": lambda n: 'a: "' * n,
}


@pytest.mark.parametrize("kind", GROWING)
def test_long_input_of_one_kind_is_read_in_half_a_second(kind):
    text = GROWING[kind](10_000)
    prompt_is_read(text)
    infotext_is_read(text)
