"""The table of times: what each file of an extension took to load, to build its controls, and in every hook."""
from modules.api.extensions import seconds_by_folder
from modules.extensions import timing


def recorded(rt):
    file = rt.folders.extensions / "fixture" / "scripts" / "recorder.py"
    return timing.table()[str(file)]


def test_every_part_of_an_extensions_work_is_timed_under_its_file(rt, made, recorder):
    made()
    hooks = recorded(rt)
    assert {"load", "ui", "ui_settings", "before_ui", "setup", "process", "process_before_every_sampling", "cfg_denoiser", "image_saved",
            "postprocess"} <= set(hooks)
    assert all(seconds >= 0 for seconds in hooks.values()) and hooks["load"] > 0


def test_a_hook_that_takes_its_time_is_seen_in_the_table_and_in_the_sum_of_its_extension(rt, made, recorder):
    import time

    before, sum_before = recorded(rt).get("process", 0.0), seconds_by_folder()[str(rt.folders.extensions / "fixture")]
    recorder.WISHES["process"] = lambda event: time.sleep(0.2)
    made()
    assert recorded(rt)["process"] - before >= 0.2
    assert seconds_by_folder()[str(rt.folders.extensions / "fixture")] - sum_before >= 0.2


def test_time_is_counted_when_the_scope_ends_in_an_error():
    timing.note("of a test", "x", 1.0)
    try:
        with timing.of("of a test", "x"):
            raise ValueError
    except ValueError:
        pass
    assert timing.table()["of a test"]["x"] > 1.0
