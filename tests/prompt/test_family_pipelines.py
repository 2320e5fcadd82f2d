"""From prompt to latent, SD2 and SDXL at a fraction of their width give what the pipelines of diffusers give on the same weights."""
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
import transformers_peer
from diffusers_peer import diffusers, peer_unet, relative_error
from small_families import SMALL, model_of

from modules.checkpoints.detect import TEXTS
from modules.generation.noise import NoiseSource
from modules.nn.tokenizer import ClipTokenizer
from modules.prompt.compose import batch_conditions
from modules.prompt.encode import EncodeOptions, encode
from modules.prompt.picture_facts import PictureFacts, with_facts
from modules.sampling.options import SamplingOptions
from modules.sampling.passes import SamplingHooks, sample_from_noise
from modules.sampling.registry import find_sampler

PROMPT, SIZE, STEPS, SCALE = "a red cube on a table", 64, 4, 5.0
FACTS = PictureFacts(width=SIZE, height=SIZE, crop_top=8, crop_left=16)


class PeerTokenizer:
    """Our tokens in the form in which diffusers asks for them."""

    model_max_length = 77
    added_tokens_encoder: dict = {}

    def __init__(self, pad_id: int):
        self._tokens = ClipTokenizer(pad_id=pad_id)

    def tokenize(self, text):
        return self._tokens.words(self._tokens.encode(text))

    def convert_tokens_to_string(self, words):
        return "".join(words)

    def __call__(self, texts, **_):
        rows = []
        for text in [texts] if isinstance(texts, str) else texts:
            ids = [self._tokens.start_id, *self._tokens.encode(text), self._tokens.end_id]
            rows.append(ids + [self._tokens.pad_id] * (77 - len(ids)))
        return SimpleNamespace(input_ids=torch.tensor(rows), attention_mask=None)


def peer_text(config, place, state, *, with_projection: bool, layers: int):
    """transformers' text model with the first layers of our encoder."""
    transformers, tools = transformers_peer.transformers(), diffusers().loaders.single_file_utils
    sizes = {name: getattr(config, name) for name in (
        "vocab_size", "hidden_size", "intermediate_size", "num_attention_heads", "hidden_act")}
    settings = transformers.CLIPTextConfig(
        **sizes, num_hidden_layers=layers, max_position_embeddings=77, projection_dim=config.projection_dim or 8, eos_token_id=49407)
    peer = (transformers.CLIPTextModelWithProjection if with_projection else transformers.CLIPTextModel)(settings)
    if config.layout == "open_clip":
        weights = tools.convert_open_clip_checkpoint(peer, state, prefix=place)
    else:
        weights = {"text_model." + name.removeprefix(place): value for name, value in state.items() if name.startswith(place)}
    wanted = peer.state_dict()
    plain = {name if name in wanted else name.removeprefix("text_model."): value for name, value in weights.items()}
    peer.load_state_dict({name: value for name, value in plain.items() if name in wanted}, strict=True)
    return peer.eval().requires_grad_(False)


def our_latent(model, sampler: str, negative: str):
    """Ours after all steps from the noise of seed 1, and the levels of the steps."""
    architecture, levels = model.architecture, []

    def finish(texts, conditions, is_negative):
        return with_facts(conditions, texts, FACTS, architecture, is_negative=is_negative)

    conditions = batch_conditions(
        [PROMPT], [negative], STEPS, lambda texts: encode(model.cond_stage_model, texts, EncodeOptions(clip_skip=3)), finish=finish)
    noise = NoiseSource((4, SIZE // 8, SIZE // 8), [1])
    hooks = SamplingHooks(on_step=lambda step: levels.append(float(step.sigma)))
    return sample_from_noise(
        model, find_sampler(sampler), "Automatic", STEPS, noise, conditions, SCALE, SamplingOptions(), hooks), levels


def scheduler(architecture):
    """diffusers' Euler steps over our training schedule."""
    return diffusers().EulerDiscreteScheduler(
        beta_start=architecture.linear_start, beta_end=architecture.linear_end, beta_schedule="scaled_linear",
        timestep_spacing="linspace", steps_offset=1, prediction_type="v_prediction" if architecture.parameterization == "v" else "epsilon")


def asked(levels, negative: str) -> dict:
    """The arguments of both pipelines."""
    return {"prompt": PROMPT, "negative_prompt": negative, "height": SIZE, "width": SIZE, "guidance_scale": SCALE, "output_type": "latent",
            "num_inference_steps": STEPS, "sigmas": [*levels, 0.0], "latents": NoiseSource((4, SIZE // 8, SIZE // 8), [1]).first()}


def quiet(pipeline):
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("negative", ["", "a blue ball"])
def test_sdxl_from_prompt_to_latent_equals_the_pipeline_of_diffusers(negative):
    model, architecture = model_of(SMALL["sdxl"]), SMALL["sdxl"]
    with torch.no_grad():
        ours, levels = our_latent(model, "Euler", negative)
    state = model.state_dict()
    first, second = (
        peer_text(config, place, state, with_projection=bool(number), layers=config.num_hidden_layers)
        for number, (config, place) in enumerate(zip(architecture.texts, TEXTS["sdxl"])))
    pipeline = quiet(diffusers().StableDiffusionXLPipeline(
        vae=None, text_encoder=first, text_encoder_2=second, tokenizer=PeerTokenizer(49407), tokenizer_2=PeerTokenizer(0),
        unet=peer_unet(architecture.unet, model.model.diffusion_model.state_dict(), architecture.fact_dim),
        scheduler=scheduler(architecture), force_zeros_for_empty_prompt=True, add_watermarker=False))
    theirs = pipeline(**asked(levels, negative or None), crops_coords_top_left=(8, 16)).images
    assert relative_error(ours, theirs) <= 1e-5


@pytest.mark.parametrize("parameterization", ["eps", "v"])
def test_sd2_from_prompt_to_latent_equals_the_pipeline_of_diffusers(parameterization):
    architecture = replace(SMALL["sd2"], parameterization=parameterization)
    model = model_of(architecture)
    with torch.no_grad():
        ours, levels = our_latent(model, "Euler", "a blue ball")
    # As published for diffusers: the layer that Stable Diffusion leaves out is not there, and the last norm follows.
    text = peer_text(architecture.text, TEXTS["sd2"][0], model.state_dict(), with_projection=False,
                     layers=architecture.text.num_hidden_layers - 1)
    pipeline = quiet(diffusers().StableDiffusionPipeline(
        vae=None, text_encoder=text, tokenizer=PeerTokenizer(0),
        unet=peer_unet(architecture.unet, model.model.diffusion_model.state_dict()), scheduler=scheduler(architecture),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False))
    assert relative_error(ours, pipeline(**asked(levels, "a blue ball")).images) <= 1e-5
