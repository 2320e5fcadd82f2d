"""Prompt editing and alternation."""
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.prompt.brackets import Brackets
from modules.prompt.schedule import parse_schedule, schedule

SIGNS = st.text(alphabet=st.sampled_from("()[]:|\\.,-+0123ab e\n"), max_size=60)


def test_schedules_equal_the_recorded(recorded):
    for entry in recorded["prompts"]:
        for name, settings in recorded["settings"].items():
            assert [list(part) for part in schedule(entry["prompt"], **settings)] == entry["schedules"][name], (name, entry["prompt"])


@pytest.mark.parametrize("text, plan", [
    ("test", [(10, "test")]),
    ("a [b:3]", [(3, "a "), (10, "a b")]),
    ("a [b: 3]", [(3, "a "), (10, "a b")]),
    ("a [[[b]]:2]", [(2, "a "), (10, "a [[b]]")]),
    ("[(a:2):3]", [(3, ""), (10, "(a:2)")]),
    ("a [b : c : 1] d", [(1, "a b  d"), (10, "a  c  d")]),
    ("a[b:[c:d:2]:1]e", [(1, "abe"), (2, "ace"), (10, "ade")]),
    ("a [unbalanced", [(10, "a [unbalanced")]),
    ("a [b:.5] c", [(5, "a  c"), (10, "a b c")]),
    ("a [b:c:5] [d", [(5, "a b [d"), (10, "a c [d")]),
    ("[a:b:15]", [(10, "a")]),
    ("[a:b:0]", [(10, "b")]),
    ("[a:b:-1]", [(10, "b")]),
    ("[a:b:1e999]", [(10, "a")]),
    ("[a:b:-1e999]", [(10, "b")]),
])
def test_worked_schedules(text, plan):
    assert schedule(text, steps=10) == plan


def test_alternation_takes_the_options_in_turn():
    assert [text for _, text in schedule("[fe|||]male", steps=5)] == ["female", "male", "male", "male", "female"]


@pytest.mark.parametrize("text, plan", [
    ("[a:b:1.5]", [(5, "a"), (10, "b")]),
    ("[a:b:.5]", [(10, "b")]),
    ("[a:b:12]", [(2, "a"), (10, "b")]),
])
def test_numbers_count_on_in_the_second_pass(text, plan):
    assert schedule(text, steps=10, hires_steps=10) == plan


@pytest.mark.parametrize("text", [
    "a | b [c:d:5]", "[a:b:5|c]", "(a|b) [c:d:5]", "[a:b:5] \\", "[a:b:5] \\\n",
])
def test_a_stray_bar_or_backslash_makes_the_whole_text_literal(text):
    assert schedule(text, steps=10) == [(10, text)]


@pytest.mark.parametrize("text", ["[a (b:c:5]", "[a:b:c:5]", "[(a:b:c):d:5]", r"\[a:b:5\]", "[a) b:c:5]"])
def test_brackets_that_hold_no_prompt_are_characters(text):
    assert schedule(text, steps=10) == [(10, text)]


def test_edits_inside_of_a_bracket_that_is_a_character_still_work():
    assert schedule("[x (y:z:[a:b:5]) :w]", steps=10) == [(5, "[x (y:z:a) :w]"), (10, "[x (y:z:b) :w]")]


def test_brackets_without_a_partner_are_named_by_offset():
    assert Brackets("a) (b [c:1] [d").unmatched == [1, 3, 12]


DEEP = 10_000
HUGE = {
    "open": "(" * 2 * DEEP, "square": "[" * 2 * DEEP, "pairs": "()" * DEEP, "nested": "[" * DEEP + "]" * DEEP, "crossed": "([" * DEEP,
    "edits": "[a:b:1]" * DEEP, "alternations": "[a|b]" * DEEP,
    "nested edits": "[a:" * DEEP + "b" + ":1]" * DEEP, "nested alternations": "[a|" * DEEP + "b" + "]" * DEEP,
}


@pytest.mark.parametrize("name", HUGE)
def test_twenty_thousand_brackets_parse_in_under_a_fifth_of_a_second(name):
    parse_schedule("")
    spent = []
    for _ in range(3):
        started = time.process_time()
        parse_schedule(HUGE[name])
        spent.append(time.process_time() - started)
    assert min(spent) < 0.2


@pytest.mark.parametrize("name", HUGE)
def test_deep_nesting_has_a_schedule(name):
    assert schedule(HUGE[name], steps=3)[-1][0] == 3


@given(SIGNS | st.text(), st.integers(1, 30), st.none() | st.integers(1, 30), st.booleans())
def test_any_text_has_a_schedule_that_ends_at_the_last_step(text, steps, hires_steps, old):
    plan = schedule(text, steps, hires_steps, old)
    ends = [end for end, _ in plan]
    assert ends == sorted(set(ends)) and ends[-1] == (steps if old or hires_steps is None else hires_steps)


@given(SIGNS)
def test_a_text_without_square_brackets_is_its_own_schedule(text):
    plain = text.replace("[", "").replace("]", "")
    assert schedule(plain, steps=4) == [(4, plain)]
