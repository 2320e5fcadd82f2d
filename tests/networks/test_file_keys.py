"""Keys of kohya, LyCORIS, diffusers and peft mean the same modules and tensors."""
import json

import pytest

from modules.networks.file_keys import FileKey, adapter_alpha, read_key

QUERY = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
UNET = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
TEXT = "text_model.encoder.layers.0.self_attn"


@pytest.mark.parametrize("key", [
    f"{UNET}.lora_up.weight", f"unet.{QUERY}.to_q.lora_B.weight", f"unet.{QUERY}.to_q.lora.up.weight",
    f"unet.{QUERY}.processor.to_q_lora.up.weight", f"{QUERY}.processor.to_q_lora.up.weight",
    f"base_model.model.{QUERY}.to_q.lora_B.weight", f"base_model.model.{QUERY}.to_q.lora_B.default.weight",
    f"base_model.model.unet.{QUERY}.to_q.lora_B.default_0.weight", f"diffusion_model.{QUERY}.to_q.lora_B.weight"])
def test_a_matrix_of_the_unet_is_known_under_every_name(key):
    assert read_key(key) == FileKey(module=UNET, tensor="up")


@pytest.mark.parametrize("key, module", [
    (f"text_encoder.{TEXT}.q_proj.lora_A.weight", "lora_te_text_model_encoder_layers_0_self_attn_q_proj"),
    (f"text_encoder.{TEXT}.q_proj.lora_linear_layer.down.weight", "lora_te_text_model_encoder_layers_0_self_attn_q_proj"),
    (f"text_encoder.{TEXT}.to_out_lora.down.weight", "lora_te_text_model_encoder_layers_0_self_attn_out_proj"),
    (f"text_encoder_2.{TEXT}.k_proj.lora.down.weight", "lora_te2_text_model_encoder_layers_0_self_attn_k_proj"),
    ("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "lora_te1_text_model_encoder_layers_0_mlp_fc1")])
def test_matrices_of_text_encoders_are_known(key, module):
    assert read_key(key) == FileKey(module=module, tensor="down")


@pytest.mark.parametrize("name", [
    "alpha", "dora_scale", "hada_w1_a", "hada_t2", "lokr_w1", "lokr_w1_a", "lokr_t2", "oft_blocks", "diff", "diff_b", "w_norm", "on_input"])
def test_tensors_of_lycoris_keep_their_names(name):
    assert read_key(f"{UNET}.{name}") == FileKey(module=UNET, tensor=name)


@pytest.mark.parametrize("ending, tensor", [("a1.weight", "a1"), ("b2.weight", "b2"), ("weight", "weight")])
def test_weights_of_glora_are_told_from_those_of_ia3(ending, tensor):
    assert read_key(f"{UNET}.{ending}") == FileKey(module=UNET, tensor=tensor)


@pytest.mark.parametrize("key", ["", ".alpha", "bundle_emb.dog.string_to_param.*", f"{UNET}.lora_sideways"])
def test_other_keys_mean_nothing(key):
    assert read_key(key) is None


@pytest.mark.parametrize("notes, alpha", [
    ({"unet.lora_alpha": 8}, 8), ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_q": 2}}, 2),
    ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_k": 2}}, 8), ({"unet.lora_alpha": 8, "unet.use_rslora": True}, 16),
    ({"text_encoder.lora_alpha": 8}, None), ({"unet.lora_alpha": "8"}, None), ([1], None), (None, None)])
def test_alpha_may_stand_in_the_notes_of_diffusers(notes, alpha):
    assert adapter_alpha({"lora_adapter_metadata": json.dumps(notes)}, UNET, rank=4) == alpha


def test_notes_that_cannot_be_read_say_nothing():
    assert adapter_alpha({"lora_adapter_metadata": "{"}, UNET, rank=4) is None and adapter_alpha({}, UNET, rank=4) is None
