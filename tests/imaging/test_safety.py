"""The safety checker against that of diffusers, with a small network."""
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from modules.checkpoints.problems import WeightsError
from modules.errors import UserError
from modules.hardware import Hardware
from modules.imaging.caption_network import clip_pixels
from modules.imaging.known_files import SAFETY_CHECKER
from modules.imaging.safety import SafetyFilter, hidden, load_safety_checker
from modules.imaging.torchvision_parts import ensure_torchvision

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def peer():
    """A small checker of diffusers, with concepts that some of the pictures below are near to."""
    ensure_torchvision()
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig

    size = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 96}
    torch.manual_seed(2)
    checker = StableDiffusionSafetyChecker(CLIPConfig(projection_dim=16, text_config=size,
                                                      vision_config={**size, "image_size": 32, "patch_size": 16})).eval()
    state = checker.state_dict()
    for name in ("concept_embeds", "special_care_embeds"):
        state[name].copy_(torch.randn(state[name].shape))
    state["concept_embeds_weights"].fill_(0.6)
    state["special_care_embeds_weights"].fill_(0.3)
    return checker


def pictures() -> list[Image.Image]:
    random = torch.Generator().manual_seed(0)
    return [Image.fromarray((torch.rand(5, 5, 3, generator=random) ** power * 255).byte().numpy()).resize((48, 32))
            for power in (0.2, 0.5, 1, 2, 5) for _ in range(5)]


@pytest.mark.parametrize("published_names", [False, True])
def test_it_objects_to_what_the_checker_of_diffusers_objects_to(peer, tmp_path, published_names):
    rename = (lambda name: name.replace("vision_model.", "vision_model.vision_model.", 1)) if published_names else lambda name: name
    path = tmp_path / SAFETY_CHECKER.name
    save_file({rename(name): value.clone() for name, value in peer.state_dict().items()}, path)
    ours, found, expected = load_safety_checker(path, CPU), [], []
    for image in pictures():
        found.append(ours(image))
        pixels = clip_pixels(image.crop((8, 0, 40, 32)), (32, 32))
        expected.append(peer(pixels, [torch.ones(3, 4, 4)])[1][0])
    assert found == expected and 0 < sum(found) < len(found)


def test_other_files_are_refused_and_a_missing_one_is_named(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="not those of the safety checker"):
        load_safety_checker(tmp_path / "x.safetensors", CPU)
    with pytest.raises(UserError, match=r"safety_checker\.safetensors in models/safety_checker"):
        SafetyFilter(tmp_path, Hardware.detect()).flags(Image.new("RGB", (8, 8)))


def test_a_hidden_picture_keeps_its_size_and_shows_nothing():
    image = Image.fromarray((torch.rand(96, 64, 3, generator=torch.Generator().manual_seed(1)) * 255).byte().numpy())
    made = hidden(image)
    assert made.size == image.size and all(high - low < 60 for low, high in made.getextrema())
