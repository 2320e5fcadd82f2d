"""Merged checkpoints: the recorded results, the formulas, and what a merge never does."""
import io
import json
import math
from pathlib import Path

import pytest
import tiny_model
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from modules.checkpoints.merge import BLOCKS, FIRST_CONVOLUTION, Recipe, curved, kind_of, multiplier_of, write_merged
from modules.errors import UserError

CASES = json.loads((tiny_model.GOLDENS / "merge.json").read_text())
CHECKPOINTS = {"tiny-sd1-s1": 1, "tiny-sd1-s2": 2}


def merged(folder: Path, recipe: Recipe, **further):
    path = folder / "merged.safetensors"
    with path.open("wb") as file:
        write_merged(file, recipe, **further)
    return path


def checkpoint(name):
    return tiny_model.tiny_checkpoint(CHECKPOINTS[name]) if name else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_merge_equals_the_recorded_one(case, tmp_path):
    path = merged(tmp_path, Recipe(
        primary=checkpoint(case["primary"]), secondary=checkpoint(case["secondary"]), tertiary=checkpoint(case["tertiary"]),
        method=case["method"], multiplier=case["multiplier"], half=case["half"], discard=case["discard_weights"]))
    tensors = load_file(path)
    assert len(tensors) == case["keys"]
    assert sorted({str(tensor.dtype) for tensor in tensors.values()}) == sorted(case["dtypes"])
    assert ("betas" in tensors) == case["betas_present"]
    for name, probe in case["probe"].items():
        values = tensors[name].float()
        assert list(values.shape) == probe["shape"]
        assert values.mean().item() == pytest.approx(probe["mean"], abs=1e-7)
        assert values.std().item() == pytest.approx(probe["std"], rel=1e-5)
        assert torch.allclose(values.flatten()[:8], torch.tensor(probe["first8"]), atol=1e-6)


@pytest.fixture
def three(tmp_path):
    """Three small files with a U-Net, a text encoder and a table each."""
    paths = []
    for number in range(3):
        generator = torch.Generator().manual_seed(number)
        random = lambda *shape, generator=generator: torch.randn(*shape, generator=generator)
        tensors = {FIRST_CONVOLUTION: random(8, 4, 3, 3), "model.diffusion_model.middle_block.0.weight": random(5),
                   "model.diffusion_model.output_blocks.3.0.weight": random(5), "cond_stage_model.transformer.text_model.x": random(3),
                   "first_stage_model.y": random(4), "betas": torch.linspace(0, 1, 5) + number,
                   "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(7)[None]}
        paths.append(tmp_path / f"{number}.safetensors")
        save_file(tensors, paths[-1])
    return paths


def test_add_difference_is_a_plus_m_times_b_minus_c(three, tmp_path):
    a, b, c = (load_file(path) for path in three)
    result = load_file(merged(tmp_path, Recipe(
        primary=three[0], secondary=three[1], tertiary=three[2], method="Add difference", multiplier=0.7)))
    for name in a:
        expected = a[name] + 0.7 * (b[name] - c[name]) if "model" in name and "position" not in name else a[name]
        assert torch.allclose(result[name], expected, atol=1e-6), name


def test_block_weights_are_the_multipliers_of_their_blocks(three, tmp_path):
    weights = [0.0] * (BLOCKS + 1)
    weights[0], weights[13], weights[14 + 3] = 0.25, 1.0, 0.5  # everything else, MID, OUT03
    result = load_file(merged(tmp_path, Recipe(primary=three[0], secondary=three[1], block_weights=tuple(weights))))
    a, b = load_file(three[0]), load_file(three[1])
    assert torch.equal(result[FIRST_CONVOLUTION], a[FIRST_CONVOLUTION])
    assert torch.equal(result["model.diffusion_model.middle_block.0.weight"], b["model.diffusion_model.middle_block.0.weight"])
    name = "model.diffusion_model.output_blocks.3.0.weight"
    assert torch.allclose(result[name], (a[name] + b[name]) / 2)
    assert torch.allclose(result["first_stage_model.y"], 0.75 * a["first_stage_model.y"] + 0.25 * b["first_stage_model.y"])


def test_the_curves_are_inverse_to_each_other_and_keep_the_ends():
    for number in (0.0, 0.2, 0.5, 0.9, 1.0):
        assert curved(curved(number, "Sigmoid"), "Inverse sigmoid") == pytest.approx(number, abs=1e-12)
    assert curved(0.3, "Sigmoid") == pytest.approx(0.3**2 * (3 - 0.6)) and curved(0.3, "Linear") == 0.3
    assert math.isclose(multiplier_of(Recipe(primary=Path("a"), secondary=Path("b"), curve="Sigmoid"), "betas"), 0.216)


def test_an_inpainting_model_keeps_its_further_channels(three, tmp_path):
    tensors = load_file(three[0])
    wide = torch.randn(8, 9, 3, 3)
    save_file({**tensors, FIRST_CONVOLUTION: wide}, tmp_path / "wide.safetensors")
    recipe = Recipe(primary=tmp_path / "wide.safetensors", secondary=three[1], multiplier=0.5)
    result = load_file(merged(tmp_path, recipe))[FIRST_CONVOLUTION]
    assert torch.equal(result[:, 4:], wide[:, 4:]) and kind_of(recipe) == "inpainting"
    assert torch.allclose(result[:, :4], (wide[:, :4] + load_file(three[1])[FIRST_CONVOLUTION]) / 2)
    with pytest.raises(UserError, match="inpainting model and A is not"):
        merged(tmp_path, Recipe(primary=three[1], secondary=tmp_path / "wide.safetensors"))


def test_a_vae_file_is_baked_in_and_weights_are_discarded_by_name(three, tmp_path):
    save_file({"y": torch.full((4,), 7.0)}, tmp_path / "vae.safetensors")
    result = load_file(merged(tmp_path, Recipe(
        primary=three[0], method="No interpolation", vae=tmp_path / "vae.safetensors", discard="^betas|position", half=True)))
    assert torch.equal(result["first_stage_model.y"], torch.full((4,), 7.0, dtype=torch.float16))
    assert "betas" not in result and not any("position" in name for name in result)


def test_metadata_is_written_and_any_reader_opens_the_file(three, tmp_path):
    path = merged(tmp_path, Recipe(primary=three[0], secondary=three[1], metadata={"format": "pt", "sd_merge_recipe": "é\"{}"}))
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt", "sd_merge_recipe": "é\"{}"}


