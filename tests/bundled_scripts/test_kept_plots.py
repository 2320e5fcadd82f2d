"""Plots on disk: every cell is noted as it is made, a killed plot goes on, a finished one can be added to."""
import json
from pathlib import Path

import pytest
from PIL import Image

from modules import processing, txt2img
from modules.errors import NotFound
from modules.generation.plots import CELLS, Continuation, KeptCell, PlotFolder, all_plots, plot_folder, plot_of_job

PLOT = "X/Y/Z plot"


def args_of(*axes, cells=True, continues="", keep_random=False):
    rows = [*axes, *[("Nothing", "")] * (3 - len(axes))]
    return [*(value for label, text in rows for value in (label, text, [])), False, cells, False, keep_random, False, False, False, 0, True,
            continues]


def steps_of(job):
    return [int(image["infotext"].split("Steps: ")[1].split(",")[0]) for image in job.result["images"] if not image["is_grid"]]


def test_a_plot_is_kept_with_its_axes_and_cells(rt, made):
    job = made(PLOT, args_of(("Steps", "1-3"), ("Seed", "5,6")))
    plot = plot_of_job(rt, job)
    kept, cells = plot.description(), plot.cells()
    assert [(axis.label, axis.titles) for axis in kept.axes] == [
        ("Steps", ["Steps: 1", "Steps: 2", "Steps: 3"]), ("Seed", ["Seed: 5", "Seed: 6"]), ("Nothing", [""])]
    assert kept.cell_count == len(cells) == 6 and all(Path(cell.path).is_file() for cell in cells.values())
    assert "Steps: 2" in cells[1, 0, 0].infotext and cells[0, 1, 0].seed == 6
    assert all_plots(rt)[0].id == plot.id


def test_a_failed_cell_is_kept_with_its_error(rt, made):
    plot = plot_of_job(rt, made(PLOT, args_of(("Steps", "1,0,2"))))
    assert [bool(plot.cells()[x, 0, 0].path) for x in range(3)] == [True, False, True] and plot.cells()[1, 0, 0].problem


def test_pictures_that_are_saved_are_not_copied(rt, made):
    plot = plot_of_job(rt, made(PLOT, args_of(("Steps", "1,2")), do_not_save_samples=False))
    assert all("txt2img-images" in cell.path for cell in plot.cells().values()) and not list(plot.folder.glob("*.png"))


def test_a_cut_line_costs_its_cell_alone(tmp_path):
    plot = PlotFolder(tmp_path)
    plot.add(KeptCell(place=(0, 0, 0), path="a"))
    with open(tmp_path / CELLS, "ab") as file:
        file.write(b'{"place": [1, 0')
    assert list(plot.cells()) == [(0, 0, 0)]
    plot.add(KeptCell(place=(2, 0, 0), path="c"))
    assert list(plot.cells()) == [(0, 0, 0), (2, 0, 0)]


def test_only_what_is_new_is_read_again(tmp_path):
    plot = PlotFolder(tmp_path)
    plot.add(KeptCell(place=(0, 0, 0), path="a"))
    _, end = plot.lines()
    plot.add(KeptCell(place=(1, 0, 0), path="b"))
    assert [cell.place for cell in plot.lines(end)[0]] == [(1, 0, 0)]


def continued(rt, plot, *axes, places=()):
    """A further job for a kept plot, as the page asks for it."""
    kept = plot.description()
    args = args_of(*axes, continues=Continuation(plot=plot.id, places=places).written())
    request = kept.request | {"scripts": {"selected": PLOT, "args": {PLOT: args}}}
    job = rt.queue.submit(kept.kind, request, kept.settings, owner=kept.owner)
    assert job.wait(120)
    return job


def test_one_cell_is_made_again_and_the_sheet_has_all(rt, made):
    plot = plot_of_job(rt, made(PLOT, args_of(("Steps", "1-3")), seed=-1))
    before = plot.cells()
    job = continued(rt, plot, ("Steps", "1-3"), places=((1, 0, 0),))
    assert job.status == "done", job.error
    after = plot.cells()
    assert len(job.pictures) == 1 and job.result["images"][0]["width"] == 3 * 64 and steps_of(job) == [1, 2, 3]
    assert after[1, 0, 0].time > before[1, 0, 0].time and after[0, 0, 0] == before[0, 0, 0]
    assert Image.open(after[1, 0, 0].path).tobytes() == Image.open(before[1, 0, 0].path).tobytes()  # the drawn seed is kept
    assert plot_of_job(rt, job).id == plot.id


