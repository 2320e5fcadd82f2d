"""How latents become previews: the method that the settings name, or another one and a sentence why."""
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from modules.generation.previews import decoder
from modules.jobs.preview import Previewer, PreviewOptions
from modules.nn.families import VaeConfig
from modules.nn.taesd import ApproxDecoder, TaesdDecoder

LATENTS = torch.linspace(-1, 1, 4 * 6 * 5).reshape(1, 4, 6, 5)


def model(is_sdxl=False):
    """As far as previews look at it."""
    return SimpleNamespace(is_sdxl=is_sdxl, architecture=SimpleNamespace(vae=VaeConfig()), decode_first_stage=lambda latents: "full")


def written(network, path):
    torch.manual_seed(3)
    network = network()
    if path.suffix == ".safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path)
    return network


@pytest.mark.parametrize("method, network, name, is_sdxl", [
    ("TAESD", TaesdDecoder, "taesd_decoder.pth", False), ("TAESD", TaesdDecoder, "taesdxl_decoder.safetensors", True),
    ("Approx NN", ApproxDecoder, "model.pt", False), ("Approx NN", ApproxDecoder, "vaeapprox-sdxl.pt", True)])
def test_a_small_network_is_used_where_its_file_is(tmp_path, method, network, name, is_sdxl):
    expected, notes = written(network, tmp_path / name), []
    decode = decoder(model(is_sdxl), method, [tmp_path / "empty", tmp_path], notes.append)
    with torch.no_grad():
        assert torch.equal(decode(LATENTS), expected(LATENTS)) and not notes
    picture = Previewer(decode, PreviewOptions()).picture(LATENTS)
    assert picture.size == ((40, 48) if method == "TAESD" else (10, 12))


def test_a_missing_file_is_told_once_it_was_asked_for_and_the_cheapest_way_is_used(tmp_path):
    notes = []
    decode = decoder(model(), "TAESD", [tmp_path], notes.append)
    assert decode(LATENTS).shape == (1, 3, 6, 5)
    assert notes == [f"Live previews by TAESD need the file taesd_decoder.pth in {tmp_path}; Approx cheap is used until it is there."]
    assert decoder(model(), "Approx NN", [tmp_path], notes.append)(LATENTS).shape == (1, 3, 6, 5) and len(notes) == 1


@pytest.mark.parametrize("content", [b"<html>404", b"", "other layers"])
def test_a_file_that_is_no_decoder_is_told_with_its_reason(tmp_path, content):
    path = tmp_path / "taesd_decoder.safetensors"
    save_file({"a": torch.zeros(1)}, path) if isinstance(content, str) else path.write_bytes(content)
    notes = []
    assert decoder(model(), "TAESD", [tmp_path], notes.append)(LATENTS).shape == (1, 3, 6, 5)
    assert len(notes) == 1 and "taesd_decoder.safetensors" in notes[0] and "Approx cheap" in notes[0]


def test_full_is_the_whole_decoder():
    assert decoder(model(), "Full")(LATENTS) == "full"


def test_a_model_with_an_autoencoder_of_its_own_has_the_cheapest_previews(runtime, tmp_path):
    written(TaesdDecoder, tmp_path / "taesd_decoder.pth")
    tiny = runtime.models.ensure(runtime.chosen_checkpoint())
    assert decoder(tiny, "TAESD", [tmp_path])(LATENTS).shape == (1, 3, 6, 5)
