"""Files of every family load: at full size without their weights, at a fraction of their width with them, in every number format."""
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_families import DISTILLED, SMALL, metadata_of, model_of, write_small

from modules.checkpoints.loading import Renamed, load_model, outline, read_architecture
from modules.checkpoints.old_names import AVERAGED, UNET, our_names, with_dots
from modules.checkpoints.problems import WeightsError
from modules.checkpoints.safetensors_file import DTYPES
from modules.checkpoints.safetensors_writer import TensorPlan, header
from modules.checkpoints.state_dict import open_weights
from modules.hardware import Hardware, HardwareOptions
from modules.nn.families import FAMILIES, SD1
from modules.nn.latent_diffusion import SCHEDULE_NAMES
from modules.prompt.conditioning import Conditioning
from tools.make_synthetic_checkpoint import shapes_of, with_extra

CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))


def hollow_file(path: Path, shapes: dict[str, tuple[int, ...]], dtype: str = "F16") -> Path:
    """A file of full size whose numbers are a hole on the disk, all zero."""
    plans = [TensorPlan(name=name, dtype=DTYPES[dtype], shape=shape) for name, shape in shapes.items()]
    beginning = header(plans, {})
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(len(beginning) + sum(plan.size_bytes for plan in plans))
    return path


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("extra, averaged", [("none", False), ("inpainting", False), ("depth", False), ("instruct", False), ("none", True)])
def test_a_file_with_the_official_keys_and_shapes_is_known_and_complete(tmp_path, family, extra, averaged):
    built = with_extra(FAMILIES[family], extra)
    with open_weights(hollow_file(tmp_path / "full.safetensors", shapes_of(built, averaged=averaged))) as file:
        model = outline(Renamed(file))
    assert model.architecture == built
    assert all(tensor.is_meta for name, tensor in model.state_dict().items() if name not in SCHEDULE_NAMES)


def test_the_number_of_tensors_is_that_of_the_published_files():
    assert len(shapes_of(FAMILIES["sdxl"])) == 2515
    assert len(shapes_of(SD1)) == 1142 + 1  # with the numbers of the positions


def same_weights(model, other) -> bool:
    state = other.state_dict()
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("architecture", [*SMALL.values(), DISTILLED])
def test_a_small_file_becomes_the_model_that_it_was_made_from(tmp_path, architecture):
    path = write_small(tmp_path / "small.safetensors", architecture)
    assert read_architecture(path) == architecture
    model = load_model(path, CPU)
    assert same_weights(model, model_of(architecture)) and model.is_ssd == (architecture is DISTILLED)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_unet_that_is_there_as_its_average_only_is_taken(tmp_path, family):
    tensors = load_file(write_small(tmp_path / "small.safetensors", SMALL[family]))
    averaged = {AVERAGED + name.removeprefix(UNET).replace(".", "") if name.startswith(UNET) else name: t for name, t in tensors.items()}
    save_file(averaged, tmp_path / "ema.safetensors", metadata_of(SMALL[family]))
    assert same_weights(load_model(tmp_path / "ema.safetensors", CPU), model_of(SMALL[family]))


def test_beside_plain_weights_the_average_is_of_no_account():
    names = [UNET + "out.2.bias", AVERAGED + "out2bias", "model_ema.decay"]
    assert our_names(names) == {name: name for name in names}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_every_number_format_is_read(tmp_path, dtype):
    path = write_small(tmp_path / "small.safetensors", SMALL["sdxl"], dtype=dtype)
    model, expected = load_model(path, CPU), model_of(SMALL["sdxl"]).state_dict()
    assert all(torch.equal(value, expected[name].to(dtype).float()) for name, value in model.state_dict().items()
               if name not in SCHEDULE_NAMES)


def test_a_projection_that_lies_on_its_side_is_turned(tmp_path):
    tensors = load_file(write_small(tmp_path / "small.safetensors", SMALL["sdxl"]))
    name = "conditioner.embedders.1.model.text_projection"
    tensors[name + ".weight"] = tensors.pop(name).T.contiguous()
    save_file(tensors, tmp_path / "turned.safetensors", metadata_of(SMALL["sdxl"]))
    assert same_weights(load_model(tmp_path / "turned.safetensors", CPU), model_of(SMALL["sdxl"]))


@pytest.mark.parametrize("part", ["output_blocks.0.1.", "middle_block.1.", "input_blocks.3.1."])
def test_a_transformer_that_the_file_lacks_is_not_taken_for_a_distilled_network(tmp_path, part):
    tensors = load_file(write_small(tmp_path / "small.safetensors", SMALL["sdxl"]))
    save_file({name: t for name, t in tensors.items() if part not in name}, tmp_path / "less.safetensors", metadata_of(SMALL["sdxl"]))
    with pytest.raises(WeightsError, match=re.escape(part)):
        load_model(tmp_path / "less.safetensors", CPU)


def test_without_its_second_text_encoder_sdxl_is_refused_by_name(tmp_path):
    tensors = load_file(write_small(tmp_path / "small.safetensors", SMALL["sdxl"]))
    save_file({name: t for name, t in tensors.items() if "embedders.1" not in name}, tmp_path / "less.safetensors")
    with pytest.raises(WeightsError, match="part of a Stable Diffusion XL checkpoint"):
        load_model(tmp_path / "less.safetensors", CPU)


def test_a_depth_map_is_seen_beside_the_latent(tmp_path):
    built = replace(SMALL["sd2"], unet=replace(SMALL["sd2"].unet, in_channels=5))
    model = load_model(write_small(tmp_path / "depth.safetensors", built), CPU)
    x, t, text, depth = torch.randn(1, 4, 8, 8), torch.tensor([5.0]), torch.randn(1, 77, 16), torch.rand(1, 1, 8, 8) * 2 - 1
    near, far = (model.apply_model(x, t, Conditioning(crossattn=text, concat=value)) for value in (depth, -depth))
    assert near.shape == x.shape and not torch.equal(near, far)


def test_averaged_weights_of_a_guided_network_are_named_too():
    assert with_dots("time_embedcond_projweight") == "time_embed.cond_proj.weight"
