"""LoRA files of kohya's form change the weights that they name, by up @ down * alpha / rank."""
import random

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.checkpoints.loading import load_model
from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound
from modules.hardware import Hardware, HardwareOptions
from modules.networks.block_weights import block_factors
from modules.networks.key_names import diffusers_name, kohya_names
from modules.networks.kinds import KINDS, QUALIFIERS
from modules.networks.lora import LoraCatalog, LoraUse, deltas, read_lora
from modules.networks.patching import patched

CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))
LINEAR = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
KEYS = {"up": "lora_up.weight", "down": "lora_down.weight", "mid": "lora_mid.weight", "a1": "a1.weight", "a2": "a2.weight",
        "b1": "b1.weight", "b2": "b2.weight"}
LINEAR_PARAMETER = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    return load_model(tiny_checkpoint(1), CPU)


@pytest.fixture(scope="module")
def tinylora(goldens):
    return goldens / "tiny-model" / "tinylora.safetensors"


def write_lora(path, module, up, down, **rest):
    save_file({f"{module}.lora_up.weight": up, f"{module}.lora_down.weight": down,
               **{f"{module}.{key.replace('mid', 'lora_mid.weight')}": value for key, value in rest.items()}}, path)
    return read_lora(path)


def change(model, parameter, *uses):
    before = model.get_parameter(parameter).clone()
    found, notes = deltas(model, uses)
    assert not notes
    with patched(model, found):
        return model.get_parameter(parameter) - before


def test_hash_is_the_one_that_infotexts_name(tinylora):
    assert read_lora(tinylora).hash12 == "f67b8c7bbc6d"


def test_every_part_of_a_kohya_file_finds_its_weight(model, tinylora):
    found, notes = deltas(model, [LoraUse(lora=read_lora(tinylora))])
    assert len(found) == 38 and not notes


def test_change_is_the_product_of_the_matrices_times_alpha_over_rank(model, tinylora):
    stored = load_file(tinylora)
    expected = stored[LINEAR + ".lora_up.weight"] @ stored[LINEAR + ".lora_down.weight"] * (2.0 / 4) * 0.5
    made = change(model, LINEAR_PARAMETER, LoraUse(lora=read_lora(tinylora), unet_multiplier=0.5))
    assert torch.allclose(made, expected, atol=1e-6) and expected.abs().max() > 1e-3


def test_several_loras_add_up(model, tinylora):
    lora = read_lora(tinylora)
    once = change(model, LINEAR_PARAMETER, LoraUse(lora=lora))
    twice = change(model, LINEAR_PARAMETER, LoraUse(lora=lora), LoraUse(lora=lora, unet_multiplier=-3.0))
    assert torch.allclose(twice, -2 * once, atol=1e-6)


def test_blocks_may_have_strengths_of_their_own(model, tinylora):
    lora, plain = read_lora(tinylora), LoraUse(lora=read_lora(tinylora))
    only_first = block_factors("0,1" + ",0" * 15)
    found, _ = deltas(model, [LoraUse(lora=lora, blocks=only_first)])
    assert found and all(name.startswith("model.diffusion_model.input_blocks.1.") for name in found)
    half = change(model, LINEAR_PARAMETER, LoraUse(lora=lora, blocks=block_factors("0,0.5" + ",0" * 15)))
    assert torch.allclose(half, change(model, LINEAR_PARAMETER, plain) / 2, atol=1e-6)
    only_text, _ = deltas(model, [LoraUse(lora=lora, blocks=block_factors("1" + ",0" * 16))])
    assert only_text and all(name.startswith("cond_stage_model.") for name in only_text)


def test_text_and_unet_strengths_are_separate(model, tinylora):
    only_text, _ = deltas(model, [LoraUse(lora=read_lora(tinylora), unet_multiplier=0.0)])
    assert only_text and all(name.startswith("cond_stage_model.") for name in only_text)


