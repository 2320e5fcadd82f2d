"""The network of CodeFormer, against values that its published code gives for the same numbers, and against spandrel's copy of it."""
import pytest
import torch
from torch import Tensor

from modules.imaging.codeformer_network import CodeFormer

# Of a network for faces of 64 px: 4 places, 16 codes, a transformer of width 64 with 2 layers.
SMALL = {"codes": 16, "positions": 4, "width": 64, "inner": 128, "layers": 2}
# weight -> the last of 27 values at every 21st row and 23rd column, as spandrel_extra_arches 0.2.0 computed them.
RECORDED = {
    0: (-0.03806, 0.22944, -0.03034, -0.06026, -0.15532, -0.17718, -0.05417, -0.07218, -0.06742, -0.63033, -1.5735, -1.21861),
    0.5: (-0.29856, -0.59384, -0.64134, -0.06121, -0.07183, -0.04533, -0.04911, -0.02611, -0.03232, 0.04416, -2.38153, -2.34518),
    1: (-0.81466, -1.4793, -1.74543, -0.07167, -0.06997, -0.04324, -0.02227, 0.01943, 0.04221, -0.04269, 0.1386, -0.24825),
}


def numbers(shape: tuple[int, ...], seed: int) -> Tensor:
    """Numbers in -1..1 that every machine computes alike."""
    flat = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(flat * (0.7 + 0.01 * (seed % 50)) + seed).reshape(shape).float()


def weights(network: torch.nn.Module) -> dict[str, Tensor]:
    found = {}
    for seed, (name, value) in enumerate(sorted(network.state_dict().items())):
        spread = torch.Size(value.shape[1:]).numel() ** -0.5 if value.ndim > 1 else 0.1
        found[name] = numbers(tuple(value.shape), seed) * 1.4 * spread + (1 if name.endswith("weight") and value.ndim == 1 else 0)
    return found


@pytest.fixture(scope="module")
def given() -> dict[str, Tensor]:
    with torch.device("meta"):
        network = CodeFormer(**SMALL)
    return weights(network)


@pytest.mark.parametrize("weight", RECORDED)
def test_faces_are_those_of_the_published_network(weight, given):
    network = CodeFormer.of_weights(given)
    with torch.inference_mode():
        face = network(numbers((1, 3, 64, 64), 99), weight)
    assert torch.allclose(face[0, :, ::21, ::23].flatten()[:12], torch.tensor(RECORDED[weight]), atol=2e-3)


def test_sizes_are_read_off_the_weights_and_others_are_refused(given):
    network = CodeFormer.of_weights(given)
    assert set(network.state_dict()) == set(given) and len(network.ft_layers) == 2
    with pytest.raises((RuntimeError, KeyError)):
        CodeFormer.of_weights({"position_emb": given["position_emb"]})


def test_the_layout_is_that_of_the_published_file():
    with torch.device("meta"):
        state = CodeFormer().state_dict()
    assert len(state) == 515  # as counted in codeformer.pth v0.1.0
    assert state["fuse_convs_dict.256.scale.0.weight"].shape == (128, 128, 3, 3)
    assert state["quantize.embedding.weight"].shape == (1024, 256) and state["ft_layers.8.self_attn.in_proj_weight"].shape == (1536, 512)


@pytest.mark.long
def test_a_whole_face_is_the_one_that_spandrel_makes():
    pytest.importorskip("spandrel_extra_arches", reason="a package with a licence of its own; pip install --no-deps spandrel_extra_arches")
    from modules.imaging.torchvision_parts import ensure_torchvision

    ensure_torchvision()
    from spandrel_extra_arches.architectures.CodeFormer import CodeFormer as Peer

    peer = Peer().eval()
    given = weights(peer)
    peer.load_state_dict(given)
    face = numbers((1, 3, 512, 512), 99)
    with torch.inference_mode():
        expected, found = peer(face, 0.5)[0], CodeFormer.of_weights(given)(face, 0.5)
    assert (found - expected).abs().max() < 2e-3 * expected.abs().max()
