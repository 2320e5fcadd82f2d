"""Files of upscaling networks: recognised by content, equal to their packages, refused with the reason."""
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from modules.checkpoints.problems import WeightsError
from modules.imaging.torchvision_parts import ensure_torchvision
from modules.imaging.upscaler_files import load_upscaler, scale_in_name


def rrdb(scale: int) -> nn.Module:
    from basicsr.archs.rrdbnet_arch import RRDBNet

    return RRDBNet(num_in_ch=3, num_out_ch=3, scale=scale, num_feat=8, num_block=2, num_grow_ch=32)


def compact(scale: int) -> nn.Module:
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    return SRVGGNetCompact(num_feat=8, num_conv=3, upscale=scale)


def old_esrgan(scale: int) -> nn.Module:
    from spandrel.architectures.ESRGAN import ESRGAN

    return ESRGAN(num_filters=8, num_blocks=2, scale=scale)


def swinir(scale: int) -> nn.Module:
    from spandrel.architectures.SwinIR import SwinIR

    return SwinIR(upscale=scale, img_size=16, window_size=8, depths=[2], embed_dim=12, num_heads=[2], upsampler="pixelshuffle")


def dat(scale: int) -> nn.Module:
    from spandrel.architectures.DAT import DAT

    return DAT(upscale=scale, split_size=[4, 4], embed_dim=36, depth=[2], num_heads=[2], img_size=16)


def hat(scale: int) -> nn.Module:
    from spandrel.architectures.HAT import HAT

    return HAT(upscale=scale, img_size=16, window_size=8, embed_dim=36, depths=[2], num_heads=[2], upsampler="pixelshuffle")


def scunet(scale: int) -> nn.Module:
    from spandrel.architectures.SCUNet import SCUNet

    return SCUNet(config=[1, 1, 1, 1, 1, 1, 1], dim=64)


NETWORKS: dict[str, tuple[Callable[[int], nn.Module], int, str]] = {
    "RealESRGAN_x4plus": (rrdb, 4, "ESRGAN"), "RealESRGAN_x2plus": (rrdb, 2, "ESRGAN"), "realesr-general-x4v3": (compact, 4, "Compact"),
    "4x_old": (old_esrgan, 4, "ESRGAN"), "2x_swin": (swinir, 2, "SwinIR"), "DAT_x2": (dat, 2, "DAT"), "HAT_x4": (hat, 4, "HAT"),
    "scunet": (scunet, 1, "SCUNet")}


def written(folder: Path, name: str, wrapping: str = "params_ema", suffix: str = ".pth") -> Path:
    """A file of random weights in the layout in which such networks are published."""
    ensure_torchvision()
    torch.manual_seed(len(name))
    state = NETWORKS[name][0](NETWORKS[name][1]).state_dict()
    path = folder / f"{name}{suffix}"
    if suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        torch.save({wrapping: state} if wrapping else state, path)
    return path


def pixels(height: int = 24, width: int = 32) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_recognised_and_gives_the_numbers_of_spandrel(tmp_path, name):
    path = written(tmp_path, name)
    network = load_upscaler(path)
    import spandrel

    peer = spandrel.ModelLoader().load_from_file(path).eval()
    assert (network.scale, network.kind, network.channels) == (NETWORKS[name][1], NETWORKS[name][2], 3)
    torch.testing.assert_close(network(pixels()), peer(pixels()), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["RealESRGAN_x4plus", "RealESRGAN_x2plus", "realesr-general-x4v3"])
def test_real_esrgan_gives_the_bytes_of_its_own_package(tmp_path, name):
    build, scale, _ = NETWORKS[name]
    path = written(tmp_path, name)
    from realesrgan import RealESRGANer

    program = RealESRGANer(scale=scale, model_path=str(path), model=build(scale), tile=0, pre_pad=0, half=False, device="cpu")
    given = (pixels()[0].permute(1, 2, 0) * 255).round().byte().numpy()
    theirs = program.enhance(given[:, :, ::-1])[0][:, :, ::-1]
    ours = load_upscaler(path)(torch.from_numpy(given).permute(2, 0, 1)[None].float() / 255)[0].permute(1, 2, 0).mul(255).round().byte()
    assert np.array_equal(ours.numpy(), theirs)


