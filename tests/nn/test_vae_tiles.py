"""The VAE in tiles gives what it gives in one piece, and can be stopped at every tile."""
import pytest
import torch

from modules.nn.families import VaeConfig
from modules.nn.tiling import tiled
from modules.nn.vae import AutoencoderKL
from modules.nn.vae_tiles import areas, decode_in_tiles, encode_in_tiles

# Rounding of sums in another order; levels of a picture are 8e-3 apart on this scale.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def vae() -> AutoencoderKL:
    torch.manual_seed(7)
    return AutoencoderKL(VaeConfig(ch=16, norm_groups=4)).eval().requires_grad_(False)


@pytest.mark.parametrize("size", [(16, 16), (9, 13), (3, 2)], ids=str)
@pytest.mark.parametrize("tile_px", [16, 40, 64, 1024])
def test_tiles_give_the_picture_of_one_piece(vae, size, tile_px):
    latent = torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(1))
    whole = vae.decode(latent)
    assert whole.std() > 0.1 and (decode_in_tiles(vae, latent, tile_px) - whole).abs().max() < TOLERANCE


@pytest.mark.parametrize("size", [(64, 64), (72, 104), (16, 24)], ids=str)
@pytest.mark.parametrize("tile_px", [16, 40, 1024])
def test_tiles_give_the_latents_of_one_piece(vae, size, tile_px):
    pixels = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    whole, parts = vae.encode(pixels), encode_in_tiles(vae, pixels, tile_px)
    assert (parts.mean - whole.mean).abs().max() < TOLERANCE and (parts.logvar - whole.logvar).abs().max() < TOLERANCE


def test_edges_of_a_picture_that_tiles_a_wall_fit_together_too(vae):
    latent = torch.randn(1, 4, 9, 6, generator=torch.Generator().manual_seed(1))
    with tiled(vae):
        assert (decode_in_tiles(vae, latent, 32) - vae.decode(latent)).abs().max() < TOLERANCE
        pixels = vae.decode(latent)
        assert (encode_in_tiles(vae, pixels, 32).mean - vae.encode(pixels).mean).abs().max() < TOLERANCE


def test_half_precision_differs_by_its_own_rounding_alone():
    torch.manual_seed(7)
    exact = AutoencoderKL(VaeConfig(ch=16, norm_groups=4)).eval().requires_grad_(False)
    latent = torch.randn(1, 4, 8, 8)
    wanted = exact.decode(latent)
    half = exact.bfloat16()
    whole, parts = half.decode(latent).float(), decode_in_tiles(half, latent, 32).float()
    assert parts.dtype == torch.float32 and (parts - wanted).abs().mean() < 1.2 * (whole - wanted).abs().mean()


def test_every_tile_is_told_before_its_turn(vae):
    told: list[tuple[int, int]] = []
    decode_in_tiles(vae, torch.randn(1, 4, 9, 6), 32, lambda done, count: told.append((done, count)))
    assert [done for done, _ in told] == list(range(len(told))) and {count for _, count in told} == {len(told)}
    told.clear()
    encode_in_tiles(vae, torch.zeros(1, 3, 72, 48), 32, lambda done, count: told.append((done, count)))
    assert [done for done, _ in told] == list(range(len(told))) and {count for _, count in told} == {len(told)}


def test_what_is_raised_before_a_tile_ends_the_work(vae):
    def stop(done, count):
        if done == 3:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        decode_in_tiles(vae, torch.randn(1, 4, 9, 6), 32, stop)


def test_no_layer_sees_more_than_a_tile_and_its_margin(vae, monkeypatch):
    seen = []
    forward = torch.nn.Conv2d.forward
    monkeypatch.setattr(torch.nn.Conv2d, "forward", lambda conv, x: seen.append(x.shape[-2:]) or forward(conv, x))
    decode_in_tiles(vae, torch.randn(1, 4, 32, 32), 64)
    assert max(max(size) for size in seen) <= 64 + 4  # a margin of one pixel, doubled, at both sides


@pytest.mark.parametrize("height, width, side", [(1, 1, 8), (64, 64, 64), (65, 10, 64), (200, 130, 64)])
def test_areas_cover_a_map_once_and_none_is_larger_than_asked(height, width, side):
    covered = torch.zeros(height, width, dtype=torch.int)
    for area in areas(height, width, side):
        assert 0 < area.bottom - area.top <= side and 0 < area.right - area.left <= side
        covered[area.top:area.bottom, area.left:area.right] += 1
    assert (covered == 1).all()
