"""The small decoders against diffusers, and against their definition."""
import torch
from hidden_torchvision import imported
from torch.nn import functional as F

from modules.nn.taesd import ApproxDecoder, TaesdDecoder


def test_taesd_equals_diffusers_on_the_same_weights():
    torch.manual_seed(0)
    ours, peer = TaesdDecoder().eval(), imported("diffusers", "AutoencoderTiny").AutoencoderTiny().eval()
    weights = {key: torch.randn_like(value) * 0.05 for key, value in ours.state_dict().items()}
    ours.load_state_dict(weights)
    # diffusers counts layers without the clamp that comes first in the file.
    theirs = {f"decoder.layers.{int(key.split('.')[0]) - 1}.{key.partition('.')[2]}": value for key, value in weights.items()}
    missing = peer.load_state_dict(theirs, strict=False)
    assert not missing.unexpected_keys and not [key for key in missing.missing_keys if key.startswith("decoder")]
    latents = torch.randn(2, 4, 6, 5) * 2
    with torch.no_grad():
        expected, made = peer.decode(latents).sample, ours(latents)
    assert made.shape == (2, 3, 48, 40)
    assert (made - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_taesd_has_the_keys_of_its_file():
    keys = list(TaesdDecoder().state_dict())
    assert keys[:4] == ["1.weight", "1.bias", "3.conv.0.weight", "3.conv.0.bias"] and keys[-1] == "19.bias" and "7.bias" not in keys


def test_approx_nn_is_eight_convolutions_of_the_latent_at_double_size():
    torch.manual_seed(0)
    network, latents = ApproxDecoder().eval(), torch.randn(1, 4, 5, 7)
    weights = network.state_dict()
    x = F.pad(latents.repeat_interleave(2, 2).repeat_interleave(2, 3), (11, 11, 11, 11))
    for number in range(1, 9):
        x = F.conv2d(x, weights[f"conv{number}.weight"], weights[f"conv{number}.bias"])
        x = torch.where(x > 0, x, 0.1 * x)
    with torch.no_grad():
        made = network(latents)
    assert made.shape == (1, 3, 10, 14) and torch.equal(made, x)
    assert [weights[f"conv{number}.weight"].shape[-1] for number in range(1, 9)] == [7, 5, 3, 3, 3, 3, 3, 3]
