"""Scripts at the start of the program, their controls' values in jobs, and the selected script's run."""
import importlib
import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from modules import script_callbacks, scripts
from modules.errors import RequestError
from modules.extensions.discovery import all_disabled_by, discover, origin
from modules.extensions.loading import ScriptFile, load_file, make_importable
from modules.folders import Folders
from modules.generation.script_values import completed, frozen_scripts


def names(extensions):
    return [extension.name for extension in extensions if extension.is_enabled]


@pytest.fixture
def folders(tmp_path):
    for name in ("program/extensions/easel-one", "program/extensions/foreign", "data/extensions/two", "data/extensions/.git"):
        (tmp_path / name / "scripts").mkdir(parents=True)
    return Folders(program=tmp_path / "program", data=tmp_path / "data")


def test_bundled_extensions_come_with_the_program_all_others_with_the_data_folder(folders):
    assert [(extension.name, extension.is_bundled) for extension in discover(folders)] == [("easel-one", True), ("two", False)]


def test_extensions_are_switched_off_by_name_by_kind_or_all(folders):
    assert names(discover(folders, ["two"])) == ["easel-one"]
    assert names(discover(folders, all_disabled="extra")) == ["easel-one"]
    assert names(discover(folders, all_disabled="all")) == []


@pytest.mark.parametrize("everything, extra, setting, result", [
    (False, False, "none", "none"), (False, False, "extra", "extra"), (True, False, "extra", "all"), (False, True, "none", "extra"),
    (False, True, "all", "all")])
def test_flags_and_setting_switch_off_what_either_says(everything, extra, setting, result):
    flags = Namespace(disable_all_extensions=everything, disable_extra_extensions=extra)
    assert all_disabled_by(flags, setting) == result


def test_parts_of_extensions_are_imported_by_their_folder_wherever_it_lies(folders, monkeypatch):
    monkeypatch.delitem(sys.modules, "extensions", raising=False)
    make_importable(folders.program / "extensions", folders.extensions)
    for base, name in ((folders.program, "easel-one"), (folders.data, "two")):
        (base / "extensions" / name / "part.py").write_text(f"told = {name!r}")
        assert importlib.import_module(f"extensions.{name}.part").told == name
        monkeypatch.delitem(sys.modules, f"extensions.{name}.part")
        monkeypatch.delitem(sys.modules, f"extensions.{name}")


def test_the_origin_of_a_file_names_its_extension():
    assert origin("/data/extensions/foo/scripts/x.py") == "x.py of the extension foo"
    assert origin("/program/scripts/x.py") == "x.py"


def test_a_file_that_cannot_be_loaded_is_named_on_the_page_and_the_others_load(rt):
    assert [notice for notice in rt.notices if "broken.py of the extension fixture" in notice and "nothing works here" in notice]
    assert "Hook Recorder" in scripts.scripts_txt2img.by_key


def test_a_missing_package_is_named(tmp_path):
    from modules.extensions.host import sentence_about

    path = tmp_path / "needy.py"
    path.write_text("import no_such_package_anywhere\n")
    loaded = load_file(ScriptFile(basedir=tmp_path, filename="needy.py", path=path))
    assert 'needs the Python package "no_such_package_anywhere"' in sentence_about(loaded)


def test_basedir_is_the_extensions_folder_while_it_is_loaded(rt):
    assert Path(sys.modules["recorder.py"].BASEDIR) == rt.folders.extensions / "fixture"
    assert Path(scripts.basedir()) == rt.folders.program


def test_settings_of_an_extension_are_registered_and_the_stored_value_counts(rt):
    assert rt.settings.recorder_colour == "red"
    rt.settings.set("recorder_colour", "blue")
    assert rt.settings.snapshot()["recorder_colour"] == "blue"


def test_the_element_id_of_a_control_names_tab_script_and_item(rt):
    script = scripts.scripts_txt2img.script("hook recorder")
    assert script.elem_id("word") == "script_txt2img_hook_recorder_word"


# values


def test_values_that_a_request_leaves_open_are_those_of_the_controls(rt):
    runner = scripts.scripts_txt2img
    frozen, notes = frozen_scripts(runner, {"args": {"Hook Recorder": ["mine"]}})
    assert frozen["selected"] is None and frozen["args"]["Hook Recorder"] == ["mine", 1, 3] and not notes
    assert "Several Runs" not in frozen["args"]
    frozen, _ = frozen_scripts(runner, {"selected": "Several Runs"})
    assert frozen["args"]["Several Runs"] == [2, False]
    assert json.loads(json.dumps(frozen)) == frozen


def test_values_beyond_the_controls_are_left_out_with_a_note(rt):
    frozen, [note] = frozen_scripts(scripts.scripts_txt2img, {"args": {"Hook Recorder": [1, 2, 3, 4, 5]}})
    assert frozen["args"]["Hook Recorder"] == [1, 2, 3] and "Hook Recorder takes 3 values; the last 2" in note


def test_an_unknown_script_is_refused_with_the_nearest_names(rt):
    with pytest.raises(RequestError, match="hook recorder"):
        frozen_scripts(scripts.scripts_txt2img, {"args": {"Hok Recorder": []}})