def test_real_esrgan_is_the_network_of_its_package_and_spandrels_where_that_is_missing(tmp_path, monkeypatch):
    path = written(tmp_path, "RealESRGAN_x2plus")
    assert type(load_upscaler(path).module).__module__ == "basicsr.archs.rrdbnet_arch"
    monkeypatch.setitem(__import__("sys").modules, "basicsr.archs.rrdbnet_arch", None)
    spare = load_upscaler(path)
    assert type(spare.module).__module__.startswith("spandrel") and spare.scale == 2


@pytest.mark.parametrize("wrapping, suffix", [("params", ".pth"), ("state_dict", ".pt"), ("", ".pth"), ("model", ".ckpt"),
                                              ("", ".safetensors")])
def test_weights_are_found_wherever_in_the_file_they_lie(tmp_path, wrapping, suffix):
    path = written(tmp_path, "realesr-general-x4v3", wrapping, suffix)
    assert torch.equal(load_upscaler(path)(pixels()), load_upscaler(written(tmp_path, "realesr-general-x4v3"))(pixels()))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("height, width", [(1, 1), (17, 23)])
def test_pictures_of_any_size_come_out_scaled(tmp_path, name, height, width):
    network = load_upscaler(written(tmp_path, name))
    assert network(pixels(height, width)).shape == (1, 3, height * network.scale, width * network.scale)


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("run",))


def spoiled(folder: Path, kind: str) -> Path:
    path = folder / "bad.pth"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "web page":
        path.write_bytes(b"<!DOCTYPE html><html>not found</html>")
    elif kind == "truncated":
        path.write_bytes(written(folder, "RealESRGAN_x4plus").read_bytes()[:9000])
    elif kind == "code":
        torch.save({"params": Evil()}, path)
    elif kind == "foreign":
        torch.save({"encoder.layer.0.weight": torch.ones(3, 3)}, path)
    elif kind == "missing keys":
        state = torch.load(written(folder, "RealESRGAN_x4plus"))["params_ema"]
        torch.save({name: value for name, value in state.items() if "rdb2" not in name}, path)
    elif kind == "NaN":
        state = torch.load(written(folder, "RealESRGAN_x4plus"))["params_ema"]
        state["conv_first.weight"][0, 0, 0, 0] = float("nan")
        torch.save(state, path)
    elif kind == "pointer":
        path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    elif kind == "deflated":
        with zipfile.ZipFile(written(folder, "scunet")) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for member in whole.namelist():
                packed.writestr(member, whole.read(member))
    elif kind == "script":
        torch.jit.script(nn.Linear(2, 2)).save(str(path))
    return path


REASONS = {"empty": "empty", "web page": "web page", "truncated": "truncated", "code": "foreign code", "foreign": "no architecture",
           "missing keys": "do not fit", "NaN": "NaN", "script": "files of weights do not have",
           "pointer": "git-lfs", "deflated": "compressed"}


@pytest.mark.parametrize("kind", REASONS)
def test_a_file_that_is_no_upscaler_is_refused_with_the_reason(tmp_path, kind, capsys):
    with pytest.raises(WeightsError, match=REASONS[kind]) as caught:
        load_upscaler(spoiled(tmp_path, kind))
    assert "bad.pth" in str(caught.value) and "\n" not in str(caught.value) and "run" not in capsys.readouterr().out


def test_a_network_for_faces_is_named_as_such(tmp_path):
    ensure_torchvision()
    from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean

    state = GFPGANv1Clean(out_size=32, num_style_feat=16, channel_multiplier=0.25, narrow=0.1).state_dict()
    path = tmp_path / "GFPGANv1.4.pth"
    torch.save({"params_ema": state}, path)
    with pytest.raises(WeightsError, match=r"GFPGAN|do not fit"):
        load_upscaler(path)


@pytest.mark.parametrize("stem, scale", [("4x-UltraSharp", 4), ("RealESRGAN_x2plus", 2), ("2xLexica", 2), ("foolhardy", 4), ("1x_ITF", 1),
                                         ("003_realSR_SwinIR-L_x4_GAN", 4), ("x64tools", 4)])
def test_the_scale_is_read_off_the_name(stem, scale):
    assert scale_in_name(stem) == scale
