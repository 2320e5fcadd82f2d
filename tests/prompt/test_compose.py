"""AND, and the conditions of a batch."""
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modules.prompt.compose import batch_conditions, split_and
from modules.prompt.conditioning import Conditioning


class Encoder:
    """Encodes a text as its length, and keeps what it was asked for."""

    def __init__(self):
        self.asked: list[list[str]] = []

    def __call__(self, texts: list[str]) -> list[Conditioning]:
        self.asked.append(texts)
        return [Conditioning(crossattn=torch.full((1, 77, 2), float(len(text)))) for text in texts]


def test_parts_equal_the_recorded(recorded):
    for entry in recorded["prompts"]:
        expected = [(entry["multicond"]["subprompts"][i], weight) for i, weight in entry["multicond"]["indexes"]]
        assert split_and(entry["prompt"]) == expected, entry["prompt"]


@pytest.mark.parametrize("text, parts", [
    ("a AND b :1.2 AND c", [("a", 1.0), (" b", 1.2), (" c", 1.0)]),
    ("a: -0.5", [("a", -0.5)]),
    ("a:.5AND", [("a:.5AND", 1.0)]),
    ("a:1.2:", [("a:1.2:", 1.0)]),
])
def test_worked_parts(text, parts):
    assert split_and(text) == parts


def test_conditions_follow_the_schedule_step_by_step():
    batch = batch_conditions(["a [bb:cccc:2] AND x:0.5"], ["n"], steps=4, encode=Encoder())
    lengths = [batch.at(step).cond.crossattn[:, 0, 0].tolist() for step in range(4)]
    # The recorded pictures compare the step counted from 0 with the last step counted from 1.
    assert lengths == [[4, 2], [4, 2], [4, 2], [6, 2]]
    assert batch.at(0).owners == (((0, 1.0), (1, 0.5)),)


def test_equal_texts_are_encoded_once():
    encode = Encoder()
    batch_conditions(["a", "a", "b"], ["", "", ""], steps=4, encode=encode)
    assert encode.asked == [["a"], ["b"], [""]]


def test_a_cache_saves_encoding_from_call_to_call():
    encode, cache = Encoder(), {}
    for _ in range(2):
        batch_conditions(["a [b:c:2]"], [""], steps=4, encode=encode, cache=cache)
    assert encode.asked == [["a b", "a c"], [""]]


def test_the_variants_of_an_edit_are_encoded_together():
    encode = Encoder()
    batch_conditions(["[a|b]"], [""], steps=3, encode=encode)
    assert encode.asked[0] == ["a", "b", "a"]


def test_negative_prompts_are_not_split():
    encode = Encoder()
    batch_conditions([""], ["a AND b"], steps=3, encode=encode)
    assert ["a AND b"] in encode.asked


@given(st.text())
def test_any_text_has_a_part(text):
    assert len(split_and(text)) >= 1
