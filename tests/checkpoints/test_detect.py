"""Keys and shapes tell the sizes; metadata, a yaml, or the family's standard tell the rest."""
import json
from dataclasses import replace

import pytest
import torch

from modules.checkpoints.detect import TELLING_BIAS, detect
from modules.checkpoints.problems import WeightsError
from modules.nn.clip_text import ClipTextConfig
from modules.nn.families import FAMILIES, SD1, SD2, SDXL, Architecture, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.meta import on_meta

ODD = Architecture(
    unet=UNetConfig(in_channels=9, model_channels=32, channel_mult=(1, 2, 3), num_res_blocks=1, attention_levels=(1, 2), context_dim=128),
    vae=VaeConfig(ch=64, ch_mult=(1, 2, 4), num_res_blocks=1),
    text=ClipTextConfig(hidden_size=128, intermediate_size=96, num_hidden_layers=3, num_attention_heads=2, vocab_size=1000))


def shapes_of(architecture):
    with on_meta():
        model = LatentDiffusion(architecture)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def refusal(path, shapes, metadata=None):
    with pytest.raises(WeightsError) as caught:
        detect(path, shapes, metadata or {})
    assert path.name in str(caught.value)
    return caught.value.why


@pytest.mark.parametrize("architecture", [*FAMILIES.values(), ODD])
def test_detecting_what_was_built_gives_what_it_was_built_from(path, architecture):
    assert detect(path, shapes_of(architecture), {}) == architecture


@pytest.mark.parametrize("channels, extra", [(4, "none"), (9, "inpainting"), (5, "depth"), (8, "instruct")])
@pytest.mark.parametrize("family", [SD1, SD2, SDXL])
def test_channels_tell_what_the_network_is_shown_beside_the_latent(path, family, channels, extra):
    built = replace(family, unet=replace(family.unet, in_channels=channels))
    found = detect(path, shapes_of(built), {})
    assert found == built and found.extra == extra and found.is_inpainting == (extra == "inpainting")


@pytest.mark.parametrize("spread, prediction, size", [(0.05, "eps", 512), (0.15, "v", 768)])
def test_sd2_shows_by_the_spread_of_one_bias_what_it_predicts(path, spread, prediction, size):
    bias = torch.tensor([-1.0, 1.0]).repeat(160) * spread
    found = detect(path, shapes_of(SD2), {}, lambda name: {TELLING_BIAS: bias}[name])
    assert (found.parameterization, found.native_size_px) == (prediction, size)


