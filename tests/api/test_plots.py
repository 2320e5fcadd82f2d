"""/internal/plots: the grid of a plot as it fills, pictures, cells made again, further values, and files to give away."""
import io
import json
import zipfile

import pytest
import tiny_model
from PIL import Image
from runtime_parts import running
from starlette.testclient import TestClient

from modules import txt2img
from modules.api.app import build_api_app
from modules.generation.plots import plot_of_job

PLOT = "X/Y/Z plot"
REQUEST = {"prompt": "a <b>cat</b>", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler", "do_not_save_grid": True,
           "do_not_save_samples": True}
URL = "/internal/plots"


@pytest.fixture(scope="module")
def rt(tmp_path_factory):
    with running(tiny_model.make_data_dir(tmp_path_factory.mktemp("plots") / "data"), "--api") as rt:
        rt.settings.set("sd_model_checkpoint", rt.checkpoints.find("tiny-sd1-s1").title)
        yield rt


@pytest.fixture(scope="module")
def client(rt):
    with TestClient(build_api_app(rt), base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as client:
        yield client


def plotted(rt, *axes, owner=""):
    """The id of a finished plot."""
    rows = [*axes, *[("Nothing", "")] * (3 - len(axes))]
    args = [*(value for label, text in rows for value in (label, text, [])), True, False, False, False, False, False, False, 0, True, ""]
    job = txt2img.submit(rt, REQUEST | {"scripts": {"selected": PLOT, "args": {PLOT: args}}}, owner=owner)
    assert job.wait(60) and job.status == "done", job.error
    return plot_of_job(rt, job).id


@pytest.fixture(scope="module")
def plot(rt):
    return plotted(rt, ("Steps", "1,0,2"), ("Seed", "5,6"))


def waited(rt, answer):
    job = rt.queue.get(answer.json()["id"])
    assert job.wait(60)
    return job


def test_the_grid_has_axes_and_cells_with_pictures_or_errors(client, plot):
    answer = client.get(f"{URL}/{plot}").json()
    assert [(axis["label"], len(axis["titles"])) for axis in answer["axes"]] == [("Steps", 3), ("Seed", 2), ("Nothing", 1)]
    cells = {tuple(cell["place"]): cell for cell in answer["cells"]}
    assert len(cells) == 6 and cells[1, 0, 0]["problem"] and not cells[1, 0, 0]["url"] and cells[2, 1, 0]["size"] == [64, 64]
    assert answer["jobs"] == []


def test_a_page_that_asks_again_is_told_only_what_is_new(client, plot):
    first = client.get(f"{URL}/{plot}").json()
    again = client.get(f"{URL}/{plot}", params={"after": first["after"], "version": first["version"]}).json()
    assert again["cells"] == [] and "axes" not in again and again["after"] == first["after"]


def test_a_cell_tells_its_parameters_and_its_picture_comes_in_two_sizes(client, plot):
    assert "Steps: 2" in client.get(f"{URL}/{plot}/cell/2-0-0").json()["infotext"]
    whole, small = (client.get(f"{URL}/{plot}/picture/2-0-0", params=params) for params in ({}, {"side": 128}))
    assert Image.open(io.BytesIO(whole.content)).size == (64, 64) and small.headers["content-type"] == "image/webp"
    for place in ("9-9-9", "1-0-0", "x", "1-2", "-1-0-0"):
        assert client.get(f"{URL}/{plot}/picture/{place}").status_code == 404, place


def test_the_plot_of_a_job_is_found_and_others_have_none(rt, client, plot):
    job = next(job for job in rt.queue.recent() if plot_of_job(rt, job))
    assert client.get(f"{URL}/of-job/{job.id}").json()["plot"]
    assert client.get(f"{URL}/of-job/nothing").json() == {"plot": None}


def test_plots_are_listed_with_what_is_made_of_them(client, plot):
    listed = {each["id"]: each for each in client.get(URL).json()["plots"]}
    assert (listed[plot]["cells"], listed[plot]["made"], listed[plot]["failed"]) == (6, 4, 2)
    assert listed[plot]["axes"] == [{"label": "Steps", "count": 3}, {"label": "Seed", "count": 2}]


def test_a_cell_is_made_again(rt, client, plot):
    before = client.get(f"{URL}/{plot}").json()["after"]
    job = waited(rt, client.post(f"{URL}/{plot}/cells", json={"places": [[2, 1, 0]]}))
    assert job.status == "done", job.error
    [cell] = client.get(f"{URL}/{plot}", params={"after": before}).json()["cells"]
    assert cell["place"] == [2, 1, 0]


def test_an_axis_is_extended(rt, client):
    plot = plotted(rt, ("Steps", "1,2"))
    job = waited(rt, client.post(f"{URL}/{plot}/extend", json={"axis": "X", "values": "3-4"}))
    answer = client.get(f"{URL}/{plot}").json()
    assert job.status == "done" and len(job.pictures) == 2 and len(answer["axes"][0]["titles"]) == len(answer["cells"]) == 4


@pytest.mark.parametrize("axis, values, sentence", [
    ("X", "many", "is no whole number"), ("X", "1-20000", "more than 10,000"), ("X", "  ", "no values to add"), ("W", "1", "")])
def test_values_that_cannot_be_added_are_told_before_there_is_a_job(rt, client, plot, axis, values, sentence):
    jobs = len(rt.queue.recent())
    answer = client.post(f"{URL}/{plot}/extend", json={"axis": axis, "values": values})
    assert answer.status_code in (400, 422) and sentence in str(answer.json()["detail"]) and len(rt.queue.recent()) == jobs


def test_a_plot_leaves_as_a_picture_a_page_and_an_archive(client, plot):
    export = lambda form, **params: client.get(f"{URL}/{plot}/export/{form}", params=params).content
    wide, high = (Image.open(io.BytesIO(export("png", transposed=turned))).size for turned in (False, True))
    assert wide[0] > wide[1] and high[0] < high[1] + 64
    narrow = Image.open(io.BytesIO(export("png", hidden="x1,x2")))
    assert narrow.width < wide[0]
    page = export("html").decode()
    assert page.count("data:image/webp") == 4 and "<b>cat" not in page and "&lt;b&gt;cat" in page and "<script" not in page
    archive = zipfile.ZipFile(io.BytesIO(export("zip", hidden="y1")))
    assert {"plot.png", "index.html", "plot.json", "cells/0-0-0.png", "cells/2-0-0.png"} == set(archive.namelist())
    assert len(json.loads(archive.read("plot.json"))["cells"]) == 2


def test_a_deleted_plot_is_gone(rt, client):
    plot = plotted(rt, ("Steps", "1"))
    assert client.post(f"{URL}/{plot}/delete", json={}).status_code == 200
    assert client.get(f"{URL}/{plot}").status_code == 404 and plot not in str(client.get(URL).json())


@pytest.mark.parametrize("name", ["nothing", "..%2F..", "x" * 200])
def test_what_is_no_plot_is_not_found(client, name):
    assert client.get(f"{URL}/{name}").status_code == 404


def test_plots_of_others_are_not_seen(rt, client, plot, monkeypatch):
    from modules.api import plots
    from modules.api.own_queue import Viewer

    monkeypatch.setattr(plots, "viewer_of", lambda request: Viewer(user="eve", is_admin=False))
    assert client.get(URL).json()["plots"] == [] and client.get(f"{URL}/{plot}").status_code == 404
    assert client.post(f"{URL}/{plot}/delete", json={}).status_code == 404
