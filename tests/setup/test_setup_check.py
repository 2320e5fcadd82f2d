"""The notice about a graphics card that torch cannot use."""
import pytest
import torch

from modules import setup_check


@pytest.fixture
def machine(monkeypatch):
    """machine(nvidia=..., amd=..., usable=..., cuda=...) pretends to be such a machine."""
    def pretend(*, nvidia=False, amd=False, usable=False, cuda=None):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: usable)
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(setup_check, "nvidia_card_is_present", lambda: nvidia)
        monkeypatch.setattr(setup_check, "amd_card_is_present", lambda: amd)
    return pretend


def test_without_a_card_nothing_is_said(machine):
    machine()
    assert setup_check.graphics_card_notice() is None


def test_a_card_that_works_needs_no_notice(machine):
    machine(nvidia=True, usable=True, cuda="13.0")
    assert setup_check.graphics_card_notice() is None


@pytest.mark.parametrize("card, maker, sign", [("nvidia", "NVIDIA", setup_check.NVIDIA_INDEX), ("amd", "AMD", "ROCm")])
def test_a_torch_without_the_card_is_said_with_the_command_to_run(machine, card, maker, sign):
    machine(**{card: True})
    said = setup_check.graphics_card_notice()
    assert said.endswith(setup_check.command(maker)) and sign in said


def test_a_torch_for_the_card_that_cannot_reach_it_points_to_the_driver(machine):
    machine(nvidia=True, cuda="13.0")
    assert "driver" in setup_check.graphics_card_notice()


def test_a_tool_that_hangs_or_lists_no_card_is_no_card(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho No devices were found\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(setup_check, "Path", lambda text: tmp_path / "missing")
    assert setup_check.nvidia_card_is_present() is False
