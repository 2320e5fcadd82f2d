import json
import threading

import pytest

from modules.errors import RequestError, UserError
from modules.settings.option import OptionHTML, OptionInfo
from modules.settings.store import Options


def catalog() -> dict[str, OptionInfo]:
    return {
        "steps": OptionInfo(20, "Steps", "slider", {"minimum": 1, "maximum": 150}, affects_picture=True),
        "folder": OptionInfo("out", "Folder"),
        "tabs": OptionInfo([], "Tabs"),
        "note": OptionHTML("text"),
        "locked": OptionInfo(False, "Locked", restrict_api=True),
    }


@pytest.fixture
def options(tmp_path) -> Options:
    return Options(catalog(), tmp_path / "config.json")


def stored(options: Options) -> dict:
    options.save()
    return json.loads(options.path.read_text(encoding="utf-8"))


def reloaded(options: Options) -> Options:
    again = Options(catalog(), options.path)
    again.load()
    return again


def test_a_read_falls_back_to_the_default_and_then_to_an_error(options):
    assert options.steps == options.data["steps"] == 20
    with pytest.raises(AttributeError, match="nothing"):
        options.nothing
    with pytest.raises(KeyError):
        options.data["note"]


def test_saved_values_come_back(options):
    options.set("steps", 30)
    options.folder = "日本"
    options.save()
    again = reloaded(options)
    assert (again.steps, again.folder, again.notices) == (30, "日本", [])


def test_only_registered_keys_are_stored_by_attribute(options):
    options.extension_state = 5
    assert options.extension_state == 5 and "extension_state" not in stored(options)


def test_set_says_whether_something_changed(options):
    assert [options.set("steps", value) for value in (20, 30, "30")] == [False, True, False]


def test_set_refuses_what_cannot_be(options):
    for key, value in (("steps", 0), ("nothing", 1), ("note", "x")):
        with pytest.raises(RequestError):
            options.set(key, value)
    assert options.steps == 20


def test_a_restricted_setting_cannot_be_changed_through_the_api(options):
    with pytest.raises(RequestError):
        options.set("locked", True, is_api=True)
    assert options.set("locked", True)


def test_frozen_settings_stay(tmp_path):
    options = Options(catalog(), tmp_path / "config.json", is_frozen=True)
    with pytest.raises(UserError, match="--freeze-settings"):
        options.set("steps", 30)
    with pytest.raises(UserError):
        options.steps = 30
    with options.overriding({"steps": 5}):
        assert options.steps == 5


def test_listeners_run_after_a_change_and_once_at_registration(options):
    seen = []
    options.onchange("steps", lambda: seen.append(options.steps))
    options.set("steps", 30)
    options.set("steps", 40, run_callbacks=False)
    assert seen == [20, 30]


def test_a_change_whose_consequence_fails_is_undone(options):
    def fail():
        raise RuntimeError("no such file")

    options.data_labels["folder"].onchange = fail
    with pytest.raises(UserError, match="no such file"):
        options.set("folder", "x")
    assert options.folder == "out"


def test_an_unknown_key_of_the_file_is_kept_and_wins_when_registered(options):
    options.path.write_text(json.dumps({"my_extension": "7", "steps": 30}))
    options.load()
    assert stored(options)["my_extension"] == "7"
    options.add_option("my_extension", OptionInfo(1, "Mine"))
    assert options.my_extension == 7


def test_a_value_that_does_not_fit_is_said_and_kept_until_changed(options):
    options.path.write_text(json.dumps({"steps": "many"}))
    options.load()
    assert options.steps == 20 and len(options.notices) == 1 and "Steps" in options.notices[0]
    assert stored(options) == {"steps": "many"}
    options.set("steps", 21)
    assert stored(options) == {"steps": 21}


def test_lists_that_callers_append_to_are_stored(options):
    assert "tabs" not in stored(options)
    options.tabs.append("x")
    assert stored(options)["tabs"] == ["x"] and options.get_default("tabs") == []


def test_an_override_ends_with_its_scope_also_after_an_error(options):
    with pytest.raises(ZeroDivisionError), options.overriding({"steps": 5, "temporary": 1}):
        with options.overriding({"steps": 6}):
            assert (options.steps, options.temporary) == (6, 1)
        assert options.steps == 5 and options.data["steps"] == 5
        1 / 0
    assert options.steps == 20 and "temporary" not in options.data


