import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.imaging import infotext
from modules.imaging.infotext import DEFAULTS, parse, write
from modules.imaging.quoting import quote, unquote

GOLDENS = Path(__file__).parents[1] / "goldens"
RECORDED = json.loads((GOLDENS / "infotext.json").read_text(encoding="utf-8"))
OLD_SCHEDULES = ("Karras", "Exponential")


def in_form_of_1_9(recorded: dict) -> dict:
    """A result recorded from 1.8 as 1.9 would give it: sampler and schedule apart."""
    fields = {"Hires schedule type": "Use same scheduler", **recorded}
    for sampler, schedule in (("Sampler", "Schedule type"), ("Hires sampler", "Hires schedule type")):
        name, _, last = fields.get(sampler, "").rpartition(" ")
        if last in OLD_SCHEDULES:
            fields[sampler] = name
            if fields[schedule] in ("Automatic", "Use same scheduler"):
                fields[schedule] = last
    return fields


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: str(case["id"]))
def test_texts_are_read_as_recorded(case):
    assert parse(case["text"]) == in_form_of_1_9(case["result"])


@pytest.mark.parametrize("value, quoted", RECORDED["quote"])
def test_values_are_quoted_as_recorded(value, quoted):
    assert quote(value) == quoted


@pytest.mark.parametrize("text, value", RECORDED["unquote"])
def test_values_are_unquoted_as_recorded(text, value):
    assert unquote(text) == value


def test_the_text_has_prompt_negative_prompt_and_one_line_of_pairs():
    fields = {"Steps": 20, "Sampler": "DPM++ 2M", "Schedule type": "Karras", "CFG scale": 7.0, "Size": "512x512", "Lora hashes": "a: b"}
    assert write("a cat\nin a hat", "blurry", fields) == (
        "a cat\nin a hat\nNegative prompt: blurry\n"
        'Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Size: 512x512, Lora hashes: "a: b"')


def test_what_has_no_value_is_left_out():
    assert write("a", "", {"Steps": 1, "ENSD": None, "User": "", "Tiling": False}) == "a\nSteps: 1, Tiling: False"
    assert write("a", "", {}) == "a"
    assert write("", "", {"Steps": 1}) == "\nSteps: 1"


def test_a_key_equal_to_its_value_is_written_once():
    assert write("", "", {"Resize mode": "x", "Script": "Script"}) == "\nResize mode: x, Script"


@pytest.mark.parametrize("value, text", [(7.0, "7"), (7.5, "7.5"), (0.1 + 0.2, "0.30000000000000004"), (1e-5, "1e-05"), (True, "True"),
                                         (2**53, "9007199254740992"), (float("inf"), "inf"), ([1, 2], '"[1, 2]"'), (-0.0, "0")])
def test_numbers_are_written_in_their_shortest_form(value, text):
    assert write("", "", {"Key": value}) == f"\nKey: {text}"


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
keys = st.from_regex(r"[A-Za-z][A-Za-z0-9 _/\-]{1,20}[a-z0-9]", fullmatch=True)


@given(st.dictionaries(keys, texts.filter(bool), min_size=3, max_size=8))
def test_any_values_survive_writing_and_reading(fields):
    reserved = {"Prompt", "Negative prompt", "Hypernet", *DEFAULTS}
    fields = {key: value for key, value in fields.items() if key not in reserved and key != value}
    fields = {"Steps": "20", "Sampler": "Euler", "CFG scale": "7", **fields}
    read = parse(write("a cat", "blurry", fields), back_compat=False)
    assert {key: read.get(key, "size") for key in fields if f"{key}-1" not in read} == {
        key: value for key, value in fields.items() if f"{key}-1" not in read}
    assert (read["Prompt"], read["Negative prompt"]) == ("a cat", "blurry")


@given(st.text())
def test_any_text_can_be_read(text):
    assert set(DEFAULTS) <= set(parse(text))


MEGABYTES = ["a" * 10**6, "a:" * 500_000, 'aa: "x, ' * 120_000, '"' * 10**6, "ab: " + '"\\' * 500_000, " " * 10**6 + "x", "aa:\t" * 10**5]


@pytest.mark.parametrize("text", MEGABYTES, ids=lambda text: text[:8])
def test_a_megabyte_of_anything_is_read_in_no_time(text):
    started = time.process_time()
    parse(text)
    assert time.process_time() - started < 2


