"""All upscalers by name: what is listed without loading it, what a name finds, and pictures of every kind through a network."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound, UserError
from modules.folders import Folders
from modules.hardware import Hardware, HardwareOptions
from modules.imaging.tiled_network import TileOptions
from modules.imaging.upscaler_table import UpscalerTable

CPU = Hardware.detect(HardwareOptions(use_cpu=("all",)))
ROOT = Path(__file__).parents[2]


def pixel_doubler(path: Path, *, shift: float = 0.0, scale: int = 2) -> Path:
    """A network in the layout of realesr-general: it repeats each pixel and adds `shift` to the first channel."""
    body = [nn.Conv2d(3, 4, 3, padding=1), nn.PReLU(4), nn.Conv2d(4, 3 * scale * scale, 3, padding=1)]
    for part in (body[0], body[2]):
        nn.init.zeros_(part.weight)
        nn.init.zeros_(part.bias)
    body[2].bias.data[:scale * scale] = shift
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {f"body.{place}.{name}": value for place, part in enumerate(body) for name, value in part.state_dict().items()}
    torch.save({"params": state}, path)
    return path


def table(folder: Path, **options) -> UpscalerTable:
    return UpscalerTable(lambda: [folder], CPU, lambda kind: TileOptions(tile_px=64, overlap_px=8), **options)


def picture(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(1).integers(0, 255, (size[1], size[0], channels), dtype=np.uint8)
    return Image.fromarray(values.squeeze() if channels == 1 else values, mode)


def test_files_are_listed_by_name_behind_those_that_need_none(tmp_path):
    for name in ("ESRGAN/b.pth", "ESRGAN/sub/A.safetensors", "RealESRGAN/RealESRGAN_x4plus.pth", "SwinIR/b.pth", "ESRGAN/readme.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert table(tmp_path).names() == ["None", "Lanczos", "Nearest", "A", "b", "b (SwinIR)", "R-ESRGAN 4x+"]


def test_listing_imports_no_package_of_networks(tmp_path):
    (tmp_path / "x.pth").touch()
    code = ("import sys; sys.path.insert(0, 'tests/imaging')\nfrom pathlib import Path\nfrom test_upscaler_table import table\n"
            f"print(table(Path({str(tmp_path)!r})).names()[-1], [n for n in ('spandrel', 'torchvision', 'basicsr') if n in sys.modules])")
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "x []"


def test_a_known_upscaler_that_is_missing_says_which_file_it_needs_and_where(tmp_path):
    with pytest.raises(NotFound, match=r"RealESRGAN_x4plus.pth \(67 MB, https://.*\) in models/RealESRGAN"):
        table(tmp_path).find("r-esrgan 4x+")
    with pytest.raises(NotFound, match="Choose one of: None, Lanczos, Nearest"):
        table(tmp_path).find("nothing")


def test_a_network_repeated_and_brought_to_the_exact_size_on_the_grid(tmp_path):
    pixel_doubler(tmp_path / "2x_plain.pth")
    upscaler = table(tmp_path).find("2x_plain")
    assert upscaler.scale == 2
    assert upscaler(picture(), 2).tobytes() == picture().resize((80, 48), Image.Resampling.NEAREST).tobytes()
    assert upscaler(picture(), 4).size == (160, 96)
    assert upscaler(picture(), 2.5).size == (96, 56)
    assert upscaler(picture(), 20).size == (800, 480)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_kind_of_picture_stays_and_alpha_is_scaled_beside_it(tmp_path, mode):
    pixel_doubler(tmp_path / "2x_red.pth", shift=0.2)
    made = table(tmp_path).find("2x_red")(picture(mode), 2)
    assert made.mode == mode and made.size == (80, 48)
    if mode == "RGBA":
        assert made.getchannel("A").tobytes() == picture(mode).getchannel("A").resize((80, 48), Image.Resampling.LANCZOS).tobytes()


@pytest.mark.parametrize("name", ["Lanczos", "Nearest", "2x_plain"])
def test_a_picture_of_one_pixel_becomes_larger(tmp_path, name):
    pixel_doubler(tmp_path / "2x_plain.pth")
    made = table(tmp_path).find(name)(Image.new("RGB", (1, 1), "#102030"), 4)
    assert made.size == (4, 4) and made.getpixel((2, 2)) == (16, 32, 48)


def test_a_cleaning_network_works_once_at_its_own_size(tmp_path):
    pixel_doubler(tmp_path / "1x_red.pth", shift=0.2, scale=1)
    made = np.asarray(table(tmp_path).find("1x_red")(picture(), 1)).astype(int)
    assert np.abs(made[..., 0] - np.minimum(np.asarray(picture()).astype(int)[..., 0] + 51, 255)).max() <= 1


def test_a_result_beyond_the_limit_is_one_sentence(tmp_path):
    pixel_doubler(tmp_path / "8x.pth", scale=8)
    with pytest.raises(UserError, match=r"32,000 x 32,000 pixels on the way; the limit is 400 megapixels"):
        table(tmp_path).find("8x")(Image.new("RGB", (4000, 4000)), 8)


def test_a_broken_file_is_named_when_it_is_used_and_the_next_one_works(tmp_path):
    (tmp_path / "bad.pth").write_bytes(b"<!doctype html>")
    pixel_doubler(tmp_path / "2x_plain.pth")
    upscalers = table(tmp_path)
    with pytest.raises(WeightsError, match=r"Cannot load bad.pth. It is a web page"):
        upscalers.find("bad")(picture(), 2)
    assert upscalers.find("2x_plain")(picture(), 2).size == (80, 48)


def test_a_file_is_loaded_once_and_again_when_it_changed(tmp_path):
    path = pixel_doubler(tmp_path / "2x.pth")
    upscalers = table(tmp_path)
    network = upscalers.network(path)
    assert upscalers.network(path) is network
    pixel_doubler(path, shift=0.5, scale=4)
    assert upscalers.network(path).scale == 4


def test_tiles_are_told_of_and_may_stop_the_work(tmp_path):
    pixel_doubler(tmp_path / "2x.pth")
    seen = []
    upscalers = table(tmp_path)
    with upscalers.watched(lambda done, of: seen.append((done, of))):
        upscalers.find("2x")(picture(size=(100, 60)), 2)
    assert seen == [(0, 2), (1, 2), (2, 2)]


def test_half_precision_gives_the_picture_within_a_level(tmp_path):
    upscalers = table(tmp_path)
    path = pixel_doubler(tmp_path / "2x.pth", shift=0.1)
    whole = np.asarray(upscalers.find("2x")(picture(), 2)).astype(int)
    upscalers.network(path).module.half()
    assert np.abs(np.asarray(upscalers.find("2x")(picture(), 2)).astype(int) - whole).max() <= 1


def test_numbers_too_large_for_half_precision_are_computed_again(tmp_path):
    upscalers = table(tmp_path)
    path = pixel_doubler(tmp_path / "2x.pth")
    network = upscalers.network(path)
    network.module.half()
    network.module.body[2].bias.data.fill_(float("inf"))  # minus infinity times zero is what half precision makes of large numbers
    with pytest.raises(WeightsError, match="NaN"):
        upscalers._call(path, network, torch.full((1, 3, 16, 16), float("nan")))
    assert next(network.module.parameters()).dtype == torch.float32


def test_tiles_are_halved_until_the_memory_suffices(tmp_path, caplog):
    pixel_doubler(tmp_path / "2x.pth")
    upscalers = table(tmp_path)
    network = upscalers.network(tmp_path / "2x.pth")
    sizes, room = [], 33

    def short_of_memory(pixels: torch.Tensor) -> torch.Tensor:
        sizes.append(max(pixels.shape[2:]))
        if sizes[-1] > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.nn.functional.interpolate(pixels, scale_factor=2)

    object.__setattr__(network, "call", short_of_memory)
    made = upscalers.find("2x")(picture(size=(160, 96)), 2)
    assert made.tobytes() == picture(size=(160, 96)).resize((320, 192), Image.Resampling.NEAREST).tobytes()
    assert max(sizes) > room and sizes[-1] <= room and "tiles of 32 px are tried" in caplog.text
    room = 0
    with pytest.raises(UserError, match="not enough memory"):
        upscalers.find("2x")(picture(), 2)


def test_the_bundled_network_beats_lanczos_on_what_it_was_not_trained_on():
    demo = Folders().demo_upscaler
    upscalers = UpscalerTable(lambda: [], CPU, lambda kind: TileOptions(), bundled={"easel-demo 2x": demo})
    assert demo.stat().st_size < 2_000_000 and "easel-demo 2x" in upscalers.names()
    from tools.demo_model.render import render
    from tools.demo_model.scenes import random_scene

    rng = np.random.default_rng(5)
    gains = []
    for _ in range(12):
        wanted = np.asarray(render(random_scene(rng), 128, 128))
        small = Image.fromarray(wanted).resize((64, 64), Image.Resampling.LANCZOS)
        errors = [((np.asarray(upscalers.find(name)(small, 2), np.float64) - wanted) ** 2).mean() for name in ("easel-demo 2x", "Lanczos")]
        gains.append(10 * np.log10(errors[1] / errors[0]))
    assert np.mean(gains) > 2 and sum(gain > 0 for gain in gains) >= 10
