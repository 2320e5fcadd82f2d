"""Requests are complete, of their types, within their limits, or refused with the name of the field."""
import json
import math

import pytest

from modules.errors import RequestError
from modules.generation.fields import TXT2IMG_FIELDS, by_name, checked, defaults, validated

NUMERIC = [field for field in TXT2IMG_FIELDS if field.kind in ("integer", "number")]
ODD_VALUES = [0, -8, 1, 7, 100000, 2**31, 1e18, True, math.nan, math.inf, json.loads("1e999"), "abc", [], {}]


@pytest.mark.parametrize("field", NUMERIC, ids=lambda f: f.name)
@pytest.mark.parametrize("value", ODD_VALUES, ids=repr)
def test_a_number_is_accepted_exactly_where_its_stated_range_includes_it(field, value):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    inside = number and math.isfinite(value) and field.lowest <= value <= field.highest
    if inside:
        assert checked(field, value) == value - (value % 8 if field.name in ("width", "height") else 0)
    else:
        with pytest.raises(RequestError) as refusal:
            checked(field, value)
        assert refusal.value.field == field.name and field.label in str(refusal.value)


def test_an_empty_request_is_complete():
    assert validated(TXT2IMG_FIELDS, {})["steps"] == 20
    assert validated(TXT2IMG_FIELDS, {}, api=True)["steps"] == 50


def test_none_stands_for_the_default():
    assert validated(TXT2IMG_FIELDS, {"steps": None, "cfg_scale": None}) == defaults(TXT2IMG_FIELDS)


def test_numbers_may_come_as_text_or_as_whole_floats():
    request = validated(TXT2IMG_FIELDS, {"steps": "20", "seed": 7.0, "cfg_scale": "6.5"})
    assert (request["steps"], request["seed"], request["cfg_scale"]) == (20, 7, 6.5)


def test_sizes_are_rounded_down_to_a_multiple_of_eight():
    request = validated(TXT2IMG_FIELDS, {"width": 519, "height": 64})
    assert (request["width"], request["height"]) == (512, 64)


def test_a_prompt_of_a_megabyte_is_refused_with_its_limit():
    with pytest.raises(RequestError, match="200,000"):
        validated(TXT2IMG_FIELDS, {"prompt": "x" * 1_000_000})


def test_lone_surrogates_and_nul_are_taken_out_of_text():
    assert validated(TXT2IMG_FIELDS, {"prompt": "a\ud800b\0c"})["prompt"] == "a?bc"


def test_unknown_names_are_ignored():
    assert "nonsense" not in validated(TXT2IMG_FIELDS, {"nonsense": 1})


def test_every_field_of_the_form_has_an_element_id_and_a_label():
    for field in by_name(TXT2IMG_FIELDS).values():
        assert field.label and (field.element_id or not field.in_form)
