"""The X/Y/Z plot: its axes, the order of work, and cells that fail or are never made."""
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules import scripts
from modules.errors import UserError
from modules.generation.fields import TXT2IMG_FIELDS
from modules.processing import StableDiffusionProcessingTxt2Img
from scripts.plots import axes
from scripts.plots.axis_table import axis_options
from scripts.plots.plot import Axis, Plot

SEED, STEPS, CFG, SEARCH, SAMPLER, CHECKPOINT, CLIP_SKIP = 1, 4, 6, 7, 9, 11, 22
PLOT = "X/Y/Z plot"


def arguments(x=(0, ""), y=(0, ""), z=(0, ""), *, cells=True, sheets=False, keep_random=False, vary=(False, False, False), margin=0):
    values = [value for kind, text in (x, y, z) for value in (kind, text, [])]
    return [*values, False, cells, sheets, keep_random, *vary, margin, True]


def option(label):
    return next(axis for axis in axis_options if axis.label == label)


def plot_of(*labels_and_values, **keywords):
    lines = [*labels_and_values, *[("Nothing", [0])] * (3 - len(labels_and_values))]
    p = StableDiffusionProcessingTxt2Img(prompt="a cat", seed=100)
    return Plot(p, [Axis(letter, option(label), values) for letter, (label, values) in zip("XYZ", lines)], **keywords)


def facts(job):
    """Steps and seed of every picture of a job that is no sheet."""
    texts = [image["infotext"] for image in job.result["images"] if not image["is_grid"]]
    return [tuple(int(text.split(f"{key}: ")[1].split(",")[0]) for key in ("Steps", "Seed")) for text in texts]


# the axes


def test_places_of_the_first_axes_are_those_that_api_clients_send(rt):
    offered = [axis.label for axis in axis_options if axis.fits(False)]
    assert [offered[place] for place in (SEED, STEPS, CFG, SEARCH, SAMPLER, CHECKPOINT, CLIP_SKIP)] == [
        "Seed", "Steps", "CFG Scale", "Prompt S/R", "Sampler", "Checkpoint name", "Clip skip"]


NOT_VARIED = {"prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt", "n_iter", "batch_size", "enable_hr", "do_not_save_samples",
              "do_not_save_grid", "disable_extra_networks", "override_settings", "override_settings_restore_afterwards", "styles",
              "firstphase_width", "firstphase_height", "firstpass_image"}
VARIED_BY_MEANING = {"sampler_name": "Sampler", "hr_sampler_name": "Hires sampler", "refiner_checkpoint": "Refiner checkpoint",
                     "tiling": "Tiling", "restore_faces": "Face restore"}


def test_every_parameter_of_a_request_is_an_axis():
    fields = {getattr(axis.apply, "field", None) for axis in axis_options}
    labels = {axis.label for axis in axis_options}
    missing = {field.name for field in TXT2IMG_FIELDS} - fields - NOT_VARIED - VARIED_BY_MEANING.keys()
    assert not missing and set(VARIED_BY_MEANING.values()) <= labels


def test_settings_and_controls_of_scripts_are_axes_too(rt):
    scripts.scripts_txt2img.ensure_controls()
    known = scripts.scripts_txt2img.script(PLOT).current_axis_options
    labels = [axis.label for axis in known]
    assert "[Settings] Emphasis mode" in labels and "[Dynamic Prompts] Most pictures (0 = all)" in labels
    assert len(labels) == len(set(labels))


def test_an_axis_of_a_script_sets_its_control_in_the_cell_alone(rt):
    runner = scripts.scripts_txt2img
    runner.ensure_controls()
    axis = next(axis for axis in runner.script(PLOT).current_axis_options if axis.label.startswith("[Dynamic Prompts] Resolve"))
    p = StableDiffusionProcessingTxt2Img(prompt="x")
    p.script_args = before = runner.default_args()
    axis.apply(p, "False", ["False"])
    script = runner.script("dynamic prompts")
    assert p.script_args[script.args_from] is False and before[script.args_from] is True


def test_names_that_extensions_expect_are_in_the_module(rt):
    module = sys.modules["xyz_grid.py"]
    assert module.axis_options is axis_options and module.Script.__module__ == "xyz_grid.py"
    assert module.AxisOption("Mine", int, module.apply_field("mine")).format_value(None, option("Seed"), 3) == "Seed: 3"


@pytest.mark.parametrize("words, prompt", [(("hat", "cat"), "a hat and cat, cat"), (("cat", "hat"), "a cat and hat, cat")])
def test_prompt_order_puts_words_into_each_others_places(words, prompt):
    assert axes.in_order("a cat and hat, cat", words) == prompt