def test_fewer_than_three_pairs_are_part_of_the_prompt():
    assert parse("a: b\nSteps: 20, Sampler: Euler")["Prompt"] == "a: b\nSteps: 20, Sampler: Euler"


def test_numbers_too_long_for_a_size_stay_text():
    assert parse(f"x\nSteps: 1, Sampler: Euler, Size: {'9' * 5000}x5, CFG scale: 1")["Size"].endswith("x5")


@pytest.mark.parametrize("size, first", [("1024x1024", (512, 512)), ("1024x512", (768, 384)), ("512x512", (512, 512))])
def test_an_old_hires_text_with_an_empty_first_pass_gets_one_of_about_512_squared(size, first):
    fields = parse(f"x\nSteps: 1, Sampler: Euler, Size: {size}, First pass size: 0x0")
    assert (fields["Size-1"], fields["Size-2"]) == first
    assert f"{fields['Hires resize-1']}x{fields['Hires resize-2']}" == size


@pytest.mark.parametrize("text, added", [
    ("[a:b:0.5]|DDIM|v1.5.1", {"Old prompt editing timelines", "Pad conds v0", "Downcast alphas_cumprod"}),
    ("[a:b:0.5]|Euler|v1.6.0", {"Downcast alphas_cumprod"}),
    ("a|DDIM|1.6.0-RC", {"Pad conds v0", "Downcast alphas_cumprod"}),
    ("a|PLMS|v1.7.0-225-g1234567", set()),
    ("a|PLMS|v1.7.0-224-g1234567", {"Downcast alphas_cumprod"}),
    ("[a]|DDIM|easel-0.1.0", set()), ("[a]|DDIM|f2.0.1v1.10.1", set()), ("[a]|DDIM|ComfyUI", set()), ("[a]|DDIM|v1.10.1", set()),
])  # fmt: skip
def test_what_old_versions_did_otherwise_is_added(text, added):
    prompt, sampler, version = text.split("|")
    infotext = f"{prompt}\nSteps: 1, Sampler: {sampler}, Version: {version}"
    assert set(parse(infotext)) - set(parse(infotext, back_compat=False)) == added


def test_fields_can_be_left_out_of_the_result():
    assert "RNG" not in parse("a", skip_fields=["RNG", "nothing"])


def test_the_old_spelling_of_a_key_is_read():
    assert parse("x\nSteps: 1, Sampler: Euler, SGM noise multplier: True")["SGM noise multiplier"] == "True"


def test_what_no_file_can_hold_is_not_written():
    assert write("a\0b\ud800", "", {}) == "ab?"


@pytest.mark.parametrize(("line", "schedule"), [
    ("Sampler: DPM++ SDE, Seed: 1, Version: v1.8.0", "Uniform"),  # was the model's own levels
    ("Sampler: DPM++ SDE Karras, Seed: 1, Version: v1.8.0", "Karras"),
    ("Sampler: Euler a, Seed: 1, Version: v1.8.0", "Automatic"),  # means the same
    ("Sampler: Restart, Seed: 1, Version: v1.8.0", "Automatic"),
    ("Sampler: DPM++ SDE, Seed: 1, Version: v1.9.4", "Automatic"),
    ("Sampler: DPM++ SDE, Seed: 1, Version: easel-0.1.0", "Automatic"),
    ("Sampler: Own one, Seed: 1, Version: v1.8.0", "Automatic"),
])
def test_a_sampler_without_a_schedule_is_read_as_the_version_that_wrote_it_meant(line, schedule):
    assert parse(f"a\nSteps: 20, {line}")["Schedule type"] == schedule


def test_further_pairs_go_where_they_are_read_and_the_prompt_stays():
    text = infotext.write("a cat,\nsitting", "dog", {"Steps": 1, "Sampler": "Euler", "Seed": 5})
    longer = infotext.append_fields(text, {"Postprocess upscale by": 2.0, "Postprocess upscaler": "a, b", "Empty": None})
    assert infotext.read_fields(longer) == infotext.read_fields(text) | {"Postprocess upscale by": "2", "Postprocess upscaler": "a, b"}
    assert infotext.append_fields("", {"Postprocess upscale by": 2}) == "Postprocess upscale by: 2"
    assert infotext.append_fields("only a prompt", {"K": 2}) == "only a prompt\nK: 2" and infotext.append_fields(text, {}) == text
