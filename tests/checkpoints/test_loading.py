"""A file becomes a model that gives what the reference gives, holds every tensor once, and does not depend on the file."""
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.checkpoints.loading import load_model, load_vae, read_architecture
from modules.checkpoints.problems import WeightsError
from modules.hardware import Hardware, HardwareOptions
from modules.prompt.conditioning import Conditioning

ROOT = Path(__file__).parents[2]
CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))
UNET = "model.diffusion_model."


@pytest.fixture
def copy(tiny_checkpoint, tmp_path):
    """copy(change) -> path of a tiny checkpoint whose tensors went through `change`; its yaml is beside it."""
    def made(change=None, name="copy.safetensors"):
        tensors = load_file(tiny_checkpoint(1))
        tensors = change(tensors) if change else tensors
        path = tmp_path / name
        save_file(tensors, path) if path.suffix == ".safetensors" else torch.save({"state_dict": tensors}, path)
        shutil.copyfile(tiny_checkpoint(1).with_suffix(".yaml"), path.with_suffix(".yaml"))
        return path
    return made


@pytest.fixture(scope="module")
def expected(tiny_checkpoint):
    return load_file(tiny_checkpoint(1))


def noise_predicted(model):
    recorded = np.load(ROOT / "tests" / "goldens" / "model-forward.npz")
    cond = Conditioning(crossattn=torch.from_numpy(recorded["cond"]))
    ours = model.apply_model(torch.from_numpy(recorded["unet_x"]), torch.full((2,), 250.5), cond)
    return ours, torch.from_numpy(recorded["unet_eps_t250.5"])


def refusal(path):
    with pytest.raises(WeightsError) as caught:
        load_model(path, CPU)
    return caught.value.why


def same_weights(model, expected):
    return all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["copy.safetensors", "copy.ckpt"])
def test_a_checkpoint_loads_with_every_weight_equal(copy, expected, name):
    model = load_model(copy(name=name), CPU)
    assert same_weights(model, expected) and not any(p.requires_grad for p in model.parameters())
    ours, reference = noise_predicted(model)
    assert (ours - reference).abs().max() < 1e-4


def test_the_demo_layout_states_its_own_heads_groups_and_size():
    path = ROOT / "models" / "demo" / "easel-demo.safetensors"
    found = read_architecture(path)
    assert (found.native_size_px, found.unet.num_heads, found.unet.norm_groups, found.vae.norm_groups) == (128, 3, 8, 4)
    assert load_model(path, CPU).dtype == torch.float32


def test_spoiling_the_file_afterwards_changes_nothing(copy, expected):
    path = copy()
    model = load_model(path, CPU)
    with path.open("r+b") as file:
        file.write(b"\xff" * 1_000_000)
    os.truncate(path, 100)
    assert same_weights(model, expected)


def test_half_precision_files_are_kept_in_what_the_hardware_picks(copy):
    path = copy(lambda tensors: {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()})
    assert load_model(path, CPU).dtype == torch.float32
    bf16 = load_model(path, Hardware.detect(HardwareOptions(use_cpu=("all",), precision="half")))
    assert bf16.dtype == torch.bfloat16 and bf16.alphas_cumprod.dtype == torch.float32


def test_tables_in_half_precision_are_computed_anew(copy, expected):
    model = load_model(copy(lambda t: {**t, "alphas_cumprod": t["alphas_cumprod"].half()}), CPU)
    assert torch.equal(model.alphas_cumprod, expected["alphas_cumprod"])


def test_a_noise_schedule_in_the_file_is_used(copy):
    model = load_model(copy(lambda t: {**t, "alphas_cumprod": t["alphas_cumprod"] * 0.5}), CPU)
    assert model.alphas_cumprod[0] < 0.5