def test_removing_a_lora_restores_every_weight_exactly(model, tinylora):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with patched(model, deltas(model, [LoraUse(lora=read_lora(tinylora))])[0]):
        assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_convolutions_take_kernels_in_the_down_matrix(model, tmp_path):
    up, down = torch.randn(32, 2, 1, 1), torch.randn(2, 32, 3, 3)
    lora = write_lora(tmp_path / "conv.safetensors", "lora_unet_down_blocks_0_resnets_0_conv1", up, down, alpha=torch.tensor(1.0))
    made = change(model, "model.diffusion_model.input_blocks.1.0.in_layers.2.weight", LoraUse(lora=lora))
    assert torch.allclose(made, torch.einsum("or,rihw->oihw", up[:, :, 0, 0], down) * 0.5, atol=1e-5)


def test_convolutions_may_have_a_middle_tensor(model, tmp_path):
    up, mid, down = torch.randn(32, 2, 1, 1), torch.randn(2, 2, 3, 3), torch.randn(2, 32, 1, 1)
    lora = write_lora(tmp_path / "cp.safetensors", "lora_unet_down_blocks_0_resnets_0_conv1", up, down, mid=mid)
    made = change(model, "model.diffusion_model.input_blocks.1.0.in_layers.2.weight", LoraUse(lora=lora))
    expected = torch.einsum("or,rshw,si->oihw", up[:, :, 0, 0], mid, down[:, :, 0, 0])
    assert torch.allclose(made, expected, atol=1e-5)


def test_only_the_first_ranks_are_used_when_asked_for(model, tinylora):
    stored = load_file(tinylora)
    expected = stored[LINEAR + ".lora_up.weight"][:, :1] @ stored[LINEAR + ".lora_down.weight"][:1] * (2.0 / 4)
    assert torch.allclose(change(model, LINEAR_PARAMETER, LoraUse(lora=read_lora(tinylora), dyn_dim=1)), expected, atol=1e-6)


def test_a_lora_for_another_family_is_left_out_with_a_note(model, tmp_path):
    lora = write_lora(tmp_path / "xl.safetensors", LINEAR, torch.randn(640, 4), torch.randn(4, 640))
    found, notes = deltas(model, [LoraUse(lora=lora)])
    assert not found and notes == ["The LoRA xl was left out: it was made for another family of models."]


def test_parts_that_fit_nothing_are_counted_in_a_note(model, tinylora, tmp_path):
    save_file({**load_file(tinylora), "lora_unet_nowhere.lora_up.weight": torch.zeros(4, 2),
               "lora_unet_nowhere.lora_down.weight": torch.zeros(2, 4)}, tmp_path / "odd.safetensors")
    found, notes = deltas(model, [LoraUse(lora=read_lora(tmp_path / "odd.safetensors"))])
    assert len(found) == 38 and notes == ["Of the LoRA odd, 1 of 39 parts do not fit this model and were left out: lora_unet_nowhere."]


def test_keys_that_mean_nothing_are_named_in_a_note(model, tinylora, tmp_path):
    more = ["a", "b.unheard", f"{LINEAR}.lora_sideways", f"{LINEAR}.hada_w1_a"]
    save_file({**load_file(tinylora), **{key: torch.zeros(1) for key in more}}, tmp_path / "odd.safetensors")
    found, notes = deltas(model, [LoraUse(lora=read_lora(tmp_path / "odd.safetensors"))])
    assert len(found) == 38
    assert notes == [f"In the LoRA odd, tensors of no known kind were left out: {more[0]}, {more[1]}, {more[2]} and 1 more."]


@pytest.mark.parametrize("kind", sorted({kind.name for kind in KINDS}))
def test_tensors_of_any_shape_are_applied_or_noted(model, kind, tmp_path):
    draw, path = random.Random(kind), tmp_path / "random.safetensors"
    names = sorted({name for one in KINDS if one.name == kind for name in one.names} | set(QUALIFIERS))
    for _ in range(60):
        there = [name for name in names if draw.random() < 0.9]
        shapes = {name: [draw.choice((1, 2, 32)) for _ in range(draw.choice((0, 1, 2, 2, 2, 3, 4)))] for name in there}
        save_file({f"{LINEAR}.{KEYS.get(name, name)}": torch.ones(shape) for name, shape in shapes.items()}, path)
        try:
            lora = read_lora(path)
        except WeightsError:
            continue
        found, notes = deltas(model, [LoraUse(lora=lora)])
        assert bool(found) != any("family" in note for note in notes)
        with patched(model, found):
            pass


