"""Taggers: DeepDanbooru against values of its published network, WD taggers against timm, and the text that tags become."""
import json
import pickle

import pytest
import torch
from PIL import Image
from small_taggers import numbers, small_deepbooru
from torch import Tensor

from modules.checkpoints.problems import WeightsError
from modules.imaging.tag_networks import DeepDanbooru, blocks, for_deepbooru, for_wd, load_deepbooru, load_wd_tagger
from modules.imaging.tag_text import TagOptions, tag_text

CPU = torch.device("cpu")
# Certainties of 12 tags for the picture and the weights below, by TorchDeepDanbooru (v1) with its channels divided by 32.
RECORDED = (0.37872, 0.61226, 0.41077, 0.55454, 0.48762, 0.46847, 0.57103, 0.39901, 0.61804, 0.37945, 0.60831, 0.41757)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return small_deepbooru()


def test_deepdanbooru_computes_what_its_published_network_computes(weights):
    network = DeepDanbooru(weights)
    network.load_state_dict(weights)
    with torch.inference_mode():
        found = torch.sigmoid(network(numbers((1, 128, 256, 3), 7).abs()))[0]
    assert torch.allclose(found, torch.tensor(RECORDED), atol=2e-5)
    assert blocks()[1] == 178 and len(weights) == 357  # as many as the file has


def test_deepdanbooru_is_read_with_its_tags_and_without_running_anything(weights, tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"tags": [f"tag_{i}" for i in range(12)], **weights}, path)
    found = load_deepbooru(path, CPU)(Image.new("RGB", (40, 30), "grey"))
    assert list(found) == [f"tag_{i}" for i in range(12)] and all(0 < value < 1 for value in found.values())
    for content, words in (({"tags": ["a"], **weights}, "not those of"), (weights, "no list of tags"), ({"tags": ["a"]}, "not those of")):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=words):
            load_deepbooru(path, CPU)
    path.write_bytes(pickle.dumps({"tags": [], "x": print}))
    with pytest.raises(WeightsError):
        load_deepbooru(path, CPU)


def test_pictures_are_prepared_as_the_taggers_expect():
    whole = for_deepbooru(Image.new("RGB", (64, 32), (255, 0, 51)))
    assert whole.shape == (1, 512, 512, 3) and torch.allclose(whole[0, 0, 0], torch.tensor([1, 0, 0.2]))  # borders are repeated
    square = for_wd(Image.new("RGBA", (64, 32), (255, 0, 0, 255)), 32)
    assert square.shape == (1, 3, 32, 32) and square[0, :, 0, 0].tolist() == [1, 1, 1]  # white above the picture
    assert square[0, :, 16, 16].tolist() == [-1, -1, 1]  # blue first


@pytest.fixture
def wd_folder(tmp_path):
    from safetensors.torch import save_file

    from modules.imaging.torchvision_parts import ensure_torchvision

    ensure_torchvision()
    import timm

    arguments = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=3, **arguments).eval()
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    config = {"architecture": "vit_tiny_patch16_224", "model_args": arguments, "pretrained_cfg": {"input_size": [3, 32, 32]}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "selected_tags.csv").write_text("tag_id,name,category,count\n1,general,9,5\n2,1girl,0,4\n3,a_(b),4,3\n")
    return tmp_path, network


def test_a_wd_tagger_gives_what_timm_gives_under_the_names_of_its_table(wd_folder):
    folder, network = wd_folder
    image = Image.linear_gradient("L").convert("RGB")
    found = load_wd_tagger(folder, CPU)(image)
    with torch.inference_mode():
        expected = torch.sigmoid(network(for_wd(image, 32)))[0].tolist()
    assert list(found) == ["rating:general", "1girl", "a_(b)"] and list(found.values()) == pytest.approx(expected)


@pytest.mark.parametrize("change, words", [
    ({"architecture": "hf-hub:someone/something"}, "does not know"), ({"architecture": "../x"}, "does not know"),
    ({"model_args": {"img_size": 64}}, "not those of"), ({"model_args": {"nonsense": 1}}, "not those of"),
])
def test_a_configuration_cannot_lead_anywhere_else(wd_folder, change, words):
    folder, _ = wd_folder
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=words):
        load_wd_tagger(folder, CPU)


def test_missing_neighbours_of_a_tagger_are_named(wd_folder):
    folder, _ = wd_folder
    (folder / "selected_tags.csv").unlink()
    with pytest.raises(WeightsError, match=r"selected_tags\.csv"):
        load_wd_tagger(folder, CPU)


CERTAINTIES = {"rating:safe": 0.99, "long_hair": 0.9, "b_(c)": 0.7, "apple": 0.6, "zebra": 0.4}


@pytest.mark.parametrize("options, text", [
    ({}, r"apple, b \(c\), long hair"), ({"threshold": 0.3}, r"apple, b \(c\), long hair, zebra"),
    ({"sorts_by_name": False}, r"long hair, b \(c\), apple"),
    ({"uses_spaces": False, "escapes": False}, "apple, b_(c), long_hair"), ({"left_out": "long hair, apple "}, r"b \(c\)"),
    ({"shows_ranks": True}, r"(apple:0.600), (b \(c\):0.700), (long hair:0.900)"), ({"threshold": 1.0}, ""),
])
def test_tags_become_text_as_the_settings_say(options, text):
    assert tag_text(CERTAINTIES, TagOptions(**options)) == text
