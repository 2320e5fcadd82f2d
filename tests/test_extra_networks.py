"""Tags for extra networks and the scope in which networks are at work."""
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules import extra_networks
from modules.extra_networks import (
    ExtraNetwork,
    activated,
    parse,
    parse_prompts,
    register_extra_network,
    register_extra_network_alias,
    unknown_kinds,
)


class Recorder(ExtraNetwork):
    """Keeps what it is told to do."""

    def __init__(self, name: str, log: list, fails: bool = False):
        super().__init__(name)
        self.log, self.fails = log, fails

    def activate(self, p, params_list):
        self.log.append((self.name, "on", [params.name for params in params_list]))
        if self.fails:
            raise ValueError("no such network")

    def deactivate(self, p):
        self.log.append((self.name, "off"))


@pytest.fixture
def registry(monkeypatch) -> dict[str, ExtraNetwork]:
    monkeypatch.setattr(extra_networks, "extra_network_aliases", {})
    monkeypatch.setattr(extra_networks, "extra_network_registry", fresh := {})
    return fresh


def test_tags_equal_the_recorded(goldens):
    for entry in json.loads((goldens / "prompts.json").read_text(encoding="utf-8"))["prompts"]:
        text, tags = parse(entry["prompt"])
        seen = {kind: [{"positional": p.positional, "named": p.named} for p in params] for kind, params in tags.items()}
        assert {"text": text, "tags": seen} == entry["extra_networks"], entry["prompt"]


def test_an_item_with_two_equal_signs_is_not_named():
    params = parse("<lora:x:a=b=c>")[1]["lora"][0]
    assert params.positional == ["x", "a=b=c"] and params.named == {} and params.items == ["x", "a=b=c"]


def test_the_tags_of_a_batch_are_those_of_its_first_text():
    texts, tags = parse_prompts(["a <lora:x:1>", "b <lora:y:1>"])
    assert texts == ["a ", "b "] and [p.name for p in tags["lora"]] == ["x"]


def test_no_texts_have_no_tags():
    assert parse_prompts([]) == ([], {})


def test_networks_work_inside_the_scope_only(registry):
    log = []
    register_extra_network(Recorder("lora", log))
    register_extra_network(Recorder("hypernet", log))
    with activated(None, parse("<lora:x> <lora:y>")[1]):
        log.append("inside")
    assert log == [("lora", "on", ["x", "y"]), ("hypernet", "on", []), "inside", ("hypernet", "off"), ("lora", "off")]


def test_what_was_switched_on_is_switched_off_when_a_network_fails(registry):
    log = []
    register_extra_network(Recorder("lora", log))
    register_extra_network(Recorder("hypernet", log, fails=True))
    with pytest.raises(ValueError), activated(None, {}):
        pass
    assert log[-2:] == [("hypernet", "off"), ("lora", "off")]


def test_an_alias_reaches_the_network_and_other_kinds_are_named(registry):
    log = []
    register_extra_network(lora := Recorder("lora", log))
    register_extra_network_alias(lora, "lyco")
    tags = parse("<lyco:x> <other:y>")[1]
    assert unknown_kinds(tags) == ["other"]
    with activated(None, tags):
        pass
    assert log[0] == ("lora", "on", ["x"])


@given(st.text(alphabet=st.sampled_from("<>:= ab")))
def test_any_text_parses(text):
    assert len(parse(text)[0]) <= len(text)
