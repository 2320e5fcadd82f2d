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


live(__name__, computed={
    "device": get_optimal_device,
    "dtype": lambda: runtime.current().hardware.unet_dtype,
    "dtype_unet": lambda: runtime.current().hardware.unet_dtype,
    "dtype_vae": lambda: runtime.current().hardware.vae_dtype,
})
