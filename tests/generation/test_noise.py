"""The random numbers of a batch: the recorded ones, whatever the batch."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from modules.generation.noise import NoiseSource, placed, slerp
from modules.generation.philox import PhiloxGenerator

GOLDENS = Path(__file__).parents[1] / "goldens"
FACTS = json.loads((GOLDENS / "rng.json").read_text())
ARRAYS = np.load(GOLDENS / "rng.npz")


def made(case, **changes) -> NoiseSource:
    settings = case | changes
    return NoiseSource(settings["shape"], settings["seeds"], settings["subseeds"], settings["subseed_strength"],
                       (settings["seed_resize_from_w"], settings["seed_resize_from_h"]), settings["randn_source"],
                       settings["eta_noise_seed_delta"])


@pytest.mark.parametrize("case", FACTS["cases"], ids=lambda case: case["name"])
def test_noise_equals_the_recorded_one(case):
    noise = made(case)
    for name, got in (("first", noise.first()), ("next1", noise.next()), ("next2", noise.next())):
        np.testing.assert_allclose(got.numpy(), ARRAYS[f"{case['name']}.{name}"], atol=1e-4)


def test_philox_gives_the_recorded_numbers():
    generator = PhiloxGenerator(0)
    np.testing.assert_allclose(generator.normal((8,)), FACTS["philox_seed0_first8"], atol=1e-6)
    np.testing.assert_allclose(generator.normal((2, 4)).ravel(), FACTS["philox_seed0_second8"], atol=1e-6)


@pytest.mark.parametrize("source", ["CPU", "GPU", "NV"])
def test_noise_of_a_picture_is_the_same_bytes_alone_and_in_a_batch(source):
    settings = {"subseeds": [7, 8, 9], "subseed_strength": 0.3, "source": source}
    together = NoiseSource((4, 9, 7), [21, 22, 23], **settings)
    firsts, laters = together.first(), [together.next(), together.next()]
    for i in range(3):
        alone = NoiseSource((4, 9, 7), [21 + i], subseeds=[7 + i], subseed_strength=0.3, source=source)
        assert torch.equal(alone.first()[0], firsts[i])
        assert all(torch.equal(alone.next()[0], later[i]) for later in laters)


def test_the_first_request_is_the_start_noise_whoever_asks():
    assert torch.equal(NoiseSource((4, 8, 8), [5]).next(), NoiseSource((4, 8, 8), [5]).first())


def test_an_eta_delta_changes_the_later_noise_alone():
    plain, shifted = NoiseSource((4, 8, 8), [5]), NoiseSource((4, 8, 8), [5], eta_noise_seed_delta=31337)
    assert torch.equal(plain.first(), shifted.first())
    assert torch.equal(shifted.next(), NoiseSource((4, 8, 8), [5 + 31337]).first())


def test_full_variation_strength_is_the_noise_of_the_variation_seed():
    got = NoiseSource((4, 8, 8), [1], subseeds=[2], subseed_strength=1.0).first()
    torch.testing.assert_close(got, NoiseSource((4, 8, 8), [2]).first(), atol=1e-5, rtol=0)


def test_a_chain_of_variations_applies_each_in_turn():
    n = {seed: NoiseSource((4, 8, 8), [seed]).first()[0] for seed in (1, 2, 3)}
    chain = NoiseSource((4, 8, 8), [1], subseeds=[2], subseed_strength=0.3, more_variations=[(3, 0.2)]).first()[0]
    torch.testing.assert_close(chain, slerp(0.2, slerp(0.3, n[1], n[2]), n[3]))


def test_arcs_keep_the_length_of_columns_and_equal_noise_stays_itself():
    low, high = (torch.nn.functional.normalize(torch.randn(4, 8, 6), dim=1) for _ in range(2))
    torch.testing.assert_close(slerp(0.37, low, high).norm(dim=1), torch.ones(4, 6), atol=1e-4, rtol=0)
    assert torch.isfinite(slerp(0.5, low, low)).all()


def test_nearly_parallel_noise_is_mixed_towards_the_second():
    low = torch.randn(4, 8, 8)
    high = low * 1.5
    torch.testing.assert_close(slerp(0.25, low, high), low * 1.125)


@pytest.mark.parametrize("old, new", [((4, 8, 8), (4, 16, 12)), ((4, 16, 12), (4, 8, 8)), ((4, 8, 16), (4, 16, 8)), ((4, 9, 7), (4, 8, 8))])
def test_noise_of_another_size_lies_in_the_middle(old, new):
    noise, canvas = torch.randn(old), torch.zeros(new)
    got = placed(noise, canvas)
    assert got.shape == canvas.shape and not canvas.any()
    kept = [min(a, b - (b - a) % 2 if b < a else b) for a, b in zip(old[1:], new[1:])]
    assert got.count_nonzero().item() == 4 * kept[0] * kept[1]


def test_the_paths_of_a_cpu_source_lie_on_the_cpu_and_nv_brings_its_own_numbers():
    assert NoiseSource((4, 8, 8), [5]).generator_device == torch.device("cpu")
    nv = NoiseSource((4, 8, 8), [5], source="NV")
    assert nv.normal is not None and NoiseSource((4, 8, 8), [5]).normal is None
    np.testing.assert_array_equal(nv.normal(5, (4, 8, 8)).numpy(), nv.first()[0].numpy())
