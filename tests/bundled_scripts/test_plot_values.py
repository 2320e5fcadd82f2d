"""The value box of an axis: every form of the table of ranges."""
import pytest

from scripts.plots.values import chosen, parse


@pytest.mark.parametrize("text, kind, values", [
    ("1, 2, 3", int, [1, 2, 3]),
    ("1-5", int, [1, 2, 3, 4, 5]),
    ("1-5 (+2)", int, [1, 3, 5]),
    ("10-5 (-3)", int, [10, 7]),
    ("5-1", int, [5, 4, 3, 2, 1]),
    ("10-4 (-3)", int, [10, 7, 4]),
    ("1-3 (+0.5)", float, [1, 1.5, 2, 2.5, 3]),
    ("0.1-0.5 (+0.1)", float, [0.1, 0.2, 0.3, 0.4, 0.5]),
    ("1-10 [5]", int, [1, 3, 5, 7, 10]),
    ("0.0-1.0 [6]", float, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ("1, 5-7, 20", int, [1, 5, 6, 7, 20]),
    ("-1", int, [-1]),
    ("-3--1", int, [-3, -2, -1]),
    ("", int, []),
    ("7[1]", str, ["7[1]"]),
    ('a, "b, c",  d ', str, ["a", "b, c", "d"]),
    ("a,,b\nc", str, ["a", "b", "c"]),
])
def test_a_text_becomes_values(text, kind, values):
    assert parse(text, kind) == values


@pytest.mark.parametrize("text, kind, words", [
    ("one", int, "'one' is no whole number"), ("1.5", int, "no whole number"), ("x", float, "'x' is no number"),
    ("1-5 (-1)", int, "does not lead"), ("1-5 (+0)", int, "does not lead"), ("1-3 (+0.5)", int, "not whole"), ("1-5 [0]", int, "from 1"),
    ("1-99999999", int, "more than 10,000"), ("1-5000, 1-9000", int, "more than 10,000"),
])
def test_what_cannot_be_is_said_in_words(text, kind, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        parse(text, kind)


def test_names_are_found_regardless_of_case_and_by_their_beginning():
    names = ["Euler", "Euler a", "DPM++ 2M"]
    assert [chosen(text, names) for text in ("euler", "EULER A", "dpm", "Euler")] == ["Euler", "Euler a", "DPM++ 2M", "Euler"]
    with pytest.raises(ValueError, match="more than one of: Euler, Euler a"):
        chosen("eul", names)
    with pytest.raises(ValueError, match="none of"):
        chosen("heun", names)
