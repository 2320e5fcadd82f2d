"""One picture through a network in tiles: equal to the whole picture at once, without a seam, and stopped at any tile."""
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from modules.imaging.tiled_network import Span, TileOptions, enlarged, spans


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, channels), dtype=np.uint8)


def doubled_and_blurred(pixels: Tensor) -> Tensor:
    """Twice the size; each pixel depends on neighbours up to 2 px away in the small picture."""
    kernel = torch.full((pixels.shape[1], 1, 5, 5), 1 / 25, dtype=pixels.dtype)
    blurred = F.conv2d(F.pad(pixels, (2, 2, 2, 2), mode="replicate"), kernel, groups=pixels.shape[1])
    return F.interpolate(blurred, scale_factor=2, mode="nearest")


def whole(network, pixels: np.ndarray, scale: int) -> np.ndarray:
    return enlarged(network, pixels, scale, TileOptions(tile_px=0))


@pytest.mark.parametrize("height, width", [(1, 1), (7, 300), (97, 61), (192, 193), (64, 250)])
@pytest.mark.parametrize("tile, overlap", [(16, 0), (16, 48), (64, 8), (64, 20), (100, 13), (192, 8), (512, 48)])
def test_any_tile_and_overlap_gives_the_size_and_leaves_the_picture_as_it_is(height, width, tile, overlap):
    pixels = picture(height, width)
    assert np.array_equal(enlarged(lambda x: x, pixels, 1, TileOptions(tile_px=tile, overlap_px=overlap)), pixels)


@pytest.mark.parametrize("tile, overlap", [(64, 8), (64, 16), (48, 24), (96, 11), (31, 9)])
def test_tiles_equal_the_whole_where_the_overlap_covers_what_a_network_sees(tile, overlap):
    pixels = picture(150, 211)
    tiled = enlarged(doubled_and_blurred, pixels, 2, TileOptions(tile_px=tile, overlap_px=overlap))
    assert np.abs(tiled.astype(int) - whole(doubled_and_blurred, pixels, 2)).max() <= 1


def test_without_overlap_only_the_pixels_at_the_cuts_differ():
    pixels = picture(128, 128)
    tiled = enlarged(doubled_and_blurred, pixels, 2, TileOptions(tile_px=64, overlap_px=0))
    wrong = np.abs(tiled.astype(int) - whole(doubled_and_blurred, pixels, 2)).max(axis=2) > 1
    far = np.ones(256, bool)
    far[128 - 4:128 + 4] = False
    assert wrong.any() and not wrong[np.ix_(far, far)].any()


def test_tiles_of_different_brightness_meet_without_a_step():
    brightness = iter(np.linspace(0.2, 0.8, 16))
    shaded = enlarged(lambda x: torch.full_like(x, float(next(brightness))), picture(96, 96), 1, TileOptions(tile_px=48, overlap_px=24))
    steps = np.abs(np.diff(shaded.astype(int), axis=1)).max(), np.abs(np.diff(shaded.astype(int), axis=0)).max()
    assert max(steps) <= 40 and shaded.max() - shaded.min() > 60


@pytest.mark.parametrize("length", [1, 50, 192, 193, 200, 512, 1000, 4097])
@pytest.mark.parametrize("tile, overlap", [(192, 8), (64, 0), (20, 7), (512, 48)])
def test_tiles_cover_a_side_are_no_longer_than_asked_and_share_the_overlap(length, tile, overlap):
    found = spans(length, TileOptions(tile_px=tile, overlap_px=overlap))
    assert found[0].start == 0 and found[-1].end == length
    assert all(span.end - span.start <= tile for span in found)
    assert all(before.end - after.start >= overlap for before, after in pairwise(found))
    assert len(found) <= 1 or sum(span.end - span.start for span in found) < length + len(found) * (overlap + 16)


def test_no_tiling_is_one_tile():
    assert spans(5000, TileOptions(tile_px=0)) == [Span(0, 5000)]


def test_networks_that_fold_pixels_see_the_same_folds_in_every_tile():
    def folded(pixels: Tensor) -> Tensor:
        parts = F.pixel_unshuffle(F.pad(pixels, (0, -pixels.shape[3] % 4, 0, -pixels.shape[2] % 4), mode="replicate"), 4)
        return F.pixel_shuffle(parts.flip(1), 4)[..., :pixels.shape[2], :pixels.shape[3]]

    pixels = picture(133, 200)
    inside = (slice(0, 132), slice(0, 200))
    assert np.array_equal(enlarged(folded, pixels, 1, TileOptions(tile_px=64, overlap_px=8))[inside], whole(folded, pixels, 1)[inside])


def test_progress_counts_the_tiles_and_stops_at_any_of_them():
    seen = []
    enlarged(lambda x: x, picture(100, 100), 1, TileOptions(tile_px=64, overlap_px=8), lambda done, of: seen.append((done, of)))
    assert seen == [(number, 4) for number in range(5)]

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    calls = []
    with pytest.raises(KeyboardInterrupt):
        enlarged(lambda x: calls.append(1) or x, picture(100, 100), 1, TileOptions(tile_px=64, overlap_px=8), stop)
    assert len(calls) == 2


def test_a_network_never_sees_more_than_a_tile():
    sizes = []
    enlarged(lambda x: sizes.append(tuple(x.shape[2:])) or x, picture(300, 700), 1, TileOptions(tile_px=96, overlap_px=8))
    assert max(max(size) for size in sizes) <= 96
