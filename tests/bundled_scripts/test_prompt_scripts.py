"""Prompt matrix and prompts from file: which texts they make of what is written, and which jobs."""
import json

import numpy as np
import pytest
from PIL import Image

from modules import scripts, shared
from modules.errors import UserError
from modules.processing import Processed, StableDiffusionProcessingTxt2Img
from modules.scripts import scripts_data
from scripts.parts.prompt_lines import entries

MATRIX, LINES, ADVANCED = "Prompt matrix", "Prompts from file or textbox", "Advanced prompt matrix"


@pytest.fixture
def matrix(rt):
    return next(data.module for data in scripts_data if data.module.__name__ == "prompt_matrix.py")


def prompts(job):
    return [image["infotext"].split("\n")[0] for image in job.result["images"] if not image["is_grid"]]


# prompt matrix


def test_every_combination_is_there_once(matrix):
    parts = matrix.parts_of("a busy city | illustration, |, cinematic")
    assert parts == ["a busy city", "illustration", "cinematic"]
    assert matrix.combinations(parts, ", ", at_start=False) == [
        "a busy city", "a busy city, illustration", "a busy city, cinematic", "a busy city, illustration, cinematic"]
    assert matrix.combinations(parts, " ", at_start=True)[-1] == "illustration cinematic a busy city"


def test_columns_take_the_first_half_of_the_parts(matrix):
    columns, rows = matrix.titles(["a", "b", "c"])
    assert len(columns) == 4 and len(rows) == 2
    assert [(title.text, title.is_active) for title in columns[1]] == [("a", True), ("b", False)]


def test_a_matrix_fills_batches_and_keeps_one_seed(made):
    job = made(MATRIX, [False, False, "positive", "comma", 0], prompt="x|y|z", batch_size=3)
    assert prompts(job) == ["x", "x, y", "x, z", "x, y, z"] and {image["seed"] for image in job.result["images"]} == {1}
    assert [image["is_grid"] for image in job.result["images"]] == [True, False, False, False, False]


def test_an_interrupted_matrix_has_blank_places(rt, made, monkeypatch):
    monkeypatch.setattr(rt.state, "nextjob", lambda original=rt.state.nextjob: (original(), rt.state.interrupt()))
    job = made(MATRIX, [False, False, "positive", "comma", 0], prompt="x|y|z", status="interrupted")
    sheet = np.asarray(Image.open(job.result["images"][0]["path"]).convert("RGB"))
    assert prompts(job) == ["x"] and sheet[-32:, -32:].min() == 255


def test_too_many_parts_are_refused_with_the_number(made):
    job = made(MATRIX, [False, False, "positive", "comma", 0], prompt="|".join("x" * 20), status="failed")
    assert "19 optional parts, which make 524,288 pictures" in job.error


# lists of prompts


@pytest.mark.parametrize("text, expected", [
    ("one\n\n  two ", [{"prompt": "one"}, {"prompt": "two"}]),
    ("a cat -- dog", [{"prompt": "a cat -- dog"}]),
    ('--prompt "a cat" --steps 5 --tiling true', [{"prompt": "a cat", "steps": 5, "tiling": True}]),
    ("prompt, steps\na cat,5\n\"one, two\",", [{"prompt": "a cat", "steps": 5}, {"prompt": "one, two"}]),
    (json.dumps(["a", {"prompt": "b", "seed": 3}]), [{"prompt": "a"}, {"prompt": "b", "seed": 3}]),
    ("--sampler_name \"DPM++ 2M Karras\"", [{"sampler_name": "DPM++ 2M Karras"}]),
])
def test_a_list_becomes_jobs(rt, text, expected):
    assert entries(text) == (expected, [])


@pytest.mark.parametrize("line, reason", [
    ("--nope 3", "--nope is no option"), ("--steps", "--steps has no value"), ("--steps x", "--steps x:"), ("--steps 0", "at least 1"),
    ("--prompt \"a", "No closing quotation"), ("--sampler_name Eulr", "Eulr"), ("--sd_model nothing", "no such checkpoint")])
