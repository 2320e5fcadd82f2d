"""Where the model runs and in which numbers: device, dtype per part, autocast, free memory."""
from __future__ import annotations

import gc
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch

from modules.errors import UserError
from modules.nn.latent_diffusion import LatentDiffusion
from modules.nn.layers import layout

Part = Literal["unet", "vae", "text", "tables"]
Precision = Literal["autocast", "full", "half"]

_MEMORY_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


@dataclass(frozen=True, kw_only=True)
class HardwareOptions:
    """What the command line says. use_cpu: parts to keep on the CPU ("all", "unet", "vae", "text"). device_id: number of the card."""

    use_cpu: tuple[str, ...] = ()
    device_id: str | int | None = None
    precision: Precision = "autocast"
    no_half: bool = False
    no_half_vae: bool = False


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """The device in use and the numbers of each part of a model."""

    device: torch.device
    unet_dtype: torch.dtype
    vae_dtype: torch.dtype
    text_dtype: torch.dtype
    cpu_parts: frozenset[str] = frozenset()

    @staticmethod
    def detect(options: HardwareOptions | None = None) -> Hardware:
        """The best device of this machine within what the options allow. Raises UserError for a card that is not there."""
        options = options or HardwareOptions()
        device = _device(options)
        half = _half_dtype(device, options)
        vae = torch.float32 if options.no_half_vae or device.type == "mps" else half
        return Hardware(device=device, unet_dtype=half, vae_dtype=vae, text_dtype=half, cpu_parts=frozenset(options.use_cpu) - {"all"})

    def layout_of(self, part: Part | str) -> torch.memory_format:
        """How the convolution weights of this part of a model are laid out."""
        return layout(self.device_of(part)) if part == "unet" else torch.contiguous_format

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the U-Net."""
        return self.unet_dtype

    def device_of(self, part: Part | str) -> torch.device:
        """Where this part of a model runs."""
        return torch.device("cpu") if part in self.cpu_parts else self.device

    def dtype_of(self, part: Part | str) -> torch.dtype:
        """The numbers in which this part of a model is kept; 16-bit floats are for cards, the CPU lacks their arithmetic."""
        wanted = {"unet": self.unet_dtype, "vae": self.vae_dtype, "text": self.text_dtype}.get(part, torch.float32)
        on_cpu = self.device_of(part).type == "cpu"
        return torch.float32 if on_cpu and wanted == torch.float16 else wanted

    def place(self, model: LatentDiffusion, *, is_waiting: bool = False) -> LatentDiffusion:
        """Move each part of a model to its device, or leave it where it was read if it `is_waiting`; returns the model."""
        if not is_waiting:
            model.model.to(self.device_of("unet"))
            model.first_stage_model.to(self.device_of("vae"))
            model.cond_stage_model.to(self.device_of("text"))
        for name, table in model.named_buffers(recurse=False):
            setattr(model, name, table.to(self.device))
        return model

    def autocast(self) -> AbstractContextManager:
        """A scope for code that mixes numbers of different kinds; networks here convert their inputs themselves."""
        if self.unet_dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.unet_dtype)

    def free_memory(self) -> int:
        """Bytes that can still be allocated on the device."""
        if self.device.type == "cuda":
            return torch.cuda.mem_get_info(self.device)[0]
        import psutil

        return psutil.virtual_memory().available

    def gc(self) -> None:
        """Give memory that is no longer used back to the system."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.device.type == "mps":
            torch.mps.empty_cache()
        else:
            _trim_heap()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the processor or a graphics card; told by type or text, which differ between devices."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _MEMORY_SIGNS)


def _device(options: HardwareOptions) -> torch.device:
    if "all" in options.use_cpu:
        return torch.device("cpu")
    if torch.cuda.is_available():
        number = _card_number(options.device_id)
        return torch.device("cuda", number) if number is not None else torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _card_number(device_id: str | int | None) -> int | None:
    if device_id in (None, ""):
        return None
    text = str(device_id).removeprefix("cuda:")
    count = torch.cuda.device_count()
    if not text.isdigit() or int(text) >= count:
        raise UserError(f"There is no graphics card {device_id}.", f"This machine has cards 0 to {count - 1}.", "Change --device-id.")
    return int(text)


def _half_dtype(device: torch.device, options: HardwareOptions) -> torch.dtype:
    """16-bit numbers where they pay. On the CPU that is bfloat16, and only when asked for: pictures change by it."""
    if options.no_half or options.precision == "full":
        return torch.float32
    if device.type == "cpu":
        return torch.bfloat16 if options.precision == "half" else torch.float32
    return torch.float16


def _trim_heap() -> None:
    """glibc keeps freed memory for later; a model that was unloaded should be seen to be gone."""
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
