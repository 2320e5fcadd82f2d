"""Devices and number formats under the names of A1111's `devices`."""
import contextlib

import torch

from modules import runtime
from modules._live import live

cpu = torch.device("cpu")


def torch_gc() -> None:
    """Give memory that is no longer used back."""
    runtime.current().hardware.gc()


def autocast(disable: bool = False):
    """The scope in which networks run; with `disable` a scope that changes nothing."""
    return contextlib.nullcontext() if disable else runtime.current().hardware.autocast()


def without_autocast(disable: bool = False):
    """A scope in which no automatic conversion of numbers happens."""
    device = runtime.current().hardware.device.type
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled() and not disable else contextlib.nullcontext()


def get_optimal_device() -> torch.device:
    """The device of the U-Net."""
    return runtime.current().hardware.device


def get_optimal_device_name() -> str:
    """Its name, e.g. "cuda"."""
    return str(get_optimal_device())


def get_device_for(task: str) -> torch.device:
    """The device of one part of the work."""
    return runtime.current().hardware.device_of(task)


class NansException(Exception):
    """Numbers of a network that are not finite."""


def test_for_nans(x, where: str = "") -> None:
    """Raise NansException when all numbers are none."""
    if not runtime.current().args.disable_nan_check and torch.isnan(x).all():
        raise NansException(f"The {where or 'network'} gave numbers that are not finite.")


def has_mps() -> bool:
    """Whether the card is one of Apple's."""
    return torch.backends.mps.is_available()


def has_xpu() -> bool:
    """Whether the card is one of Intel's."""
    return hasattr(torch, "xpu") and torch.xpu.is_available()


def cond_cast_unet(tensor):
    """In the numbers of the U-Net."""
    return tensor.to(runtime.current().hardware.unet_dtype)


cond_cast_float = lambda tensor: tensor.float()
fp8 = unet_needs_upcast = force_fp16 = False
dtype_inference = torch.float32

live(__name__, computed={
    "device": get_optimal_device,
    "device_interrogate": get_optimal_device, "device_gfpgan": get_optimal_device, "device_esrgan": get_optimal_device,
    "device_codeformer": get_optimal_device,
    "dtype": lambda: runtime.current().hardware.unet_dtype,
    "dtype_unet": lambda: runtime.current().hardware.unet_dtype,
    "dtype_vae": lambda: runtime.current().hardware.vae_dtype,
})
