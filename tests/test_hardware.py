"""Flags and machine decide where a model runs and in which numbers."""
import pytest
import torch

from modules.errors import UserError
from modules.hardware import Hardware, HardwareOptions


@pytest.fixture
def card(monkeypatch):
    """A machine with two graphics cards, as far as torch says."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def kinds(hardware):
    return [str(hardware.dtype_of(part)).removeprefix("torch.") for part in ("unet", "vae", "text", "tables")]


def test_the_processor_works_in_32_bits_unless_half_is_asked_for(no_card):
    assert kinds(Hardware.detect()) == ["float32"] * 4
    assert kinds(Hardware.detect(HardwareOptions(precision="half"))) == ["bfloat16", "bfloat16", "bfloat16", "float32"]


@pytest.mark.parametrize("options, expected", [
    (HardwareOptions(), ["float16", "float16", "float16", "float32"]), (HardwareOptions(no_half=True), ["float32"] * 4),
    (HardwareOptions(precision="full"), ["float32"] * 4),
    (HardwareOptions(no_half_vae=True), ["float16", "float32", "float16", "float32"])])
def test_cards_work_in_16_bits_unless_flags_say_otherwise(card, options, expected):
    hardware = Hardware.detect(options)
    assert hardware.device.type == "cuda" and kinds(hardware) == expected


def test_apple_chips_keep_the_vae_in_32_bits(no_card, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    hardware = Hardware.detect()
    assert hardware.device.type == "mps" and kinds(hardware) == ["float16", "float32", "float16", "float32"]


def test_a_card_is_chosen_by_its_number(card):
    assert Hardware.detect(HardwareOptions(device_id="1")).device == torch.device("cuda", 1)
    with pytest.raises(UserError, match="no graphics card 5"):
        Hardware.detect(HardwareOptions(device_id="5"))


def test_all_or_single_parts_may_stay_on_the_processor(card):
    assert Hardware.detect(HardwareOptions(use_cpu=("all",))).device.type == "cpu"
    hardware = Hardware.detect(HardwareOptions(use_cpu=("vae",)))
    assert hardware.device_of("vae").type == "cpu" and hardware.device_of("unet").type == "cuda"
    assert kinds(hardware) == ["float16", "float32", "float16", "float32"]


def test_free_memory_is_known_and_collecting_garbage_is_harmless(no_card):
    hardware = Hardware.detect()
    assert hardware.free_memory() > 0
    hardware.gc()