@pytest.mark.parametrize("metadata, prediction", [
    ({"modelspec.prediction_type": "epsilon"}, "eps"), ({"modelspec.prediction_type": "v"}, "v"),
    ({"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v")])
def test_what_metadata_say_of_the_prediction_wins_over_the_spread(path, metadata, prediction):
    wide = lambda name: torch.tensor([-1.0, 1.0])
    assert detect(path, shapes_of(SD2), metadata, wide).parameterization == prediction


def test_a_size_in_the_metadata_is_the_native_size(path):
    assert detect(path, shapes_of(SDXL), {"modelspec.resolution": "512x512"}).native_size_px == 512


def test_tensors_without_numbers_mark_v_prediction_and_a_schedule_that_ends_without_signal(path):
    found = detect(path, {**shapes_of(SDXL), "v_pred": (0,), "ztsnr": (0,)}, {})
    assert found.parameterization == "v" and found.is_zero_snr


YAML_OF_SDXL = b"""
model:
  params:
    scale_factor: 0.2
    denoiser_config: {params: {scaling_config: {target: sgm.modules.diffusionmodules.denoiser_scaling.VScaling}}}
    network_config: {params: {num_head_channels: 32, num_heads: -1}}
"""


def test_a_yaml_in_the_form_of_sdxl_is_honoured(path):
    path.with_suffix(".yaml").write_bytes(YAML_OF_SDXL)
    found = detect(path, shapes_of(SDXL), {})
    assert (found.parameterization, found.scale_factor, found.unet.head_width) == ("v", 0.2, 32)


@pytest.mark.parametrize("name, shape, reason", [
    ("model.diffusion_model.input_blocks.0.0.weight", (320, 7, 3, 3), "7 channels"),
    ("model.diffusion_model.label_emb.0.0.weight", (1280, 2048), "2048 numbers")])
def test_relatives_that_need_more_than_we_give_are_refused(path, name, shape, reason):
    assert reason in refusal(path, {**shapes_of(SD2), name: shape})


YAML_OF_SD2 = b"""
model:
  params:
    parameterization: v
    linear_start: 0.00085
    linear_end: 0.0120
    timesteps: 1000
    scale_factor: 0.18215
    unet_config: {params: {num_head_channels: 64, use_linear_in_transformer: True, context_dim: 1024}}
    cond_stage_config: {target: ldm.modules.encoders.modules.FrozenOpenCLIPEmbedder, params: {freeze: True, layer: penultimate}}
"""


def test_the_yaml_published_with_sd2_is_honoured(path):
    path.with_suffix(".yaml").write_bytes(YAML_OF_SD2)
    narrow = lambda name: torch.zeros(320)
    assert detect(path, shapes_of(SD2), {}, narrow) == replace(SD2, parameterization="v", native_size_px=768)


def test_a_network_with_another_noise_schedule_is_refused(path):
    assert "EDM" in refusal(path, {**shapes_of(SDXL), "edm_mean": (1, 4, 1, 1)})


def test_metadata_tell_what_shapes_cannot(path):
    stated = {"prediction": "v", "native_size": 128, "scale_factor": 0.5, "linear_start": 0.001, "linear_end": 0.02,
              "unet": {"num_heads": 4, "norm_num_groups": 16}, "vae": {"norm_num_groups": 8},
              "text": {"num_attention_heads": 4, "hidden_act": "gelu"}}
    found = detect(path, shapes_of(ODD), {"architecture": json.dumps(stated)})
    assert (found.parameterization, found.native_size_px, found.scale_factor) == ("v", 128, 0.5)
    assert (found.linear_start, found.linear_end) == (0.001, 0.02)
    assert (found.unet.num_heads, found.unet.norm_groups, found.vae.norm_groups) == (4, 16, 8)
    assert (found.text.num_attention_heads, found.text.hidden_act) == (4, "gelu")


def test_a_yaml_beside_the_file_tells_it_too(path, goldens):
    path.with_suffix(".yaml").write_bytes((goldens / "tiny-model" / "tiny-sd1-v.yaml").read_bytes())
    found = detect(path, shapes_of(ODD), {})
    assert found.parameterization == "v" and found.unet.num_heads == 8 and found.text.num_attention_heads == 4


def test_metadata_win_over_a_yaml(path, goldens):
    path.with_suffix(".yaml").write_bytes((goldens / "tiny-model" / "tiny-sd1-v.yaml").read_bytes())
    assert detect(path, shapes_of(ODD), {"architecture": "{}"}).parameterization == "eps"


@pytest.mark.parametrize("text", [b"a: [", b"\xff\xfe\x00", b"!!python/object/apply:os.mkdir [marker]"])
def test_a_yaml_that_cannot_be_read_is_named(path, text):
    path.with_suffix(".yaml").write_bytes(text)
    assert "model.yaml" in refusal(path, shapes_of(ODD))


@pytest.mark.parametrize("text", [b"", b"just a sentence", b"model: 3", b"model: {params: [1, 2]}"])
def test_a_yaml_that_says_nothing_of_use_changes_nothing(path, text):
    path.with_suffix(".yaml").write_bytes(text)
    assert detect(path, shapes_of(ODD), {}) == ODD


@pytest.mark.parametrize("stated, reason", [
    ('{"unet": {"num_heads": 7}}', "num_heads"), ('{"unet": {"num_heads": "8"}}', "num_heads"),
    ('{"prediction": "x0"}', "parameterization"),
    ('{"vae": {"norm_num_groups": 0}}', "norm_num_groups"), ('{"linear_end": -1}', "linear_end"), ("{", "JSON")])
def test_impossible_statements_are_refused_by_name(path, stated, reason):
    assert reason in refusal(path, shapes_of(ODD), {"architecture": stated})


@pytest.mark.parametrize("key, kind", [
    ("lora_unet_down_blocks_0.lora_up.weight", "LoRA"), ("conditioner.embedders.0.transformer.x", "XL"),
    ("cond_stage_model.model.positional_embedding", "Stable Diffusion 2"), ("decoder.conv_in.weight", "VAE"),
    ("emb_params", "embedding"), ("double_blocks.0.x", "Flux"), ("what.ever", "not a Stable Diffusion checkpoint")])
def test_other_kinds_of_files_are_named_for_what_they_look_like(path, key, kind):
    assert kind in refusal(path, {key: (4, 4)})


def test_a_file_with_nothing_in_it_is_refused(path):
    refusal(path, {})


@pytest.mark.parametrize("missing", ["model.diffusion_model.out.2.weight", "first_stage_model.encoder.conv_in.weight"])
def test_a_missing_part_is_named(path, missing):
    shapes = shapes_of(ODD)
    del shapes[missing]
    assert missing in refusal(path, shapes)


def test_a_model_without_its_text_encoder_is_refused(path):
    shapes = {name: shape for name, shape in shapes_of(ODD).items() if not name.startswith("cond_stage_model")}
    assert "text encoder" in refusal(path, shapes)