@pytest.mark.parametrize("values, defaults, result", [
    ([], [1, 2], ([1, 2], 0)), ([5], [1, 2], ([5, 2], 0)), ([5, 6], [1, 2], ([5, 6], 0)), ([5, 6, 7], [1, 2], ([5, 6], 1))])
def test_values_are_completed_by_position(values, defaults, result):
    assert completed(values, defaults) == result


def test_two_scripts_of_one_title_keep_their_values_apart():
    class One(scripts.Script):
        def title(self):
            return "Twin"

        def show(self, is_img2img):
            return scripts.AlwaysVisible

    class Two(One):
        pass

    runner = scripts.ScriptRunner()
    known, scripts.scripts_data[:] = list(scripts.scripts_data), [scripts.ScriptClassData(kind, "x.py", ".", None) for kind in (One, Two)]
    try:
        runner.initialize_scripts(False)
    finally:
        scripts.scripts_data[:] = known
    assert [type(script) for script in runner.by_key.values()] == [One, Two] and list(runner.by_key) == ["Twin", "Twin (2)"]


def test_a_script_whose_controls_cannot_be_built_is_left_out_and_named():
    class Bad(scripts.Script):
        def title(self):
            return "Bad Controls"

        def ui(self, is_img2img):
            raise ValueError("no such control")

    said = []
    runner = scripts.ScriptRunner(said.append)
    known, scripts.scripts_data[:] = list(scripts.scripts_data), [scripts.ScriptClassData(Bad, "/x/extensions/bad/scripts/b.py", ".", None)]
    try:
        runner.initialize_scripts(False)
        assert runner.default_args() == [0]
    finally:
        scripts.scripts_data[:] = known
    assert runner.titles == [] and "b.py of the extension bad" in said[0] and "no such control" in said[0]


def test_values_that_cannot_be_stored_make_the_job_not_resumable(made, recorder):
    thing = object()
    job = made(scripts={"args": {"Hook Recorder": [thing]}})
    assert not job.resumable
    assert made(scripts={"args": {"Hook Recorder": ["text"]}}).resumable


# the selected script


def test_a_selected_script_may_make_several_runs_and_its_result_is_the_jobs(made, recorder):
    job = made(scripts={"selected": "Several Runs", "args": {"Several Runs": [3]}})
    assert [image["infotext"].split("\n")[0] for image in job.result["images"]] == ["run 0", "run 1", "run 2"]
    assert [image["seed"] for image in job.result["images"]] == [100, 101, 102]
    assert [picture.index for picture in job.pictures] == [0, 1, 2]
    assert [name for name, _ in recorder.EVENTS].count("process") == 3
    assert [name for name, _ in recorder.EVENTS].count("setup") == 1


def test_a_selected_script_that_breaks_fails_the_job_with_its_name(made, recorder):
    job = made(status="failed", scripts={"selected": "Several Runs", "args": {"Several Runs": [2, True]}})
    assert "Several Runs (recorder.py of the extension fixture) failed: the script broke." in job.error
    assert made().status == "done"


def test_a_stored_job_whose_script_is_gone_says_so(rt, made, recorder):
    from modules import txt2img

    runner = scripts.scripts_txt2img
    several = runner.by_key.pop("Several Runs")
    request = made().request | {"scripts": {"selected": "Several Runs", "args": {"Several Runs": [2, False]}}}
    try:
        job = rt.queue.submit(txt2img.KIND, request, rt.settings.snapshot())
        assert job.wait(60) and job.status == "failed" and "The script Several Runs is not there." in job.error
    finally:
        runner.by_key["Several Runs"] = several


def test_a_stored_job_whose_always_on_script_is_gone_is_made_with_a_note(rt, made, recorder):
    from modules import txt2img

    request = made().request | {"scripts": {"selected": None, "args": {"Gone": [1]}}}
    job = rt.queue.submit(txt2img.KIND, request, rt.settings.snapshot())
    assert job.wait(60) and job.status == "done"
    assert "The script Gone is not there any more; the pictures were made without it." in job.result["notes"]


def test_a_runner_copied_and_shortened_by_an_extension_calls_only_what_is_left(made, recorder):
    import copy

    def shorten(event):
        p = event["p"]
        p.scripts = copy.copy(p.scripts)
        p.scripts.alwayson_scripts = []

    recorder.WISHES["before_process"] = shorten
    made()
    assert [name for name, _ in recorder.EVENTS][:2] == ["setup", "before_process"] and "process" not in dict(recorder.EVENTS)


# callbacks


def test_callbacks_of_a_function_or_file_can_be_removed():
    def listener():
        return 1

    script_callbacks.on_before_reload(listener)
    script_callbacks.on_before_reload(listener, name="again")
    assert script_callbacks.call("before_reload") == [1, 1]
    script_callbacks.remove_callbacks_for_function(listener)
    assert not script_callbacks.has("before_reload")
    script_callbacks.on_before_reload(listener)
    script_callbacks.remove_current_script_callbacks()
    assert not script_callbacks.has("before_reload")


def test_there_is_a_registrar_for_every_event():
    assert [event for event in script_callbacks.EVENTS if not callable(getattr(script_callbacks, f"on_{event}", None))] == []


def test_every_hook_of_the_table_has_a_method_and_a_dispatcher():
    for owner in (scripts.Script, scripts.ScriptRunner):
        assert [hook for hook in scripts.HOOKS if not callable(getattr(owner, hook, None))] == []
