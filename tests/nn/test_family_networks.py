"""The U-Nets and text encoders of every family, at a fraction of their width, equal diffusers and transformers."""
from dataclasses import replace

import open_clip_peer
import pytest
import torch
import transformers_peer
from diffusers_peer import diffusers, empty_unet, peer_unet, relative_error
from small_families import DISTILLED, SMALL, model_of

from modules.checkpoints.detect import TEXTS
from modules.nn.families import BIG_G_XL, FAMILIES, VIT_H
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.meta import on_meta
from modules.prompt.picture_facts import PictureFacts

UNET = "model.diffusion_model."


def official(name: str):
    """A converter of diffusers for files in their published layout."""
    return getattr(diffusers().loaders.single_file_utils, name)


def facts_of(architecture) -> dict:
    return {"fact_dim": architecture.fact_dim} if architecture.picture_facts else {}


@pytest.mark.parametrize("family, in_channels", [
    ("sd1", 4), ("sd1", 8), ("sd2", 4), ("sd2", 5), ("sd2", 9), ("sdxl", 4), ("sdxl", 9), ("refiner", 4), ("distilled", 4)])
def test_the_noise_predicted_equals_that_of_diffusers(family, in_channels):
    built = DISTILLED if family == "distilled" else SMALL[family]
    architecture = replace(built, unet=replace(built.unet, in_channels=in_channels))
    unet, config = model_of(architecture).model.diffusion_model, architecture.unet
    peer = peer_unet(config, unet.state_dict(), **facts_of(architecture))
    x, t, text = torch.randn(2, in_channels, 16, 24), torch.tensor([3.0, 811.0]), torch.randn(2, 154, config.context_dim)
    y, told = None, {}
    if architecture.picture_facts:
        facts = PictureFacts(width=32, height=64, crop_left=5)
        pooled = torch.randn(2, architecture.pooled_dim)
        numbers = torch.tensor([number for fact in architecture.picture_facts for number in facts.numbers(fact)]).repeat(2, 1)
        y, told = torch.cat([pooled, facts.vector(architecture).repeat(2, 1)], dim=1), {"text_embeds": pooled, "time_ids": numbers}
    assert relative_error(unet(x, t, text, y=y), peer(x, t, text, added_cond_kwargs=told).sample) <= 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_names_and_shapes_at_full_size_are_those_that_diffusers_reads(family):
    architecture = FAMILIES[family]
    with on_meta():
        state = {name: value for name, value in LatentDiffusion(architecture).state_dict().items() if name.startswith(UNET)}
        peer = empty_unet(architecture.unet, **facts_of(architecture))
    converted = official("convert_ldm_unet_checkpoint")(state, peer.config)
    assert {name: value.shape for name, value in converted.items()} == {name: v.shape for name, v in peer.state_dict().items()}


def peer_text(config, place, state):
    """transformers' text model with projection, its weights brought over by diffusers' converter for files."""
    transformers = transformers_peer.transformers()
    sizes = {name: getattr(config, name) for name in (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "hidden_act")}
    peer = transformers.CLIPTextModelWithProjection(transformers.CLIPTextConfig(
        **sizes, max_position_embeddings=77, projection_dim=config.projection_dim or 8, eos_token_id=49407))
    if config.layout == "open_clip":
        weights = official("convert_open_clip_checkpoint")(peer, state, prefix=place)
    else:
        weights = {"text_model." + name.removeprefix(place): value for name, value in state.items() if name.startswith(place)}
    weights.setdefault("text_projection.weight", peer.text_projection.weight)  # not taken over where nobody uses it
    weights.pop("text_model.embeddings.position_ids", None)
    peer.load_state_dict(weights, strict=True)
    return peer.eval().requires_grad_(False)


