"""Comments and emphasis."""
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.prompt.parse import parse_emphasis, strip_comments

SIGNS = st.text(alphabet=st.sampled_from("()[]:|\\#<>.,-+0123456789abAND BREAK\n"), max_size=60)


def test_emphasis_equals_the_recorded(recorded):
    for entry in recorded["prompts"]:
        pieces = [[text, round(weight, 6)] for text, weight in parse_emphasis(entry["prompt"])]
        assert pieces == entry["attention"], entry["prompt"]


def test_comments_are_stripped_as_recorded(recorded):
    for entry in recorded["prompts"]:
        assert strip_comments(entry["prompt"]) == entry["strip_comments"], entry["prompt"]


@pytest.mark.parametrize("text, pieces", [
    ("((x))", [("x", 1.21)]),
    ("[x]", [("x", 0.909)]),
    ("(x", [("x", 1.1)]),
    ("x)", [("x)", 1.0)]),
    ("(a:.5)", [("a", 0.5)]),
    ("(a:-1)", [("a", -1.0)]),
    ("[a:1.5]", [("a:1.5", 0.909)]),
    ("(a:1.5", [("a:1.5", 1.1)]),
    (r"\(x\)", [("(x)", 1.0)]),
    ("()", [("", 1.0)]),
    ("(a)(b)", [("ab", 1.1)]),
    ("a BREAK b", [("a", 1.0), ("BREAK", -1.0), ("b", 1.0)]),
    ("(a: 1.2 )", [("a", 1.2)]),
    ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
    ("a:1.5)", [("a:1.5)", 1.0)]),
])
def test_worked_weights(text, pieces):
    assert [(piece, round(weight, 3)) for piece, weight in parse_emphasis(text)] == pieces


def test_an_escaped_number_sign_is_no_comment():
    assert strip_comments(r"a \# b # c") == "a \\# b \n"
    assert parse_emphasis(r"a \# b") == [("a # b", 1.0)]


def test_a_number_sign_behind_an_escaped_backslash_is_a_comment():
    assert strip_comments("a \\\\# b") == "a \\\\\n"


def test_weights_of_very_deep_nesting_stay_finite():
    pieces = parse_emphasis("(a:999999)" + "(" * 3000 + "b" + ":9e)" * 10 + ":99999)" * 2000)
    assert all(abs(weight) <= 1e30 for _, weight in pieces)


def test_sums_of_logarithms_equal_products(monkeypatch):
    text = "(a [b (c:1.5) d] (e:-0.5) [f (g:0) h"
    exact = parse_emphasis(text)
    monkeypatch.setattr("modules.prompt.parse.EXACT_WORK", 0)
    summed = parse_emphasis(text)
    assert [w for _, w in summed] == pytest.approx([w for _, w in exact]) and [t for t, _ in summed] == [t for t, _ in exact]


@pytest.mark.parametrize("text", ["(" * 20000, "(a" * 10000 + ")" * 10000, "[a" * 20000, "([" * 5000 + "])" * 5000, " " * 20000 + "BREAK"])
def test_twenty_thousand_brackets_take_under_a_fifth_of_a_second(text):
    started = time.process_time()
    parse_emphasis(text)
    assert time.process_time() - started < 0.2


@given(SIGNS | st.text())
def test_any_text_gives_pieces_with_finite_weights(text):
    assert all(abs(weight) <= 1e30 for _, weight in parse_emphasis(strip_comments(text)))


@given(st.text(alphabet="abc ,.-\n"))
def test_text_without_signs_is_one_piece(text):
    assert parse_emphasis(text) == [(text, 1.0)]