def test_a_word_that_is_not_in_the_prompt_is_refused():
    with pytest.raises(UserError, match="'dog'"):
        axes.in_order("a cat", ("cat", "dog"))


def test_prompt_search_and_replace_reaches_all_prompts():
    p = StableDiffusionProcessingTxt2Img(prompt="a cat", negative_prompt="ugly cat", hr_prompt="cat, sharp")
    axes.apply_prompt(p, "dog", ["cat", "dog"])
    assert (p.prompt, p.negative_prompt, p.hr_prompt) == ("a dog", "ugly dog", "dog, sharp")


def test_a_combined_sampler_name_says_the_schedule_too():
    p = StableDiffusionProcessingTxt2Img(prompt="x", sampler_name="Euler", scheduler="Simple")
    axes.apply_sampler(p, "dpm2 a karras", [])
    assert (p.sampler_name, p.scheduler) == ("DPM2 a", "Karras")


# order and seeds


def test_values_of_the_costliest_axis_change_least_often():
    plot = plot_of(("Checkpoint name", ["a", "b"]), ("Steps", [1, 2]))
    assert [cell.place[:2] for cell in plot.work()] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    plot = plot_of(("Steps", [1, 2]), ("Checkpoint name", ["a", "b"]))
    assert [cell.place[:2] for cell in plot.work()] == [(0, 0), (1, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize("vary, seeds", [
    ((True, True, True), [100, 101, 102, 103, 104, 105, 106, 107]), ((True, False, False), [100, 101] * 4),
    ((False, True, False), [100, 100, 101, 101] * 2), ((False, False, False), [100] * 8)])
def test_seeds_rise_along_the_axes_that_vary_them(vary, seeds):
    plot = plot_of(("Steps", [1, 2]), ("CFG Scale", [1.0, 2.0]), ("Eta", [0.0, 1.0]), vary_seeds=vary)
    cells = sorted(plot.cells, key=plot.number)
    assert [plot.run_of(place).seed for place in cells] == seeds


def test_a_cell_leaves_the_run_it_was_copied_from_as_it_was(rt):
    plot = plot_of(("Clip skip", [1, 2]), ("Styles", ["a"]))
    one = plot.run_of((1, 0, 0))
    assert one.override_settings == {"CLIP_stop_at_last_layers": 2} and one.styles == ["a"]
    assert plot.p.override_settings == {} and plot.p.styles == []


# jobs


def test_a_plot_shows_its_sheet_and_its_cells_with_their_own_parameters(made):
    job = made(PLOT, arguments((STEPS, "1-2"), (SEED, "5,6")))
    assert facts(job) == [(1, 5), (2, 5), (1, 6), (2, 6)]
    sheet = job.result["images"][0]
    assert sheet["is_grid"] and (sheet["width"], sheet["height"]) == (128, 128)
    expected = 'Script: X/Y/Z plot, X Type: Steps, X Values: 1-2, Y Type: Seed, Y Values: "5,6", Fixed Y Values: "5, 6"'
    assert expected in sheet["infotext"]
    assert "Script" not in job.result["images"][1]["infotext"]


def test_cells_lie_in_the_sheet_where_their_values_are(made):
    job = made(PLOT, arguments((STEPS, "1-2"), (SEED, "5,6")))
    sheet, *cells = [np.asarray(Image.open(image["path"]).convert("RGB")) for image in job.result["images"]]
    for number, cell in enumerate(cells):
        x, y = number % 2 * 64, number // 2 * 64
        assert (sheet[y:y + 64, x:x + 64] == cell).all()


def test_a_failing_cell_shows_its_error_and_the_others_are_made(made):
    job = made(PLOT, arguments((STEPS, "1, 0, 2")))
    assert [steps for steps, _ in facts(job)] == [1, 2] and job.result["images"][0]["width"] == 3 * 64
    [note] = [note for note in job.result["notes"] if "failed" in note]
    assert note.startswith("The cell Steps: 0 failed:")
    sheet = np.asarray(Image.open(job.result["images"][0]["path"]).convert("RGB"))
    assert (sheet[:, 64:128] == (0xfb, 0xe9, 0xe7)).all(axis=2).mean() > 0.5


def test_memory_that_runs_out_in_one_cell_costs_that_cell(made, monkeypatch):
    from modules import processing

    original, runs = processing.process_images, []

    def out_of_memory_in_the_second(p):
        runs.append(p.steps)
        if len(runs) == 2:
            raise MemoryError
        return original(p)

    monkeypatch.setattr(processing, "process_images", out_of_memory_in_the_second)
    job = made(PLOT, arguments((STEPS, "1-3")))
    assert [steps for steps, _ in facts(job)] == [1, 3] and len(job.pictures) == 2
    assert any("not enough memory for 64 x 64 pixels" in note for note in job.result["notes"])


def test_a_sheet_that_cannot_be_drawn_leaves_the_cells(made, monkeypatch):
    monkeypatch.setattr(Plot, "sheets", lambda self, **named: (_ for _ in ()).throw(MemoryError()))
    job = made(PLOT, arguments((STEPS, "1-3"), cells=False))
    assert [steps for steps, _ in facts(job)] == [1, 2, 3]
    assert any(note.startswith("The sheet could not be drawn: there was not enough memory") for note in job.result["notes"])


def test_a_plot_without_any_cell_says_why(made):
    job = made(PLOT, arguments((STEPS, "0")), status="failed")
    assert job.error


def test_an_interrupt_draws_what_is_there(rt, made, monkeypatch):
    from modules import processing

    original, runs = processing.process_images, []

    def stopped_after_two(p):
        runs.append(original(p))
        if len(runs) == 2:
            rt.state.interrupt()
        return runs[-1]

    monkeypatch.setattr(processing, "process_images", stopped_after_two)
    job = made(PLOT, arguments((STEPS, "1-4")), status="interrupted")
    assert facts(job) == [(1, 1), (2, 1)]
    sheet = np.asarray(Image.open(job.result["images"][0]["path"]).convert("RGB"))
    assert sheet.shape == (64, 256, 3) and sheet[:, 128:].min() == 255 > sheet[:, :128].min()


def test_every_finished_cell_is_noted_before_the_plot_ends(made):
    job = made(PLOT, arguments((STEPS, "1-3"), cells=False))
    assert [picture.index for picture in job.pictures] == [0, 1, 2] and len(job.result["images"]) == 1


def test_each_cell_is_saved_and_so_is_the_sheet(rt, made):
    job = made(PLOT, arguments((STEPS, "1-2")), do_not_save_grid=False, do_not_save_samples=False)
    sheet, *cells = job.result["images"]
    assert all(image["saved"] for image in job.result["images"])
    assert "xyz_grid-0000" in sheet["path"] and "txt2img-grids" in sheet["path"] and "txt2img-images" in cells[0]["path"]


def test_a_third_axis_makes_sheets_side_by_side(made):
    job = made(PLOT, arguments((STEPS, "1-2"), (SEED, "5,6"), (CFG, "3,7"), sheets=True, margin=2))
    sizes = [(image["width"], image["height"]) for image in job.result["images"]]
    assert sizes[:3] == [(262, 130), (130, 130), (130, 130)] and len(sizes) == 11
    assert [image["is_grid"] for image in job.result["images"]] == [True] * 3 + [False] * 8


def test_the_second_pass_and_another_checkpoint_work_in_cells(made):
    args = arguments((CHECKPOINT, "tiny-sd1-s1, tiny-sd1-s2"), (STEPS, "1,2"))
    job = made(PLOT, args, enable_hr=True, hr_scale=1.5, hr_upscaler="Latent")
    assert [image["width"] for image in job.result["images"]] == [192, 96, 96, 96, 96]
    models = [image["infotext"].split("Model: ")[1].split(",")[0] for image in job.result["images"][1:]]
    assert models == ["tiny-sd1-s1", "tiny-sd1-s2"] * 2


REFUSED = [
    ((STEPS, "one"), "X values: 'one' is no whole number"),
    ((STEPS, ""), "X values are empty"),
    ((SEARCH, "dog, cow"), "cannot find 'dog'"),
    ((SAMPLER, "Eulr"), "Eulr"),
    ((CHECKPOINT, "nothing"), "There is no checkpoint 'nothing'"),
    ((SEED, "1-10000, 5"), "more than 10,000"),
    (("No such axis", "1"), "is not known"),
]


@pytest.mark.parametrize("x, words", REFUSED)
def test_what_cannot_be_is_refused_before_the_first_picture(made, x, words):
    job = made(PLOT, arguments(x), status="failed")
    assert words in job.error and not job.pictures


def test_more_cells_than_anybody_waits_for_are_refused(made):
    job = made(PLOT, arguments((STEPS, "1-200"), (SEED, "1-200")), status="failed")
    assert "40,000 cells" in job.error


@pytest.mark.parametrize("x, y", [
    ((CFG, "3,7"), (STEPS, "1,2")), ((SAMPLER, "Euler,DPM++ 2M Karras"), (CLIP_SKIP, "1,2")), ((SEARCH, "cat,dog"), (SEED, "1,2"))])
def test_a_cell_can_be_made_again_from_its_own_parameters(rt, made, x, y):
    from modules.generation import replay

    job = made(PLOT, arguments(x, y), do_not_save_samples=False)
    report = replay.replay(rt, Path(job.result["images"][4]["path"]))
    assert report.verdict == "identical", report.why
