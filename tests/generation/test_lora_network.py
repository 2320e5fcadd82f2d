"""Tags of LoRA files in prompts: what they mean, and a LoRA that lets few steps suffice."""
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from modules import txt2img
from modules.extra_networks import ExtraNetworkParams
from modules.generation import lora_network, lora_views
from modules.imaging import infotext
from modules.networks.key_names import diffusers_name, kohya_names
from modules.scripts import Script

REQUEST = {"prompt": "a red cube", "steps": 4, "width": 64, "height": 64, "seed": 5, "sampler_name": "LCM", "cfg_scale": 1.0,
           "do_not_save_grid": True}


@pytest.fixture(scope="module")
def runtime(module_runtime):
    return module_runtime


class Said:
    """Remembers comments, as a generation does."""

    def __init__(self):
        self.comments = []

    def comment(self, text):
        self.comments.append(text)


def made(runtime, **changes):
    """The finished job of a small request."""
    job = txt2img.submit(runtime, {**REQUEST, **changes}, api=True)
    assert job.wait(60) and job.status == "done", job.error
    return job


def pixels(job) -> np.ndarray:
    return np.asarray(Image.open(job.result["images"][0]["path"]).convert("RGB")).astype(int)


@pytest.mark.parametrize("tag, text, unet, rank", [
    ("tinylora", 1, 1, None), ("tinylora:0.5", 0.5, 0.5, None), ("tinylora:0.5:0.25", 0.5, 0.25, None), ("tinylora:1:0:2", 1, 0, 2),
    ("tinylora:te=0.5", 0.5, 0.5, None), ("tinylora:unet=0.25", 1, 0.25, None), ("tinylora:unet=0.25:te=-1:dyn=3", -1, 0.25, 3)])
def test_numbers_in_a_tag_are_the_strengths_of_text_and_picture_and_the_rank(runtime, tag, text, unet, rank):
    use = lora_network.wanted(Said(), ExtraNetworkParams(items=tag.split(":")))
    assert (use.te_multiplier, use.unet_multiplier, use.dyn_dim) == (text, unet, rank)


@pytest.mark.parametrize("tag", ["tinylora:0.5:lbw=NONE", "tinylora:0.5:none", "tinylora:0.5:0.25:lbw=0" + ",0" * 16,
                                 "tinylora:1:0" + ",0" * 11])
def test_a_tag_may_give_blocks_strengths_of_their_own(runtime, tag):
    use = lora_network.wanted(Said(), ExtraNetworkParams(items=tag.split(":")))
    assert set(use.blocks.values()) == {0.0} and use.te_multiplier in (0.5, 1)
    plain = made(runtime, prompt="a cube")
    assert np.array_equal(pixels(made(runtime, prompt=f"a cube<lora:{tag}>")), pixels(plain))


@pytest.mark.parametrize("tag, comment", [
    ("tinylora:1:lbw=SOME", "lbw=SOME is no list of block weights."),
    ("tinylora:strong", "<lora:tinylora:strong> was left out: its weights must be numbers."), ("missing:1", 'There is no LoRA "missing".')])
def test_tags_that_cannot_be_followed_are_commented(runtime, tag, comment):
    said = Said()
    assert lora_network.wanted(said, ExtraNetworkParams(items=tag.split(":"))) is None and said.comments[0].startswith(comment)


class ReadsNetworks(Script):
    """A script that has names of block weights of its own."""

    def after_extra_networks_activate(self, p, *args, **kwargs):
        """Weighs blocks."""


def test_names_of_block_weights_that_are_not_ours_are_left_to_scripts_that_read_the_tags(runtime):
    said, tag = Said(), ExtraNetworkParams(items=["tinylora", "1", "lbw=SOME"])
    said.scripts = SimpleNamespace(alwayson_scripts=[Script()])
    assert lora_network.wanted(said, tag) is None
    said.scripts.alwayson_scripts.append(ReadsNetworks())
    assert lora_network.wanted(said, tag).blocks is None


def test_block_weights_that_a_script_has_applied_to_the_parts_do_not_count_twice(runtime):
    tag = ExtraNetworkParams(items=["tinylora", "1", "lbw=" + ",".join(["0.5"] * 17)])
    use = lora_network.wanted(Said(), tag)
    view = lora_views.view_of(use, None)
    view.multiplier = 0.25
    assert view.use().blocks == use.blocks and view.use().unet_multiplier == 0.25
    part = next(iter(view.modules.values()))
    part.up.weight = torch.nn.Parameter(part.up.weight * 0.5)
    assert view.use().blocks is None and view.use().lora is not use.lora


def test_lyco_is_another_word_for_lora(runtime):
    one, other = made(runtime, prompt="a cube <lora:tinylora:0.8>"), made(runtime, prompt="a cube <lyco:tinylora:0.8>")
    assert np.array_equal(pixels(one), pixels(other)) and not np.array_equal(pixels(one), pixels(made(runtime, prompt="a cube")))
    assert infotext.parse(other.result["images"][0]["infotext"])["Lora hashes"] == "tinylora: f67b8c7bbc6d"


