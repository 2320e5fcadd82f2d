"""Names offered while a prompt is typed, and what is said about a prompt."""
import pytest

from modules import scripts
from modules.ui.prompt_help import CheckRequest, PromptNames, checked_prompt


class Wildcards:
    def wildcard_names(self):
        return ["animals/cats", "colours"]


class Runner:
    alwayson_scripts = [Wildcards()]


@pytest.fixture
def names(runtime, monkeypatch):
    monkeypatch.setattr(scripts, "scripts_txt2img", Runner())
    for name in ("Foxglove.safetensors", "red_fox.safetensors", "other.safetensors"):
        (runtime.folders.lora / name).write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    (runtime.folders.lora / "red_fox.json").write_text('{"activation text": "vulpes", "preferred weight": 0.7}')
    runtime.folders.tags.mkdir()
    (runtime.folders.tags / "board.csv").write_text("fox_(animal),0,500,\nfox_ears,0,900,kitsune\n")
    runtime.styles.save("Foxy style", "{prompt}, fur", "")
    return PromptNames(runtime)


def offered(names, before):
    completion = names.completion(before)
    return completion.typed, [offer.insert or offer.name for offer in completion.offers]


def test_a_tag_of_a_network_goes_on_with_names_that_hold_what_was_typed_and_brings_its_words(names):
    assert offered(names, "a <lora:fox") == (9, ["<lora:Foxglove:1.0>", "<lora:red_fox:0.7> vulpes"])
    assert offered(names, "a <fox") == (4, ["<lora:Foxglove:1.0>", "<lora:red_fox:0.7> vulpes"])
    assert offered(names, "a <other:fox") == (10, [])
    assert offered(names, "a <lora:Foxglove:1>")[1] == []


def test_a_word_goes_on_with_styles_and_tags_written_so_that_brackets_are_no_weights(names):
    assert offered(names, "a house, (fox") == (3, ["Foxy style", "fox ears", r"fox \(animal\)"])
    assert offered(names, "kits") == (4, ["fox ears"])
    assert offered(names, "cat, f") == (0, [])
    assert offered(names, "cat, ") == (0, [])


def test_two_underscores_begin_a_wildcard_and_two_more_end_it(names):
    assert offered(names, "a __ca") == (4, ["__animals/cats__"])
    assert offered(names, "a __colours__")[1] == []


def test_what_is_unknown_or_unbalanced_is_said(runtime):
    said = checked_prompt(runtime, CheckRequest(text="a (fox <lora:nowhere:1>"), None)
    assert said["notes"] == ['There is no LoRA "nowhere". Check the name, or put the file into the folder models/Lora.']
    assert [place["sign"] for place in said["unmatched"]] == ["("]
    assert checked_prompt(runtime, CheckRequest(text="a (fox:1.2), [cat:dog:3]"), None) == {"notes": [], "unmatched": []}
