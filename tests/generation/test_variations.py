"""A chain of variations: the noise is turned by each in turn, the infotext has it, and replay makes the same picture."""
import numpy as np
import pytest
from PIL import Image

from modules import txt2img
from modules.errors import RequestError
from modules.generation import replay
from modules.generation.seeds import variation_chain

BASE = {"prompt": "a lamp", "steps": 3, "width": 64, "height": 64, "seed": 1}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


def made(rt, **values):
    job = txt2img.submit(rt, {**BASE, **values})
    assert job.wait(120) and job.status == "done", job.error
    return job.result["images"][0]


def pixels(entry):
    return np.asarray(Image.open(entry["path"]), dtype=int)


def test_the_first_part_of_a_chain_is_what_a_variation_seed_does(runtime):
    assert np.array_equal(pixels(made(runtime, variations="2:0.3")), pixels(made(runtime, subseed=2, subseed_strength=0.3)))
    assert np.abs(pixels(made(runtime, variations="2:0")) - pixels(made(runtime))).max() <= 1  # the arc is computed all the same


def test_each_part_goes_on_from_the_one_before(runtime):
    chained = made(runtime, subseed=2, subseed_strength=0.3, variations="3:0.2, 4:0.1")
    assert np.array_equal(pixels(chained), pixels(made(runtime, variations="2:0.3, 3:0.2, 4:0.1")))
    assert np.abs(pixels(chained) - pixels(made(runtime, variations="2:0.3"))).max() > 0
    for said in ('Variation chain: "3:0.2, 4:0.1"', "Variation seed: 2, Variation seed strength: 0.3"):
        assert said in chained["infotext"]


def test_a_picture_with_a_chain_is_made_again_the_same(runtime):
    from pathlib import Path

    assert replay.replay(runtime, Path(made(runtime, variations="2:0.3, 3:0.2")["path"])).verdict == "identical"


@pytest.mark.parametrize(("text", "chain"), [("", []), (" 12 : 0.25 ,", [(12, 0.25)]), ("1:1, 2:0", [(1, 1.0), (2, 0.0)])])
def test_a_chain_is_read_from_its_text(text, chain):
    assert variation_chain(text) == chain


@pytest.mark.parametrize("text", ["12", "a:0.1", "1:2", "1:-0.1", "1:0.1;2:0.2", ", ".join(["1:0.1"] * 51)])
def test_what_is_no_chain_is_refused_before_a_job_exists(runtime, text):
    with pytest.raises(RequestError) as refused:
        txt2img.submit(runtime, {**BASE, "variations": text})
    assert refused.value.field == "variations"