@contextmanager
def every_weight_restored(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    yield
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def write_lcm_lora(model, folder):
    """Random changes of every layer and convolution of the U-Net, as LCM-LoRA has them: once as kohya writes it, once as diffusers."""
    torch.manual_seed(3)
    blocks = model.architecture.unet.num_res_blocks
    kohya, diffusers = {}, {}
    known = kohya_names(model)
    for name, module in model.model.diffusion_model.named_modules():
        if not isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            continue
        theirs = diffusers_name(name, blocks)
        flat = "lora_unet_" + theirs.replace(".", "_")
        assert flat in known
        weight = module.weight
        up, down = 0.1 * torch.randn(len(weight), 2, *(1,) * (weight.ndim - 2)), 0.1 * torch.randn(2, *weight.shape[1:])
        kohya |= {f"{flat}.lora_up.weight": up, f"{flat}.lora_down.weight": down, f"{flat}.alpha": torch.tensor(2.0)}
        diffusers |= {f"unet.{theirs}.lora_B.weight": up, f"unet.{theirs}.lora_A.weight": down}
    save_file(kohya, folder / "lcm-kohya.safetensors")
    save_file(diffusers, folder / "lcm-diffusers.safetensors")


def test_lcm_lora_makes_pictures_in_four_steps_in_either_form(runtime):
    plain = made(runtime)
    model = runtime.models.current
    write_lcm_lora(model, runtime.folders.lora)
    with every_weight_restored(model):
        jobs = [made(runtime, prompt=f"a red cube<lora:lcm-{form}:1>") for form in ("kohya", "diffusers")]
    assert np.array_equal(pixels(jobs[0]), pixels(jobs[1])) and not np.array_equal(pixels(jobs[0]), pixels(plain))
    assert all(job.result["notes"] == [] for job in jobs)
    assert infotext.parse(jobs[0].result["images"][0]["infotext"])["Steps"] == "4"


def test_a_word_learned_with_a_lora_works_with_its_tag_alone(runtime):
    tinylora = runtime.folders.lora / "tinylora.safetensors"
    vectors = torch.randn(2, 64, generator=torch.Generator().manual_seed(1))
    save_file({**load_file(tinylora), "bundle_emb.zorbl.string_to_param.*": vectors}, runtime.folders.lora / "withword.safetensors")
    plain = made(runtime, prompt="a zorbl cube <lora:tinylora:1>")
    job = made(runtime, prompt="a zorbl cube <lora:withword:1>")
    assert job.result["notes"] == [] and "TI hashes" not in infotext.parse(job.result["images"][0]["infotext"])
    assert not np.array_equal(pixels(job), pixels(plain))
    assert np.array_equal(pixels(made(runtime, prompt="a zorbl cube <lora:tinylora:1>")), pixels(plain))


@pytest.fixture
def changes(monkeypatch) -> list[int]:
    """How many LoRAs each change of weights was made for."""
    counted: list[int] = []
    original = lora_network.deltas
    monkeypatch.setattr(lora_network, "deltas", lambda model, uses: counted.append(len(uses)) or original(model, uses))
    return counted


def test_the_same_set_costs_nothing_in_the_next_batch(runtime, changes):
    together = made(runtime, prompt="a cube <lora:tinylora:0.8>", n_iter=3)
    assert changes == [1]
    weights = {name: parameter.clone() for name, parameter in runtime.models.current.named_parameters()}
    second = made(runtime, prompt="a cube <lora:tinylora:0.8>", seed=6)
    assert np.array_equal(pixels(second), np.asarray(Image.open(together.result["images"][1]["path"])))
    assert all(torch.equal(parameter, weights[name]) for name, parameter in runtime.models.current.named_parameters())


def test_another_set_in_the_next_batch_takes_the_one_before_away(runtime, changes):
    runtime.settings.set("enable_prompt_comments", False)
    request = {"prompt": "a cube {<lora:tinylora:0.8>|<lora:tinylora:0.3>|}", "n_iter": 4}
    job = made(runtime, **request)
    for image in job.result["images"]:
        prompt = infotext.parse(image["infotext"])["Prompt"]
        alone = made(runtime, prompt=prompt, seed=image["seed"])
        assert np.array_equal(pixels(alone), np.asarray(Image.open(image["path"])))


def test_a_refiner_is_changed_anew_in_every_batch(runtime, changes):
    """Both models are free to go between batches."""
    request = {"prompt": "a cube <lora:tinylora:0.8>", "refiner_checkpoint": "tiny-sd1-s2", "refiner_switch_at": 0.5}
    runtime.models.keep = 2
    both = made(runtime, **request, n_iter=2)
    assert changes == [1, 1] * 2
    second = made(runtime, **request, seed=6)
    assert np.array_equal(pixels(second), np.asarray(Image.open(both.result["images"][1]["path"])))
