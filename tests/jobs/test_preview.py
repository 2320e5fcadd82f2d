"""Live previews: factors, grids, pace and formats."""
import io

import pytest
import torch
from PIL import Image

from modules.jobs.preview import Previewer, PreviewOptions, encode_preview, linear_decoder, tiled


def test_each_preview_pixel_is_a_linear_combination_of_one_latent_pixel():
    factors, bias = torch.randn(4, 3), torch.randn(3)
    latent = torch.randn(2, 4, 5, 6)
    pixels = linear_decoder(factors, bias)(latent)
    assert pixels.shape == (2, 3, 5, 6)
    assert torch.allclose(pixels[1, :, 2, 3], latent[1, :, 2, 3] @ factors + bias, atol=1e-6)


@pytest.mark.parametrize("count, rows, columns", [(1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 2), (5, 2, 3), (8, 3, 3)])
def test_a_batch_is_shown_as_a_grid(count, rows, columns):
    pixels = torch.arange(count).float().reshape(count, 1, 1, 1).expand(count, 3, 4, 6)
    sheet = tiled(pixels)
    assert sheet.shape == (3, rows * 4, columns * 6)
    assert [sheet[0, n // columns * 4, n % columns * 6] for n in range(count)] == list(range(count))


def test_previews_come_every_n_steps_and_at_most_so_many_per_second():
    now = [0.0]
    previewer = Previewer(lambda latent: latent[:, :3], PreviewOptions(every_n_steps=2, per_second=3), clock=lambda: now[0])
    latent, made = torch.zeros(1, 4, 2, 2), []
    for step in range(1, 21):
        now[0] += 0.1
        if previewer.is_due(step):
            previewer.picture(latent)
            made.append(step)
    assert made == [2, 6, 10, 14, 18]


def test_no_previews_when_every_zero_steps():
    assert not Previewer(lambda latent: latent, PreviewOptions(every_n_steps=0)).is_due(0)


def test_previews_leave_the_random_stream_alone():
    previewer = Previewer(lambda latent: torch.randn(1, 3, 4, 4), PreviewOptions())
    torch.manual_seed(1)
    expected = torch.randn(3)
    torch.manual_seed(1)
    previewer.picture(torch.zeros(1, 4, 4, 4))
    assert torch.equal(torch.randn(3), expected)


def test_values_outside_the_range_and_nan_are_shown_not_raised():
    latent = torch.tensor([float("nan"), -9.0, 0.0, 9.0]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    picture = Previewer(lambda latent: latent, PreviewOptions()).picture(latent)
    assert [picture.getpixel((x, y))[0] for y in (0, 1) for x in (0, 1)] == [0, 0, 128, 255]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_the_longer_side_is_limited(kind):
    preview = encode_preview(Image.new("RGB", (200, 100)), PreviewOptions(format=kind, max_side_px=50))
    picture = Image.open(io.BytesIO(preview.data))
    assert picture.size == (50, 25) and picture.get_format_mimetype() == preview.mime