def test_averaged_copies_and_missing_position_numbers_are_of_no_account(copy, expected):
    def change(tensors):
        del tensors["cond_stage_model.transformer.text_model.embeddings.position_ids"]
        extra = {"model_ema.decay": torch.tensor(0.9), "model_ema.diffusion_modelout2bias": torch.zeros(4), "loss.x": torch.zeros(2)}
        return {**tensors, **extra}
    assert same_weights(load_model(copy(change), CPU), expected)


def test_the_text_encoder_may_lack_one_level_of_its_names(copy, expected):
    rename = lambda tensors: {name.replace("transformer.text_model.", "transformer."): tensor for name, tensor in tensors.items()}
    assert same_weights(load_model(copy(rename), CPU), expected)


def test_missing_tensors_are_counted_and_their_part_is_named(copy):
    why = refusal(copy(lambda t: {name: v for name, v in t.items() if not name.startswith("first_stage_model.decoder")}))
    assert "its VAE" in why and "missing" in why


def test_a_tensor_of_the_wrong_shape_is_named(copy):
    name = UNET + "output_blocks.3.0.in_layers.2.weight"
    assert name in refusal(copy(lambda t: {**t, name: t[name][:, :5].contiguous()}))


def test_a_weight_that_is_not_a_number_is_named(copy):
    name = "first_stage_model.decoder.up.1.block.0.conv1.weight"
    def change(tensors):
        tensors[name][3, 2, 1, 0] = float("nan")
        return tensors
    assert name in refusal(copy(change))


def test_a_vae_file_and_the_vae_of_a_checkpoint_both_serve(copy, tiny_checkpoint, tmp_path):
    model, second = load_model(copy(), CPU), load_file(tiny_checkpoint(2))
    alone = {name.removeprefix("first_stage_model."): t for name, t in second.items() if name.startswith("first_stage_model.")}
    save_file(alone, tmp_path / "vae.safetensors")
    for path in (tmp_path / "vae.safetensors", tiny_checkpoint(2)):
        found = load_vae(path, model, CPU)
        assert found.keys() == alone.keys() and all(torch.equal(found[name], alone[name]) for name in alone)


def test_a_file_that_is_no_vae_is_refused_as_one(copy, tmp_path):
    model = load_model(copy(), CPU)
    save_file({"x": torch.zeros(2)}, tmp_path / "no.safetensors")
    with pytest.raises(WeightsError, match="not a VAE"):
        load_vae(tmp_path / "no.safetensors", model, CPU)


MEASURE = textwrap.dedent("""
    import re, resource, sys, threading, time
    from pathlib import Path
    import torch
    from modules.checkpoints.loading import load_model
    from modules.hardware import Hardware, HardwareOptions
    def anonymous():
        return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    hardware = Hardware.detect(HardwareOptions(use_cpu=("all",)))
    load_model(Path(sys.argv[2]), hardware)
    hardware.gc()
    idle, peak, done = anonymous(), 0, False
    def watch():
        global peak
        while not done:
            peak = max(peak, anonymous())
            time.sleep(0.002)
    thread = threading.Thread(target=watch)
    thread.start()
    model = load_model(Path(sys.argv[1]), hardware)
    done = True
    thread.join()
    bytes_kept = sum(p.numel() * p.element_size() for p in model.parameters())
    print((max(peak, anonymous()) - idle) / bytes_kept)
""")


@pytest.mark.skipif(sys.platform != "linux", reason="the figure is read from /proc, which only Linux has")
def test_loading_takes_hardly_more_memory_than_the_weights(tiny_checkpoint, tmp_path):
    """A file of 340 MB in half precision, kept in single precision."""
    from modules.nn.families import SD1, Architecture, UNetConfig
    from tools.make_synthetic_checkpoint import write_checkpoint

    write_checkpoint(tmp_path / "big.safetensors", Architecture(unet=UNetConfig(model_channels=96), vae=SD1.vae, text=SD1.text))
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "big.safetensors"), str(tiny_checkpoint(1))]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert float(done.stdout) <= 1.15