def test_an_override_is_seen_by_its_own_thread_only(options):
    seen = []
    with options.overriding({"steps": 5}):
        thread = threading.Thread(target=lambda: seen.append(options.steps))
        thread.start()
        thread.join()
    assert seen == [20]


def test_a_write_goes_where_the_key_lives(options):
    with options.overriding({"steps": 5}):
        options.steps = 6
        options.folder = "kept"
        assert options.steps == 6
    assert (options.steps, options.folder) == (20, "kept")


def test_a_snapshot_is_a_copy_of_all_values(options):
    with options.overriding({"steps": 5}):
        snapshot = options.snapshot()
    snapshot["tabs"].append("x")
    assert snapshot["steps"] == 5 and set(snapshot) == {"steps", "folder", "tabs", "locked"} and options.tabs == []


def test_the_file_never_holds_an_override(options):
    with options.overriding({"steps": 5}):
        assert "steps" not in stored(options)


def test_settings_that_affect_pictures_can_be_listed(options):
    assert options.affecting_pictures() == ["steps"]


def test_settings_of_one_section_come_together(options):
    for key, section in (("a", ("x", "X")), ("b", ("y", "Y")), ("c", ("x", "X"))):
        options.add_option(key, OptionInfo(1, section=section))
    options.reorder()
    assert [key for key in options.data_labels if key in "abc"] == ["a", "c", "b"]


def test_the_previous_file_is_kept(options):
    for value in (30, 40):
        options.set("steps", value)
        options.save()
    assert json.loads(options.path.with_name("config.json.bak").read_text())["steps"] == 30


def test_a_value_that_json_cannot_hold_does_not_stop_the_others(options):
    options.data["odd"] = object()
    options.set("steps", 30)
    assert stored(options) == {"steps": 30}


def test_a_failed_save_is_a_sentence_and_leaves_the_old_file(options, faults, tmp_path):
    options.set("steps", 30)
    options.save()
    options.set("steps", 40)
    for operation in ("open", "fsync", "replace"):
        for fault in faults.each(operation):
            with fault:
                try:
                    options.save()
                except UserError as error:
                    assert "disk is full" in str(error)
            assert reloaded(options).steps in (30, 40) and reloaded(options).notices == []


DAMAGES = {
    "cut": '{"steps": 30, "folder": "x", "tabs": ["a", "b',
    "empty": "",
    "zeros": "\0" * 100,
    "list": "[1, 2]",
    "comma": '{"steps": 30,, "folder": "x",}',
    "merge conflict": '{\n"steps": 30,\n<<<<<<< HEAD\n"folder": "x"\n}',
    "deep": '{"steps": 30, "deep": ' + "[" * 200_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_read_as_far_as_possible_and_said_once(options, damage):
    options.path.write_text(DAMAGES[damage])
    options.load()
    assert options.steps == (20 if damage in ("empty", "zeros", "list") else 30)
    assert len(options.notices) == 1 and "damaged" in options.notices[0]
    assert options.path.with_name("config.json.damaged").read_text() == DAMAGES[damage]


def test_what_a_damaged_file_lost_comes_from_the_previous_copy(options):
    options.path.write_text('{"steps": 40, "fol')
    options.path.with_name("config.json.bak").write_text('{"steps": 30, "folder": "mine"}')
    options.load()
    assert (options.steps, options.folder) == (40, "mine")


@pytest.mark.parametrize("content, folder", [(b'\xef\xbb\xbf{"folder": "bom"}', "bom"), (b'{"folder": "caf\xe9"}', "caf\u00e9")])
def test_a_file_from_another_editor_is_read(options, content, folder):
    options.path.write_bytes(content)
    options.load()
    assert options.folder == folder


def test_a_missing_file_means_defaults_even_when_a_previous_copy_exists(options):
    options.path.with_name("config.json.bak").write_text('{"steps": 30}')
    options.load()
    assert (options.steps, options.notices) == (20, [])


def test_a_folder_in_place_of_the_file_is_said(options):
    options.path.mkdir()
    options.load()
    assert "cannot be read" in options.notices[0]
    with pytest.raises(UserError):
        options.save()