def test_alpha_may_be_a_list_of_one_number(model, tmp_path):
    lora = write_lora(tmp_path / "list.safetensors", LINEAR, torch.ones(32, 2), torch.ones(2, 32), alpha=torch.tensor([1.0]))
    assert torch.allclose(change(model, LINEAR_PARAMETER, LoraUse(lora=lora)), torch.ones(32, 32))


def test_biases_and_norms_change_too(model, tmp_path):
    norm = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_norm1"
    save_file({f"{norm}.w_norm": torch.ones(32), f"{norm}.b_norm": torch.full((32,), 2.0)}, tmp_path / "norm.safetensors")
    lora = read_lora(tmp_path / "norm.safetensors")
    place = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.norm1."
    assert torch.allclose(change(model, place + "weight", LoraUse(lora=lora)), torch.ones(32))
    assert torch.allclose(change(model, place + "bias", LoraUse(lora=lora)), torch.full((32,), 2.0))


@pytest.mark.parametrize("tensors", [
    {"emb_params": torch.zeros(1, 64)}, {"lora_unet_x.lora_down.weight": torch.zeros(2, 4)},
    {"lora_unet_x.lora_down.weight": torch.zeros(2, 4), "lora_unet_x.lora_up.weight": torch.zeros(4, 3)}])
def test_files_that_hold_no_whole_lora_are_refused(tensors, tmp_path):
    save_file(tensors, tmp_path / "no.safetensors")
    with pytest.raises(WeightsError, match=r"no\.safetensors"):
        read_lora(tmp_path / "no.safetensors")


def test_catalog_finds_by_file_name_folder_and_name_in_the_metadata(tinylora, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "renamed.safetensors").write_bytes(tinylora.read_bytes())
    catalog = LoraCatalog([tmp_path])
    assert catalog.find("renamed") is catalog.find("sub/renamed") is catalog.find("tinylora")
    with pytest.raises(NotFound, match="missing"):
        catalog.find("missing")


def test_catalog_sees_new_and_changed_files(tinylora, tmp_path):
    catalog, path = LoraCatalog([tmp_path]), tmp_path / "new.safetensors"
    path.write_bytes(tinylora.read_bytes())
    first = catalog.find("new")
    save_file({f"{LINEAR}.lora_up.weight": torch.ones(32, 1), f"{LINEAR}.lora_down.weight": torch.ones(1, 32)}, path)
    assert len(first.parts) == 38 and len(catalog.find("new").parts) == 1


def test_names_of_diffusers_cover_every_kind_of_block():
    pairs = {
        "input_blocks.0.0": "conv_in", "input_blocks.3.0.op": "down_blocks.0.downsamplers.0.conv", "out.2": "conv_out",
        "input_blocks.4.0.skip_connection": "down_blocks.1.resnets.0.conv_shortcut", "time_embed.2": "time_embedding.linear_2",
        "middle_block.1.proj_in": "mid_block.attentions.0.proj_in", "middle_block.2.in_layers.2": "mid_block.resnets.1.conv1",
        "output_blocks.2.1.conv": "up_blocks.0.upsamplers.0.conv", "output_blocks.5.2.conv": "up_blocks.1.upsamplers.0.conv",
        "output_blocks.11.1.transformer_blocks.0.ff.net.2": "up_blocks.3.attentions.2.transformer_blocks.0.ff.net.2"}
    assert {ours: diffusers_name(ours, 2) for ours in pairs} == pairs


def test_every_module_with_weights_of_its_own_has_a_name_and_no_two_share_one(model):
    targets = set(kohya_names(model).values())
    modules = [*model.model.modules(), *model.cond_stage_model.modules()]
    kinds = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.LayerNorm, torch.nn.GroupNorm)
    assert len({target.weight for target in targets}) == len(targets) == sum(isinstance(module, kinds) for module in modules)
