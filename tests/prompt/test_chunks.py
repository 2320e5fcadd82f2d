"""Tokens in chunks of 75."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.nn.tokenizer import ClipTokenizer
from modules.prompt.chunks import ChunkedText, chunked

VARIANTS = {
    "clip": {},
    "clip_no_backtrack": {"comma_padding_backtrack": 0},
    "clip_emphasis_none": {"emphasis": "None"},
}


def as_recorded(text: ChunkedText) -> dict:
    """In the form of prompts.json."""
    return {"token_count": text.token_count, "chunks": [{
        "tokens": list(chunk.tokens), "multipliers": [round(w, 6) for w in chunk.weights],
        "fixes": [[placed.offset, placed.embedding.name] for placed in chunk.placements],
    } for chunk in text.chunks]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_chunks_equal_the_recorded(recorded, tokenizer, embeddings, variant):
    for entry in recorded["prompts"]:
        seen = as_recorded(chunked(entry["prompt"], tokenizer, embeddings, **VARIANTS[variant]))
        assert seen == entry.get(variant, entry["clip"]), entry["prompt"]


def test_what_follows_a_near_comma_moves_to_the_next_chunk(tokenizer):
    text = chunked("cat " * 60 + ", " + "dog " * 20, tokenizer)
    assert [chunk.tokens.count(1929) for chunk in text.chunks] == [0, 20]


def test_a_comma_further_back_than_the_limit_moves_nothing(tokenizer):
    text = chunked("cat " * 50 + ", " + "dog " * 30, tokenizer)
    assert [chunk.tokens.count(1929) for chunk in text.chunks] == [24, 6]


def test_an_embedding_moves_with_the_tokens_behind_a_comma(tokenizer, embeddings):
    text = chunked("cat " * 65 + ", tinyemb " + "dog " * 10, tokenizer, embeddings)
    assert [[(p.offset, p.embedding.name) for p in chunk.placements] for chunk in text.chunks] == [[], [(0, "tinyemb")]]
    assert text.chunks[1].tokens[1:5] == (0, 0, 0, 1929)


def test_an_embedding_is_never_split(tokenizer, embeddings):
    text = chunked("cat " * 73 + "tinyemb", tokenizer, embeddings)
    assert [len(chunk.placements) for chunk in text.chunks] == [0, 1]


def test_break_inside_of_emphasis_is_a_word(tokenizer):
    assert len(chunked("(a BREAK b:1.3)", tokenizer).chunks) == 1 and len(chunked("a BREAK b", tokenizer).chunks) == 2


def test_the_empty_text_has_one_chunk(tokenizer):
    text = chunked("", tokenizer)
    assert (len(text.chunks), text.token_count, text.limit) == (1, 0, 75)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("()[]:,. abBREAK\\")), st.integers(0, 80))
def test_every_chunk_has_77_places(text, backtrack):
    seen = chunked(text * 5, ClipTokenizer(), comma_padding_backtrack=backtrack)
    assert all(len(chunk.tokens) == len(chunk.weights) == 77 for chunk in seen.chunks)