def test_a_line_that_cannot_be_understood_is_a_prompt_and_named_by_its_number(rt, line, reason):
    found, [problem] = entries(f"first\n{line}")
    assert found[1] == {"prompt": line} and problem.startswith("Line 2 is used as a prompt:") and reason in problem


@pytest.mark.parametrize("value, reason", [
    ('"styles": 5', "--styles 5: names"), ('"styles": ["a", 5]', "names"), ('"steps": Infinity', "--steps inf: a whole number"),
    ('"seed": null', "whole number"), ('"cfg_scale": NaN', "--cfg_scale nan: a number"), ('"width": [64]', "whole number"),
    ('"sampler_index": 999', "--sampler_index 999: 0 to"), ('"sampler_index": -1', "0 to"), ('"sampler_name": 5', "There is no sampler"),
    ('"sd_model": 5', "no such checkpoint")])
def test_a_value_that_cannot_be_used_is_left_out_of_its_entry_and_named(rt, value, reason):
    found, [problem] = entries(f'["first", {{"prompt": "second", {value}}}]')
    assert found == [{"prompt": "first"}, {"prompt": "second"}]
    assert problem.startswith("Entry 2: ") and reason in problem and problem.endswith("; it was left out.")


def test_bad_entries_do_not_end_the_job(made):
    text = '["one", {"prompt": "two", "styles": 5, "steps": Infinity, "sampler_index": 999}]'
    assert prompts(made(LINES, [False, False, "start", text], prompt="")) == ["one", "two"]


def test_a_list_of_which_nothing_can_be_used_says_why(made):
    assert "Entry 1: --steps inf" in made(LINES, [False, False, "start", '[{"steps": Infinity}]'], status="failed").error


@pytest.mark.parametrize("sampler, schedule", [("DPM++ 2M", "Karras"), ("DPM++ 2M Exponential", "Exponential")])
def test_the_schedule_of_the_form_stays_unless_the_name_of_the_sampler_says_one(made, sampler, schedule):
    job = made(LINES, [False, False, "start", f'--prompt a --sampler_name "{sampler}"'], scheduler="Karras")
    assert f"Sampler: DPM++ 2M, Schedule type: {schedule}," in job.result["images"][0]["infotext"]


def test_each_line_is_a_job_with_its_options(made):
    job = made(LINES, [False, False, "end", "one\n--prompt two --steps 1 --n_iter 2"], prompt="main")
    assert prompts(job) == ["main one", "main two", "main two"]
    assert [image["seed"] for image in job.result["images"]] == [1, 1, 2]


@pytest.mark.parametrize("iterates, seeds", [(True, [5, 7, 9]), (False, [5, 5, 5])])
def test_seeds_go_on_from_line_to_line_or_stay(made, iterates, seeds):
    job = made(LINES, [iterates, True, "start", "a\nb\nc"], seed=5, batch_size=2)
    assert [image["seed"] for image in job.result["images"]][::2] == seeds


def test_a_random_seed_is_another_one_in_each_line_unless_it_is_to_be_the_same(made):
    for same, count in ((False, 3), (True, 1)):
        job = made(LINES, [False, same, "start", "a\nb\nc"], seed=-1)
        assert len({image["seed"] for image in job.result["images"]}) == count


def test_an_empty_list_is_refused(made):
    assert "There are no prompts." in made(LINES, [False, False, "start", " \n"], status="failed").error


def test_every_bundled_script_has_the_usual_element_ids(rt):
    scripts.scripts_txt2img.ensure_controls()
    ids = {control.elem_id for script in scripts.scripts_txt2img.selectable_scripts for control in script.controls}
    items = {"xyz_plot": "x_type x_values margin_size csv_mode vary_seeds_z include_lone_images",
             "prompt_matrix": "put_at_start different_seeds prompt_type variations_delimiter margin_size",
             "prompts_from_file_or_textbox": "checkbox_iterate checkbox_iterate_batch prompt_position prompt_txt"}
    assert {f"script_txt2img_{script}_{item}" for script, names in items.items() for item in names.split()} <= ids


