"""Bodies: any bytes become a JSON object or a sentence."""
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.api.body import MalformedBody, parsed_object


@pytest.mark.parametrize("content", [
    b"", b"  ", b"{", b"[]", b"1", b"null", b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}', b"[" * 200_000, b'{"a":' * 200_000,
    b"\xff\xfe\xff", b'{"a": "\x00"}', b'{"n": ' + b"9" * 5000 + b"}", b"{'a': 1}", b"not json", b'{"a": 1} {"b": 2}',
])
def test_what_is_no_object_is_refused_with_a_sentence(content):
    with pytest.raises(MalformedBody) as refused:
        parsed_object(content)
    sentence = str(refused.value)
    assert refused.value.status == 422 and sentence.startswith("The body of the request cannot be read.") and len(sentence) < 300


def test_numbers_that_json_does_not_know_are_read_for_the_field_to_refuse():
    values = parsed_object(b'{"a": NaN, "b": 1e999, "c": -Infinity}')
    assert math.isnan(values["a"]) and values["b"] == math.inf and values["c"] == -math.inf


def test_text_of_any_kind_is_read():
    assert parsed_object(b'{"a": "\\ud800 \\u0000"}') == {"a": "\ud800 \0"}
    assert parsed_object("\ufeff{}".encode("utf-8-sig").removeprefix(b"\xef\xbb\xbf")) == {}


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(content):
    try:
        parsed_object(content)
    except MalformedBody:
        pass


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), max_size=5))
def test_what_a_client_writes_is_what_is_read(values):
    assert parsed_object(json.dumps(values).encode()) == values
