import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modules.imaging.filenames import GRID_NUMBER, PICTURE_NUMBER, TOKENS, NameContext, expand, file_name, folder_parts, next_number, part

GOLDENS = Path(__file__).parents[1] / "goldens"
RECORDED = json.loads((GOLDENS / "misc.json").read_text(encoding="utf-8"))
NOON = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
PATTERNS = """seed seed_first seed_last steps cfg width height styles sampler scheduler sampler_scheduler model_hash model_name vae_filename
 date datetime job_timestamp prompt prompt_no_styles prompt_spaces prompt_words prompt_hash negative_prompt_hash full_prompt_hash image_hash
 batch_number batch_size generation_number hasprompt clip_skip denoising user basename none"""


@pytest.fixture(scope="module")
def recorded_context() -> NameContext:
    given = RECORDED["filename_patterns"]["processing"]
    sampler, schedule = given["sampler"].rsplit(" ", 1)  # 1.8 named both in one word
    return NameContext(
        prompt=given["prompt"], negative_prompt=given["negative_prompt"], steps=given["steps"], cfg=given["cfg_scale"], seed=given["seed"],
        seed_first=given["all_seeds"][0], seed_last=given["all_seeds"][-1], width=128, height=96, styles=tuple(given["styles"]),
        sampler=sampler, scheduler=schedule, model_hash=given["model_hash"], model_name=given["model_name"],
        batch_number=given["batch_index"] + 1, batch_size=given["batch_size"], generation_number=4,
        clip_skip=1, denoising=0.75, user=given["user"])


@pytest.mark.parametrize("pattern, name", RECORDED["filename_patterns"]["results"])
def test_patterns_give_the_recorded_names(pattern, name, recorded_context):
    image = Image.open(GOLDENS / "images" / "in" / "init_128x96.png")
    pattern = pattern.replace("[sampler]", "[sampler_scheduler]")
    assert expand(pattern, recorded_context, image) == name


@pytest.mark.parametrize("text, without_spaces, with_spaces", RECORDED["sanitize_filename_part"])
def test_parts_are_cleaned_as_recorded(text, without_spaces, with_spaces):
    assert (part(text, spaces=False), part(text)) == (without_spaces, with_spaces)


def test_every_pattern_of_the_contract_exists():
    assert set(TOKENS) == set(PATTERNS.split())


@pytest.mark.parametrize("pattern, name", [
    ("[date]", "2026-11-21"), ("[datetime]", "20261121123005"), ("[datetime<%H-%M>]", "12-30"), ("[datetime<%H><Asia/Tokyo>]", "21"),
    ("[datetime<%H><No/Zone>]", "12"), ("[datetime<%H><../../x>]", "12"), ("[job_timestamp]", "20261121000000"), ("[cfg]", "7"),
    ("a-[seed_last]-[seed]", "-5"), ("[seed_first]", "5"), ("x[batch_number]y[generation_number]z", "z"), ("[scheduler]", "Automatic"),
    ("[sampler_scheduler]", "Euler"), ("[styles]", "None"), ("[basename]", ""), ("[prompt_hash<0>]", "e3b0c442"),
    ("[prompt_words]", "empty"),     ("[hasprompt<|x>]", "x"), ("[prompt_hash<99999>]", "e3b0c442"), ("[datetime<%Y/%m>]", "2026_11"),
])  # fmt: skip
def test_what_does_not_apply_vanishes_and_what_is_odd_has_a_default(pattern, name):
    context = NameContext(seed=5, cfg=7.0, sampler="Euler", scheduler="Automatic", batch_number=1, batch_size=1, now=NOON,
                          job_timestamp="20261121000000")
    assert expand(pattern, context) == name


def test_sub_folders_come_from_the_pattern_only_and_never_lead_out():
    context = NameContext(prompt="a/../b", model_name="..", now=NOON)
    assert folder_parts("[model_name]/[date]/../[prompt]/./\\x//CON", context) == ["2026-11-21", "a_.._b", "x", "_CON"]
    assert file_name("[date]/[prompt]", context, None, 200) == "2026-11-21_a_.._b"


def test_a_name_is_cut_to_bytes_at_a_character():
    name = file_name("[prompt]-[prompt]", NameContext(prompt="猫" * 300), None, 200)
    assert len(name.encode()) <= 200 and set(name) <= {"猫", "-"}


@given(st.text(), st.text())
def test_any_pattern_with_any_prompt_makes_a_name(pattern, prompt):
    name = file_name(f"[prompt]{pattern}[hasprompt<{prompt}|x>][datetime<{prompt}>]", NameContext(prompt=prompt), None, 200)
    assert "/" not in name and "\0" not in name and len(name.encode()) <= 200 and name not in (".", "..")


@pytest.mark.parametrize("names, number", [
    ([], 0), (["00000-1.png"], 1), (["00009.jpg", "00010-a.txt", "x.png"], 11),
    (["2026-11-21", "20240101123005.png", "123.png"], 0)])  # fmt: skip
def test_the_number_is_one_more_than_the_highest(names, number):
    assert next_number(names, PICTURE_NUMBER) == number


def test_grids_count_for_themselves():
    assert next_number(["grid-0002-1.png", "grid-0001.png", "00009-1.png"], GRID_NUMBER) == 3
