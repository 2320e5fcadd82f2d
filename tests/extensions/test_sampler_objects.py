"""The sampler of a run as extensions reach it: looked up, replaced in parts, and told of each step."""
import pytest
import torch

from modules import sd_samplers
from modules.generation import lora_views
from modules.sd_hijack_unet import th
from modules.sd_samplers_common import SamplerData
from modules.sd_samplers_kdiffusion import CFGDenoiserKDiffusion, KDiffusionSampler


def pixels(job):
    """The finished picture as bytes."""
    from PIL import Image

    with Image.open(job.pictures[0].path) as picture:
        return picture.convert("RGB").tobytes()


@pytest.fixture
def plain(made, recorder):
    return pixels(made())


@pytest.fixture
def creating():
    """creating(change): sampler objects are handed to `change` when they are made; returns the list of them."""
    def replace(change):
        created = []

        def create_sampler(name, model):
            sampler = original(name, model)
            change(sampler)
            created.append(sampler)
            return sampler
        sd_samplers.create_sampler = create_sampler
        return created

    original = sd_samplers.create_sampler
    yield replace
    sd_samplers.create_sampler = original


def test_the_function_that_makes_samplers_may_be_replaced_for_a_while(made, creating, recorder):
    created, seen = creating(lambda sampler: None), []
    recorder.WISHES["process_before_every_sampling"] = lambda details: seen.append(details["p"].sampler)
    made()
    assert seen == created[-1:] and isinstance(seen[0], KDiffusionSampler) and seen[0].config.name == "Euler"


def test_a_replaced_method_is_told_of_each_step(made, monkeypatch, plain):
    steps = []
    monkeypatch.setattr(KDiffusionSampler, "callback_state", lambda self, d: steps.append((d["i"], tuple(d["x"].shape))))
    assert pixels(made()) == plain and steps == [(0, (1, 4, 8, 8)), (1, (1, 4, 8, 8))]


def test_a_sampler_of_an_extension_combines_by_its_own_formula(made, recorder, monkeypatch, plain):
    class Unguided(CFGDenoiserKDiffusion):
        def combine_denoised(self, x_out, conds_list, uncond, cond_scale):
            assert self.total_steps == 2 and len(conds_list) == uncond.shape[0] == 1
            return x_out[-uncond.shape[0]:]

    def constructor(model):
        sampler = sd_samplers.all_samplers_map["Euler"].constructor(model)
        sampler.model_wrap_cfg = Unguided(sampler)
        return sampler

    monkeypatch.setitem(sd_samplers.all_samplers_map, "Euler_own", SamplerData("Euler_own", constructor, [], {}))
    recorder.WISHES["process"] = lambda details: setattr(details["p"], "sampler_name", "Euler_own")
    assert pixels(made()) != plain


def test_the_network_behind_guidance_may_be_replaced_and_is_told_its_conditions_as_a_mapping(made, creating, plain):
    told = []

    def replace(sampler):
        original = sampler.model_wrap_cfg.inner_model.forward

        def forward(x, sigma, cond):
            told.append((set(cond), tuple(cond["c_crossattn"][0].shape), len(sigma)))
            return original(x, sigma, cond=cond)
        sampler.model_wrap_cfg.inner_model.forward = forward

    creating(replace)
    assert pixels(made()) == plain and told == [({"c_crossattn", "c_concat"}, (2, 77, 64), 2)] * 2


def test_the_models_own_method_may_be_replaced(made, rt, plain):
    from modules import shared

    model, seen = shared.sd_model, []
    original = model.apply_model
    model.apply_model = lambda x, t, cond: seen.append(cond["c_concat"][0].shape) or original(x, t, cond=cond)
    try:
        assert pixels(made()) == plain and len(seen) == 2
    finally:
        del model.apply_model


def test_the_way_in_which_the_network_joins_features_may_be_replaced(made, monkeypatch, plain):
    calls = []
    monkeypatch.setattr(th, "cat", lambda parts, dim: calls.append(dim) or torch.cat(parts, dim=dim), raising=False)
    assert pixels(made()) == plain and set(calls) == {1}


def test_a_sampler_object_samples_by_itself(made, recorder):
    def sample(details):
        p = details["p"]
        p.latents = [p.sampler.sample(p, details["noise"], details["c"], details["uc"]) for _ in range(2)]

    recorder.WISHES["process_before_every_sampling"] = sample
    ended = []
    recorder.WISHES["post_sample"] = lambda details: ended.append((details["p"].latents, details["event"].samples.clone()))
    made()
    (first, second), own = ended[0]
    assert torch.equal(first, second) and torch.equal(first, own)


def test_what_a_script_changes_in_a_lora_at_work_counts(made, recorder, plain):
    prompt = "a cat<lora:tinylora:1>"
    with_lora = pixels(made(prompt=prompt))

    def switch_off(details):
        view = lora_views.loaded_views()[0]
        assert view.name == "tinylora" and all(hasattr(module, "up_model") for module in view.modules.values())
        for module in view.modules.values():
            module.up_model.weight = torch.nn.Parameter(module.up_model.weight * 0)

    recorder.WISHES["after_extra_networks_activate"] = switch_off
    assert with_lora != plain and pixels(made(prompt=prompt)) == plain


def test_the_denoiser_of_a_callback_counts_steps(made, recorder):
    seen = []
    recorder.WISHES["cfg_denoiser"] = lambda details: seen.append(
        [getattr(details["event"].denoiser, name) for name in ("step", "total_steps", "steps")])
    made()
    assert seen == [[0, 2, 2], [1, 2, 2]]