def test_progress_counts_tensors_and_can_stop_the_merge(three):
    seen = []

    def progress(done, of):
        seen.append((done, of))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_merged(io.BytesIO(), Recipe(primary=three[0], secondary=three[1]), progress)
    assert seen == [(0, 7), (1, 7), (2, 7)]


@pytest.mark.parametrize(("values", "sentence"), [
    ({"secondary": None}, "needs a secondary"),
    ({"method": "Add difference"}, "needs a tertiary"),
    ({"block_weights": (0.5,) * 7}, "25 or 26"),
    ({"discard": "("}, "no regular expression"),
    ({"multiplier": math.nan}, "must be a number"),
])
def test_a_recipe_that_cannot_be_is_refused_with_a_sentence(values, sentence):
    with pytest.raises(UserError, match=sentence):
        Recipe(**{"primary": Path("a"), "secondary": Path("b"), **values})


def test_files_without_a_common_tensor_are_refused(three, tmp_path):
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="no tensor in common"):
        merged(tmp_path, Recipe(primary=three[0], secondary=tmp_path / "other.safetensors"))


@pytest.mark.parametrize("place", ["cond_stage_model", "conditioner.embedders.0"])
def test_text_encoders_are_merged_though_one_file_leaves_a_level_out_of_their_names(tmp_path, place):
    long, short = f"{place}.transformer.text_model.encoder.x", f"{place}.transformer.encoder.x"
    positions = f"{place}.transformer.text_model.embeddings.position_ids"
    save_file({long: torch.zeros(3), positions: torch.arange(3.0)}, tmp_path / "a.safetensors")
    save_file({short: torch.ones(3), positions: torch.zeros(3)}, tmp_path / "b.safetensors")
    for first, second, name, share in (("a", "b", long, 0.25), ("b", "a", short, 0.75)):
        recipe = Recipe(primary=tmp_path / f"{first}.safetensors", secondary=tmp_path / f"{second}.safetensors", multiplier=0.25)
        result = load_file(merged(tmp_path, recipe))
        assert torch.allclose(result[name], torch.full((3,), share))
        assert torch.equal(result[positions], load_file(recipe.primary)[positions])