def test_an_extended_axis_makes_the_new_cells_alone(rt, made):
    plot = plot_of_job(rt, made(PLOT, args_of(("Steps", "1,2"), ("Seed", "-1,-1"))))
    seeds = plot.description().axes[1].text
    job = continued(rt, plot, ("Steps", "1,2,3"), ("Seed", seeds))
    assert job.status == "done" and len(job.pictures) == 2 and len(plot.cells()) == 6 and plot.description().version == 2
    assert job.result["images"][0]["width"] == 3 * 64


@pytest.mark.parametrize("axes", [[("Steps", "2,3")], [("Steps", "1")], [("CFG Scale", "1,2")]])
def test_values_that_are_there_stay(rt, made, axes):
    plot = plot_of_job(rt, made(PLOT, args_of(("Steps", "1,2"))))
    job = continued(rt, plot, *axes)
    assert job.status == "failed" and "X axis cannot be changed like that" in job.error and len(plot.cells()) == 2


def test_a_plot_of_somebody_else_cannot_be_added_to(rt, made):
    plot = plot_of_job(rt, made(PLOT, args_of(("Steps", "1,2"))))
    request = plot.description().request | {"scripts": {"selected": PLOT, "args": {PLOT: args_of(
        ("Steps", "1,2"), continues=Continuation(plot=plot.id).written())}}}
    job = rt.queue.submit("txt2img", request, {}, owner="eve")
    assert job.wait(60) and job.status == "failed" and "somebody else" in job.error


def test_a_stopped_plot_goes_on_with_the_cells_that_are_missing(rt, made, monkeypatch):
    original, runs = processing.process_images, []

    def killed_after_two(p):
        if len(runs) == 2:
            rt.state.interrupt()
        runs.append(p.steps)
        return original(p)

    monkeypatch.setattr(processing, "process_images", killed_after_two)
    job = made(PLOT, args_of(("Steps", "1-4"), ("Seed", "-1")), status="interrupted", seed=-1)
    plot = plot_of_job(rt, job)
    assert len(plot.cells()) == 2
    monkeypatch.undo()
    again = continued(rt, plot, ("Steps", "1-4"), ("Seed", plot.description().axes[1].text))
    assert again.status == "done" and steps_of(again) == [1, 2, 3, 4] and len({cell.seed for cell in plot.cells().values()}) == 1


def test_the_same_job_run_again_after_a_restart_makes_what_is_missing(rt, made):
    job = made(PLOT, args_of(("Steps", "1-3"), ("Seed", "-1,-1")), seed=-1)
    plot, pictures = plot_of_job(rt, job), list(job.pictures)
    lines = (plot.folder / CELLS).read_bytes().splitlines(keepends=True)
    (plot.folder / CELLS).write_bytes(b"".join(lines[:-2]))
    seeds = {cell.seed for cell in plot.cells().values()}
    with rt.queue.turn:
        rt.queue._current = job
        try:
            result = txt2img.run(job, rt.state)
        finally:
            rt.queue._current = None
    assert len(job.pictures) == len(pictures) + 2 and job.pictures[:len(pictures)] == pictures
    assert len(plot.cells()) == 6 and {cell.seed for cell in plot.cells().values()} == seeds and len(result["images"]) == 7


@pytest.mark.parametrize("name", ["../x", "", "a/b", "x" * 90])
def test_a_name_that_leads_elsewhere_is_no_plot(rt, name):
    with pytest.raises(NotFound):
        plot_folder(rt, name)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"places": []}), json.dumps({"plot": "a", "places": [[1]]})])
def test_what_cannot_be_read_as_a_continuation_is_refused(made, text):
    assert "cannot be read" in made(PLOT, args_of(("Steps", "1"), continues=text), status="failed").error
