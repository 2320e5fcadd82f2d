"""Weights of words in the dialects of other programs."""
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.imaging.foreign.emphasis import comfyui_pieces, compel_pieces, novelai_pieces, translated
from modules.prompt.parse import parse_emphasis, strip_comments

DIALECTS = [novelai_pieces, comfyui_pieces, compel_pieces]


def letters(pieces) -> list[tuple[str, float]]:
    """Every letter with its weight."""
    return [(letter, weight) for piece, weight in pieces for letter in piece if not letter.isspace()]


@pytest.mark.parametrize("text, ours", [
    ("a cat, sky", "a cat, sky"),
    ("{cat}, [dog]", "(cat:1.05), (dog:0.952381)"),
    ("{{cat {very}}}", "(cat:1.1025) (very:1.157625)"),
    ("(smile:1.2)", r"\(smile:1.2\)"),
    ("1.5::red:: and -0.5::blue, green::", "(red:1.5) and (blue, green:-0.5)"),
    ("{open to the end", "(open to the end:1.05)"),
    ("end}", "end}"),
])
def test_novelai_braces_are_powers_of_1_05_and_round_brackets_are_letters(text, ours):
    assert translated(text, novelai_pieces) == ours


@pytest.mark.parametrize("text, ours", [
    ("a (cat:1.2), (dog)", "a (cat:1.2), (dog)"),
    ("((cat:1.2) and dog:1.3)", "(cat:1.2) (and dog:1.3)"),
    ("((cat))", "((cat))"),
    ("[cat:dog:0.5]", r"\[cat:dog:0.5\]"),
    (r"\(cat\)", r"\(cat\)"),
    ("(open", r"\(open"),
    ("closed)", "closed)"),
])
def test_in_comfyui_an_inner_weight_replaces_the_outer_and_square_brackets_are_letters(text, ours):
    assert translated(text, comfyui_pieces) == ours


@pytest.mark.parametrize("text, ours", [
    ("a cat++, blue-green", "a (cat:1.21), blue-green"),
    ("(two words)1.3 (less)--", "(two words:1.3) (less:0.81)"),
    ("(a cat+)+", "(a:1.1) (cat:1.21)"),
    ("(only grouped)", "only grouped"),
    ("well-", "(well:0.9)"),
])
def test_compel_counts_signs_and_round_brackets_only_group(text, ours):
    assert translated(text, compel_pieces) == ours


@pytest.mark.parametrize("dialect", DIALECTS)
@given(text=st.text(alphabet="ab {}[]():.,1-5+#\\|\n", max_size=60))
def test_what_is_written_has_the_weights_that_were_read(dialect, text):
    read, again = letters(dialect(text)), letters(parse_emphasis(strip_comments(translated(text, dialect))))
    assert [letter for letter, _ in again] == [letter for letter, _ in read]
    assert [weight for _, weight in again] == pytest.approx([max(-100, min(weight, 100)) for _, weight in read], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", ["(" * 100_000, "(a" * 50_000 + ")" * 50_000, "{" * 100_000 + "a", "+" * 100_000, "a-" * 100_000,
                                  "1" * 100_000 + "::", "((a:1.2)" * 20_000, ":" * 100_000, "\\" * 100_000])
def test_hostile_brackets_take_linear_time(dialect, text):
    began = time.process_time()
    translated(text, dialect)
    assert time.process_time() - began < 2