# advanced matrix


@pytest.fixture
def advanced(rt):
    return next(data.module for data in scripts_data if data.module.__name__ == "advanced_prompt_matrix.py")


@pytest.mark.parametrize("prompt, variants", [
    ("a <red|blue> cat", ["a red cat", "a blue cat"]),
    ("<a| b >, <c|d>", ["a, c", "a, d", "b, c", "b, d"]),
    ("<|very >old", ["old", "veryold"]),
    ("cat <lora:x|y:1> <one>", ["cat <lora:x|y:1> <one>"]),
])
def test_the_leftmost_group_changes_slowest_and_network_tags_are_no_groups(advanced, prompt, variants):
    assert advanced.variants(prompt) == variants


def test_each_pass_over_all_variants_has_the_next_seed_and_batches_do_not_count(made):
    job = made(ADVANCED, [""], prompt="<a|b>", negative_prompt="n", batch_size=3, n_iter=2, seed=7)
    assert prompts(job) == ["a", "b"] * 2 and [image["seed"] for image in job.result["images"]] == [7, 7, 8, 8]
    assert not any(image["is_grid"] for image in job.result["images"])


def test_too_many_variants_are_refused_with_their_number(made):
    assert "make 10,000,000 pictures" in made(ADVANCED, [""], prompt="<a|b|c|d|e|f|g|h|i|j>" * 7, status="failed").error


# custom code


@pytest.fixture
def custom(rt):
    return next(data.module for data in scripts_data if data.module.__name__ == "custom_code.py")


def test_code_is_offered_and_run_only_where_the_program_was_started_so(rt, custom, monkeypatch):
    assert custom.Script().show(False) is False and "custom code" not in scripts.scripts_txt2img.by_key
    with pytest.raises(UserError, match="not run here"):
        custom.Script().run(None, "return 1", 2)
    monkeypatch.setattr(shared.cmd_opts, "allow_code", True)
    assert custom.Script().show(False) is True


def test_code_gets_the_run_and_may_return_its_result_or_display_pictures(rt, custom, monkeypatch):
    monkeypatch.setattr(shared.cmd_opts, "allow_code", True)
    p, picture = StableDiffusionProcessingTxt2Img(prompt="x"), Image.new("RGB", (8, 8))
    p.picture = picture
    shown = custom.Script().run(p, "p.steps = 3\nfor n in range(2):\n  display([p.picture] * n, 5, 'made')", 4)
    assert p.steps == 3 and len(shown.images) == 1 and (shown.seed, shown.info) == (5, "made")
    p.made = Processed(p, [picture], 1, "own")
    assert custom.Script().run(p, "return p.made", 2) is p.made


def test_code_that_cannot_be_read_names_its_line(custom):
    with pytest.raises(UserError, match="line 2"):
        custom.body_of("x = 1\nx = = 2", 2)


# what a run will make


@pytest.mark.parametrize("script, args, values, sentence", [
    (MATRIX, [False, False, "positive", "comma", 0], {"prompt": "a|b|c"}, "2 optional parts: 4 pictures."),
    (ADVANCED, [""], {"prompt": "<a|b>", "n_iter": 3}, "6 pictures."),
    (LINES, [False, False, "start", "one\n--n_iter 2\n--steps x"], {"prompt": ""}, "3 lines, 4 pictures.\nLine 3 is used as a prompt"),
])
def test_the_number_of_pictures_is_known_before(rt, script, args, values, sentence):
    p = StableDiffusionProcessingTxt2Img(**values)
    assert scripts.scripts_txt2img.script(script).planned(p, *args).startswith(sentence)
