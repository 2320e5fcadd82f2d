"""CLIP tokens: ids, cleaning, and texts that try to be special."""
import runpy
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.nn.tokenizer import VOCABULARY_SIZE, ClipTokenizer, vocabulary_path


@pytest.fixture(scope="module")
def tokenizer() -> ClipTokenizer:
    return ClipTokenizer()


@pytest.mark.parametrize("text, ids", [
    ("", []),
    ("a cat", [320, 2368]),
    ("A  CAT\n", [320, 2368]),
    (",", [267]),
    ("x,y", [343, 267, 344]),
])
def test_words_become_the_ids_of_the_vocabulary(tokenizer, text, ids):
    assert tokenizer.encode(text) == ids


def test_special_tokens_spelt_out_stay_text(tokenizer):
    ids = tokenizer.encode("a <|endoftext|> <|startoftext|>")
    assert tokenizer.end_id not in ids and tokenizer.start_id not in ids


def test_words_of_ids_join_to_the_text(tokenizer):
    assert "".join(tokenizer.words(tokenizer.encode("a café, 3 cats"))).strip() == "a café , 3 cats"


def test_special_ids_are_named(tokenizer):
    assert tokenizer.words([tokenizer.start_id, tokenizer.end_id]) == ["<|startoftext|>", "<|endoftext|>"]


def test_lone_surrogates_become_question_marks(tokenizer):
    assert tokenizer.encode("a \ud83d b") == tokenizer.encode("a ? b")


def test_entities_and_broken_characters_are_mended(tokenizer):
    assert tokenizer.encode("a &amp; b") == tokenizer.encode("a & b")
    assert tokenizer.encode("caf\u00c3\u00a9") == tokenizer.encode("café")


def test_the_pad_id_is_the_end_token_unless_told_otherwise():
    assert (ClipTokenizer().pad_id, ClipTokenizer(pad_id=0).pad_id) == (49407, 0)


def test_the_vocabulary_is_found_without_importing_open_clip():
    assert vocabulary_path().is_file() and "open_clip" not in sys.modules


def test_ids_equal_those_of_the_peer(tokenizer):
    texts = [
        "a cat's hat, isn't it? we'll they've I'm", "日本語のプロンプト", "emoji 😀 cat 🐱", "en – dash … “quotes”", "x" * 200, "12 5,6",
    ]
    # Read from its file: importing the package would import torchvision and every network in it.
    peer = runpy.run_path(str(vocabulary_path().with_name("tokenizer.py")))["SimpleTokenizer"]()
    assert [tokenizer.encode(text) for text in texts] == [peer.encode(text) for text in texts]


@given(st.text())
def test_any_text_has_ids_within_the_vocabulary(text):
    assert all(0 <= i < VOCABULARY_SIZE - 2 for i in ClipTokenizer().encode(text))
