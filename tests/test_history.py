"""The history file: last forms, parameter sets that became jobs, presets with versions."""
import json
import sqlite3

import pytest

from modules import history
from modules.errors import NotFound, RequestError, UserError
from modules.history import History, Preset, preset_of_text, preset_text


@pytest.fixture
def kept(tmp_path):
    return History(tmp_path / "history.sqlite3")


def values(prompt, **others):
    return {"prompt": prompt, "negative_prompt": "", "steps": 20, **others}


def prompts(found):
    return [entry.values["prompt"] for entry in found[0]]


def test_the_last_form_of_each_tab_is_there_for_the_next_start(kept):
    kept.keep_form("", "txt2img", values("first"))
    kept.keep_form("", "txt2img", values("last"))
    kept.keep_form("", "img2img", values("other tab"))
    again = History(kept.path)
    assert again.form("", "txt2img").values == values("last")
    assert again.form("somebody", "txt2img") is None


def test_the_same_parameter_set_is_one_entry_that_moves_to_the_top(kept):
    for prompt in ("a", "b", "a"):
        kept.record("", "txt2img", values(prompt), "model")
    found = kept.entries("")
    assert prompts(found) == ["a", "b"]
    assert found[1] == 2 and found[0][0].times == 2


def test_a_search_finds_every_word_in_prompts_values_and_the_checkpoint_and_takes_signs_for_text(kept):
    kept.record("", "txt2img", values("Ein Fuchs im WALD, 100% _grün_", sampler_name="Heun"), "dreams")
    kept.record("", "txt2img", values("a house"), "dreams")
    assert prompts(kept.entries("", search="wald fuchs")) == ["Ein Fuchs im WALD, 100% _grün_"]
    assert kept.entries("", search="sampler_name: heun dreams")[1] == 1
    assert kept.entries("", search="% _grÜn_")[1] == 1
    assert kept.entries("", search="house wald")[1] == 0
    assert kept.entries("", search="%house%")[1] == 0
    assert prompts(kept.entries("", first=1, count=1)) == ["Ein Fuchs im WALD, 100% _grün_"]


def test_pinned_entries_outlast_newer_ones(kept, monkeypatch):
    monkeypatch.setattr(history, "ENTRIES_KEPT", 3)
    kept.record("", "txt2img", values("pinned"), "")
    kept.pin("", kept.entries("")[0][0].id, True)
    for number in range(5):
        kept.record("", "txt2img", values(str(number)), "")
    assert prompts(kept.entries("")) == ["4", "3", "2", "pinned"]
    assert prompts(kept.entries("", pinned=True)) == ["pinned"]


def test_what_one_user_keeps_is_not_shown_to_another_or_changed_by_one(kept):
    kept.record("ada", "txt2img", values("mine"), "")
    entry = kept.entries("ada")[0][0]
    assert kept.entries("bob")[1] == 0
    with pytest.raises(NotFound):
        kept.forget("bob", entry.id)
    kept.forget("ada", entry.id)
    assert kept.entries("ada")[1] == 0


def test_a_preset_saved_again_is_a_new_version_and_the_old_ones_stay(kept, monkeypatch):
    monkeypatch.setattr(history, "VERSIONS_KEPT", 3)
    for steps in range(1, 6):
        saved = kept.save_preset("", Preset(tab="txt2img", name="  fast   one ", values={"steps": steps}, checkpoint="model"))
    assert (saved.name, saved.version, saved.checkpoint) == ("fast one", 5, "model")
    assert [(each.version, each.values["steps"]) for each in kept.presets("", "txt2img")] == [(5, 5), (4, 4), (3, 3)]
    kept.delete_preset("", "txt2img", "fast one")
    with pytest.raises(NotFound):
        kept.preset("", saved.id)


def test_a_preset_goes_out_as_text_and_comes_back():
    preset = Preset(tab="img2img", name='"quoted" 名前', checkpoint="dreams", values={"prompt": "line\nline", "steps": 3, "styles": ["a"]})
    back = preset_of_text(preset_text(preset))
    assert back == preset


@pytest.mark.parametrize("text", ["", "[]", "{", '{"easel_preset": 1}', '{"easel_preset": 1, "name": 3, "tab": "t", "values": {}}'])
def test_other_text_is_no_preset(text):
    with pytest.raises(RequestError, match="not the text of a preset"):
        preset_of_text(text)
    with pytest.raises(RequestError, match="later version"):
        preset_of_text(json.dumps({"easel_preset": 2, "name": "a", "tab": "txt2img", "values": {"steps": 1}}))


def test_a_damaged_file_is_kept_aside_and_one_of_a_later_program_is_left_alone(kept):
    kept.path.write_bytes(b"no database" * 500)
    kept.record("", "txt2img", values("a"), "")
    assert kept.entries("")[1] == 1
    assert len(list(kept.path.parent.glob("*.damaged-*"))) == 1
    with sqlite3.connect(kept.path) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(UserError, match="version 99"):
        History(kept.path).entries("")


def test_a_disk_that_takes_nothing_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="history"):
        History(tmp_path / "file" / "history.sqlite3").record("", "txt2img", values("a"), "")
