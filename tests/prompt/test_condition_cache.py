"""Encoded texts are found again under the same circumstances only."""
import pytest
import torch

from modules.prompt import condition_cache
from modules.prompt.compose import batch_conditions
from modules.prompt.condition_cache import ConditionCache
from modules.prompt.conditioning import Conditioning


def encode_counting(calls: list[list[str]]):
    def encode(texts: list[str]) -> list[Conditioning]:
        calls.append(texts)
        return [Conditioning(crossattn=torch.full((1, 77, 2), float(len(text)))) for text in texts]
    return encode


def test_a_text_is_encoded_once_for_each_model():
    cache, calls = ConditionCache(), []
    for model in ("a", "a", "b", "a"):
        batch_conditions(["cat"], ["dog"], 10, encode_counting(calls), cache=cache.under(model))
    assert calls == [["cat"], ["dog"]] * 2


def test_the_oldest_is_forgotten_but_not_within_one_batch(monkeypatch):
    monkeypatch.setattr(condition_cache, "MOST_SCHEDULES", 2)
    cache, calls = ConditionCache(), []
    result = batch_conditions(["a", "b", "c", "a"], ["", "", "", ""], 10, encode_counting(calls), cache=cache.under("model"))
    assert len(result.positive) == 4 and calls == [["a"], ["b"], ["c"], [""]]
    assert sorted(cache.under("model")) == [("",), ("c",)]


def test_a_missing_text_is_missing():
    with pytest.raises(KeyError):
        ConditionCache().under("model")["cat",]
