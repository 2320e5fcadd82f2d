"""<hypernet:...> in prompts changes pictures by its multiplier, and nothing beyond the job."""
import numpy as np
import pytest
import torch
from PIL import Image

from modules import txt2img
from modules.extra_networks import extra_network_registry

REQUEST = {"prompt": "a red cube", "steps": 2, "width": 64, "height": 64, "seed": 5, "sampler_name": "Euler", "do_not_save_grid": True}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


def made(runtime, tag="", **changes):
    """The pixels and the notes of a small job with this tag in its prompt."""
    job = txt2img.submit(runtime, {**REQUEST, "prompt": "a red cube" + tag, **changes}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return np.asarray(Image.open(job.result["images"][0]["path"]).convert("RGB")).astype(int), job.result["notes"]


@pytest.fixture
def hypernetwork(runtime):
    """A file with networks for the texts of the tiny model, whose second layers double what the first ones keep."""
    torch.manual_seed(0)
    plain, _ = made(runtime)
    width = runtime.models.current.architecture.unet.context_dim
    states = [{"linear.0.weight": torch.randn(width, width), "linear.0.bias": torch.randn(width),
               "linear.1.weight": 2 * torch.eye(width), "linear.1.bias": torch.zeros(width)} for _ in range(2)]
    torch.save({width: tuple(states), "layer_structure": [1, 1, 1]}, runtime.folders.hypernetworks / "odd.pt")
    return plain


def test_a_hypernetwork_changes_the_picture_by_its_multiplier_and_is_gone_after_the_job(runtime, hypernetwork):
    whole, notes = made(runtime, "<hypernet:odd:1>")
    assert notes == [] and not np.array_equal(whole, hypernetwork)
    assert np.array_equal(made(runtime, "<hypernet:odd>")[0], whole)
    assert np.array_equal(made(runtime, "<hypernet:odd:0>")[0], hypernetwork)
    assert not np.array_equal(made(runtime, "<hypernet:odd:0.5>")[0], whole)
    assert np.array_equal(made(runtime)[0], hypernetwork)


@pytest.mark.parametrize("tag, note", [
    ("<hypernet:missing:1>", 'There is no hypernetwork "missing".'),
    ("<hypernet:odd:much>", "<hypernet:odd:much> was left out: its weight must be a number.")])
def test_tags_that_cannot_be_followed_are_noted_and_change_nothing(runtime, hypernetwork, tag, note):
    picture, notes = made(runtime, tag)
    assert np.array_equal(picture, hypernetwork) and len(notes) == 1 and notes[0].startswith(note)


def test_a_refiner_works_with_the_hypernetwork_too(runtime, hypernetwork):
    refined = {"refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5}
    with_refiner, _ = made(runtime, "<hypernet:odd:1>", **refined)
    model = runtime.models.current
    assert model.checkpoint.name.startswith("tiny-sd1-s2")
    assert not any(module._forward_pre_hooks for module in model.modules())
    only_first = with_hypernetwork_in_the_first_half(runtime, refined)
    assert not np.array_equal(with_refiner, only_first)


def with_hypernetwork_in_the_first_half(runtime, refined):
    """The picture where the refiner is left without the hypernetwork."""
    network = extra_network_registry["hypernet"]
    taken = []
    network.apply_to = lambda p: taken.append(p) if taken else (taken.append(p), type(network).apply_to(network, p))
    try:
        return made(runtime, "<hypernet:odd:1>", **refined)[0]
    finally:
        del network.apply_to