@pytest.mark.parametrize("family, number", [("sd2", 0), ("sdxl", 0), ("sdxl", 1), ("refiner", 0)])
@torch.no_grad()
def test_text_encoders_equal_those_of_transformers(family, number):
    model, architecture = model_of(SMALL[family]), SMALL[family]
    config, encoder = architecture.texts[number], model.cond_stage_model.encoders[number]
    peer = peer_text(config, TEXTS[family][number], model.state_dict())
    tokens = torch.randint(1, 49000, (2, 77), generator=torch.Generator().manual_seed(1))
    tokens[:, 0], tokens[0, 20:], tokens[1, 70:] = 49406, 0, 0
    tokens[0, 20] = tokens[1, 70] = 49407
    states, pooled = encoder.states_and_pooled(tokens, skip=5)  # what the user sets has no effect here
    theirs = peer(tokens, output_hidden_states=True)
    expected = theirs.hidden_states[-2]
    expected = peer.text_model.final_layer_norm(expected) if config.has_final_norm else expected
    assert relative_error(states, expected) <= 1e-5
    assert pooled is None if not config.gives_pooled else relative_error(pooled, theirs.text_embeds) <= 1e-5


@torch.no_grad()
def test_names_and_pooled_text_are_those_of_open_clip_itself():
    config = SMALL["refiner"].text
    encoder = model_of(SMALL["refiner"]).cond_stage_model.encoders[0]
    peer = open_clip_peer.text_transformer()(
        context_length=77, vocab_size=config.vocab_size, width=config.hidden_size, heads=config.num_attention_heads,
        layers=config.num_hidden_layers, mlp_ratio=config.intermediate_size / config.hidden_size, output_dim=config.projection_dim)
    peer.load_state_dict(encoder.model.state_dict(), strict=True)
    tokens = torch.zeros(2, 77, dtype=torch.int64)
    tokens[:, 0], tokens[:, 1:6], tokens[0, 6], tokens[1, 4] = 49406, 320, 49407, 49407
    assert relative_error(encoder.states_and_pooled(tokens)[1], peer.eval()(tokens)) <= 1e-5


@pytest.mark.parametrize("config, name", [(VIT_H, "ViT-H-14"), (BIG_G_XL, "ViT-bigG-14")])
def test_sizes_are_those_that_open_clip_publishes(config, name):
    published = open_clip_peer.published(name)
    text = published["text_cfg"]
    assert (config.hidden_size, config.num_attention_heads, config.num_hidden_layers, config.projection_dim) == (
        text["width"], text["heads"], text["layers"], published["embed_dim"])
    assert (config.vocab_size, config.max_position_embeddings, config.intermediate_size) == (
        text["vocab_size"], text["context_length"], text["width"] * 4)


@torch.no_grad()
def test_learned_vectors_stand_in_for_tokens_in_open_clip_too():
    encoder = model_of(SMALL["sd2"]).cond_stage_model
    tokens = torch.full((1, 77), 400)
    learned = encoder.model.token_embedding.weight[[500, 501]].clone()
    spelt = tokens.clone()
    spelt[0, 4:6] = torch.tensor([500, 501])
    assert torch.equal(encoder(tokens, [[(4, learned)]]), encoder(spelt))


def test_a_conditioner_has_the_names_of_the_file_alone():
    model = LatentDiffusion(SMALL["sdxl"])
    assert model.cond_stage_model is model.conditioner and model.is_sdxl and not model.is_sd1
    assert not any(name.startswith("cond_stage_model") for name in model.state_dict())


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_latent_consistency_models_are_told_the_guidance_scale(family):
    architecture = replace(SMALL[family], unet=replace(SMALL[family].unet, guidance_dim=8))
    unet = model_of(architecture).model.diffusion_model
    peer = peer_unet(architecture.unet, unet.state_dict(), **facts_of(architecture))
    x, t, text = torch.randn(1, 4, 8, 8), torch.tensor([259.0]), torch.randn(1, 77, architecture.unet.context_dim)
    facts, pooled = PictureFacts(width=64, height=64, guidance=8.0), torch.randn(1, architecture.pooled_dim)
    numbers = torch.tensor([[number for fact in architecture.picture_facts for number in facts.numbers(fact)]])
    embedded = diffusers().LatentConsistencyModelPipeline.get_guidance_scale_embedding(None, torch.tensor([8.0 - 1]), 8)
    ours = unet(x, t, text, y=torch.cat([pooled, facts.vector(architecture)], dim=1))
    told = {"text_embeds": pooled, "time_ids": numbers}
    assert relative_error(ours, peer(x, t, text, timestep_cond=embedded, added_cond_kwargs=told).sample) <= 1e-5
