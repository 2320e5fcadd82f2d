"""What the inspector and the token counter say."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.nn.tokenizer import ClipTokenizer
from modules.prompt.inspect import count_tokens, inspect_prompt


def test_the_count_of_a_text_as_it_is_equals_the_recorded(recorded, tokenizer, embeddings):
    for entry in recorded["prompts"]:
        assert list(count_tokens(entry["prompt"], None, tokenizer, embeddings)) == entry["counter"], entry["prompt"]


@pytest.mark.parametrize("text, count", [("[cat:a big dog:5]", 3), ("a AND b c", 2), ("[a|b c|d]", 2), ("a (cat:1.3)", 2)])
def test_the_counter_shows_the_longest_text_of_all_steps_and_parts(tokenizer, text, count):
    assert count_tokens(text, 20, tokenizer) == (count, 75)


def test_a_negative_prompt_is_counted_without_splitting(tokenizer):
    assert count_tokens("a AND b", 20, tokenizer, is_negative=True) == (3, 75)


def test_tokens_are_shown_with_their_weights(tokenizer, embeddings):
    seen = inspect_prompt("a (cat:1.5) tinyemb", 20, tokenizer, embeddings).parts[0].variants[0].chunks[0]
    assert [(t.text, t.weight, t.is_embedding) for t in seen] == [
        ("a ", 1.0, False), ("cat ", 1.5, False), ("tinyemb", 1.0, True), ("tinyemb", 1.0, True), ("tinyemb", 1.0, True)]


def test_variants_and_parts_are_shown_with_steps_and_weights(tokenizer):
    seen = inspect_prompt("[a:b:5] AND c:0.5", 20, tokenizer)
    assert [(part.weight, [(v.until_step, v.text) for v in part.variants]) for part in seen.parts] == [
        (1.0, [(5, "a"), (20, "b")]), (0.5, [(20, " c")])]


def test_unmatched_brackets_and_literal_texts_are_named(tokenizer):
    seen = inspect_prompt("(a | b", 20, tokenizer)
    assert seen.unmatched == (0,) and seen.is_literal


@settings(deadline=None)
@given(st.text(), st.integers(1, 5))
def test_any_text_can_be_inspected(text, steps):
    assert inspect_prompt(text, steps, ClipTokenizer()).limit >= 75
