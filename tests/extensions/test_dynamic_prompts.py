"""Templates become prompts: choices, weights, counts, variables, wildcard files, all combinations."""
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

EXTENSION = Path(__file__).parents[2] / "extensions" / "easel-dynamic-prompts"
sys.path.insert(0, str(EXTENSION))

from easel_dynamic_prompts.resolve import Resolver, combinations  # noqa: E402
from easel_dynamic_prompts.template import TemplateError, is_template, parse  # noqa: E402
from easel_dynamic_prompts.wildcards import WildcardFiles  # noqa: E402

COLOURS = {"colour": ["red", "blue"], "nested": ["a {x|y}"], "loop": ["__loop__"]}


def lines(name):
    return COLOURS.get(name, [])


def resolved(text, seed=1):
    return Resolver(lines, random.Random(seed)).text(parse(text))


def all_of(text):
    return list(combinations(parse(text), lines))


def test_plain_text_is_no_template_and_stays_as_it_is():
    text = "a (cat:1.2), [dog|wolf], <lora:x:1> { unclosed $y __"
    assert not is_template("a (cat:1.2), [dog|wolf], <lora:x:1>")
    assert resolved(text) == text


def test_a_choice_gives_one_of_its_options():
    assert {resolved("{a|b|c}", seed) for seed in range(40)} == {"a", "b", "c"}


def test_the_same_seed_gives_the_same_text():
    assert resolved("{a|b|c} __colour__ {1|2|3|4}", 7) == resolved("{a|b|c} __colour__ {1|2|3|4}", 7)


def test_weights_decide_how_often_an_option_comes():
    counts = Counter(resolved("{9::a|1::b}", seed) for seed in range(400))
    assert counts["a"] > 320


def test_a_count_picks_different_options_joined_by_a_comma():
    for seed in range(30):
        first, second = resolved("{2$$a|b|c}", seed).split(", ")
        assert first != second


def test_a_count_may_be_a_range_and_have_a_separator_of_its_own():
    assert {len(resolved("{1-3$$ and $$a|b|c}", seed).split(" and ")) for seed in range(60)} == {1, 2, 3}


def test_variables_are_resolved_where_they_are_used_or_once():
    assert resolved("${x=cat}a ${x} and a ${x}") == "a cat and a cat"
    assert resolved("${y:dog}") == "dog"
    for seed in range(30):
        first, second = resolved("${x=!{a|b|c|d}}${x} ${x}", seed).split()
        assert first == second


def test_lines_of_a_wildcard_may_hold_choices():
    assert {resolved("__nested__", seed) for seed in range(20)} == {"a x", "a y"}


def test_a_missing_wildcard_stays_in_the_text_and_is_named():
    resolver = Resolver(lines, random.Random(1))
    assert resolver.text(parse("a __nothing__")) == "a __nothing__" and resolver.missing == ["nothing"]


def test_files_that_name_one_another_without_end_are_refused():
    with pytest.raises(TemplateError):
        resolved("__loop__")


def test_the_leftmost_part_varies_slowest_in_all_combinations():
    assert all_of("{a|b} {1|2}") == ["a 1", "a 2", "b 1", "b 2"]
    assert all_of("__colour__ {x|}") == ["red x", "red ", "blue x", "blue "]


def test_escaped_brackets_are_literal():
    assert resolved(r"\{a|b\}") == "{a|b}"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}|$:=!_ ab1.-\\", max_size=80))
def test_any_text_resolves_or_is_refused_with_a_sentence(text):
    try:
        resolved(text)
    except TemplateError as error:
        assert str(error)


def test_wildcard_files_are_found_by_name_folder_and_pattern(tmp_path):
    (tmp_path / "animals").mkdir()
    (tmp_path / "animals" / "cats.txt").write_text("# house\ntabby\n\nsiamese\n")
    (tmp_path / "colour1.txt").write_text("red")
    (tmp_path / "colour2.txt").write_text("blue")
    (tmp_path / "more.yaml").write_text("food:\n  fruit: [apple, pear]\n")
    files = WildcardFiles(tmp_path)
    assert files.lines("animals/cats") == ["tabby", "siamese"]
    assert files.lines("colour*") == ["red", "blue"]
    assert files.lines("**/cats") == ["tabby", "siamese"]
    assert files.lines("food/fruit") == ["apple", "pear"]
    assert files.lines("../secret") == [] and files.lines("none") == []


def test_a_link_out_of_the_folder_is_not_read(tmp_path):
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "wild").mkdir()
    (tmp_path / "wild" / "link.txt").symlink_to(tmp_path / "outside.txt")
    assert WildcardFiles(tmp_path / "wild").names() == []
