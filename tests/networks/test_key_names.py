"""Files in the names of diffusers and transformers reach the weights of every family of models."""
import pytest
import torch
from diffusers_peer import _unet_name, peer_unet, relative_error
from peft_peer import peft, randomly_adapted
from safetensors.torch import save_file
from small_families import SMALL, model_of
from torch import nn
from transformers_peer import transformers

from modules.networks.key_names import kohya_names
from modules.networks.lora import LoraUse, deltas, read_lora
from modules.networks.patching import patched

FAMILIES = ("sd1", "sd2", "sdxl")


@pytest.fixture(scope="module")
def models():
    return {family: model_of(SMALL[family]) for family in FAMILIES}


def applied(model, path, tensors):
    """Our weights with the file's changes; every part of it has a place."""
    save_file({key: value.float().contiguous() for key, value in tensors.items()}, path)
    changes, notes = deltas(model, [LoraUse(lora=read_lora(path))])
    assert not notes
    with patched(model, changes):
        return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_lora_of_all_layers_changes_the_unet_as_in_diffusers(models, family, tmp_path):
    torch.manual_seed(2)
    model, architecture = models[family], SMALL[family]
    unet = model.model.diffusion_model
    peer = peer_unet(architecture.unet, unet.state_dict(), architecture.fact_dim or None)
    layers = [name for name, module in peer.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    before, file, after = randomly_adapted(peer, peft().LoraConfig(r=2, lora_alpha=2, target_modules=layers))
    assert len(before) == len(layers)
    ours = applied(model, tmp_path / "all.safetensors", {f"unet.{key}": value for key, value in file.items()})
    made = {_unet_name(name, architecture.unet).removesuffix(".weight"): ours["model.diffusion_model." + name]
            for name in unet.state_dict() if name.endswith(".weight")}
    assert max(relative_error(made[name] - before[name], after[name] - before[name]) for name in layers) < 1e-5


def peer_text(config):
    """The text encoder of these sizes in transformers, whose names diffusers and kohya use."""
    return transformers().CLIPTextModel(transformers().CLIPTextConfig(
        vocab_size=100, hidden_size=config.hidden_size, intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_hidden_layers, num_attention_heads=config.num_attention_heads))


def parameter(model, target):
    """The weight behind a name."""
    weight = model.get_parameter(target.weight)
    return weight[target.rows(weight)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number, prefix", [(0, "lora_te_"), (0, "lora_te1_"), (1, "lora_te2_")])
def test_every_layer_of_a_text_encoder_has_its_name_in_transformers(models, family, number, prefix):
    texts = SMALL[family].texts
    names = kohya_names(models[family])
    if number >= len(texts):
        assert not any(name.startswith(prefix) for name in names)
        return
    for name, module in peer_text(texts[number]).named_modules():
        if isinstance(module, nn.Linear | nn.LayerNorm):
            name = name if name.startswith("text_model.") else f"text_model.{name}"
            target = names[prefix + name.replace(".", "_")]
            assert parameter(models[family], target).shape == module.weight.shape and target.bias in models[family].state_dict()


@pytest.mark.parametrize("number, part", enumerate(("q_proj", "k_proj", "v_proj")))
def test_queries_keys_and_values_in_one_matrix_change_apart(models, tmp_path, number, part):
    model, width = models["sdxl"], SMALL["sdxl"].second_text.hidden_size
    up, down = torch.randn(width, 2), torch.randn(2, width)
    module = f"text_encoder_2.text_model.encoder.layers.1.self_attn.{part}"
    ours = applied(model, tmp_path / "one.safetensors", {f"{module}.lora_A.weight": down, f"{module}.lora_B.weight": up})
    name = "conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj_weight"
    expected = torch.zeros(3, width, width)
    expected[number] = up @ down
    assert relative_error(ours[name] - model.state_dict()[name], expected.flatten(0, 1)) < 1e-5
    assert all(torch.equal(value, ours[other]) for other, value in model.state_dict().items() if other != name)


def test_a_lora_for_xl_says_so_on_another_family(models, tmp_path):
    module = "lora_unet_input_blocks_3_1_transformer_blocks_0_attn2_to_k"
    matrices = {f"{module}.lora_down.weight": torch.ones(2, SMALL["sdxl"].unet.context_dim), f"{module}.lora_up.weight": torch.ones(32, 2)}
    save_file(matrices, tmp_path / "xl.safetensors")
    use = LoraUse(lora=read_lora(tmp_path / "xl.safetensors"))
    assert deltas(models["sdxl"], [use])[1] == []
    assert deltas(models["sd1"], [use]) == ({}, ["The LoRA xl was left out: it was made for another family of models."])
