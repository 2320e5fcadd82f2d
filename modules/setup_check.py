"""Whether the installed torch can use the graphics card of this machine, and what to run when it cannot."""
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

NVIDIA_INDEX = "https://download.pytorch.org/whl/cu130"


def graphics_card_notice() -> str | None:
    """A sentence for the log and the page when there is a card that torch cannot use, else None. Imports torch."""
    import torch

    if torch.cuda.is_available():  # ROCm answers here too
        return None
    if nvidia_card_is_present():
        return notice("NVIDIA", torch.__version__, torch.version.cuda is not None)
    if amd_card_is_present():
        return notice("AMD", torch.__version__, torch.version.hip is not None)
    return None


def notice(maker: Literal["NVIDIA", "AMD"], version: str, made_for_it: bool) -> str:
    """The sentence for a card of this maker; `made_for_it` tells that this torch could use such a card."""
    if made_for_it:
        return (f"There is an {maker} graphics card, but torch {version} cannot reach it, so pictures are made on the processor. "
                "Update the card's driver, then start again.")
    return (f"There is an {maker} graphics card, but torch {version} cannot use it, so pictures are made on the processor. "
            f"Stop Easel and run: {command(maker)}")


def command(maker: Literal["NVIDIA", "AMD"]) -> str:
    """What to type to get a torch for the card; the choice is kept for later starts."""
    # The name of AMD's index changes with every version of torch, so its maker has to be asked.
    name, value = ("TORCH_INDEX_URL", NVIDIA_INDEX) if maker == "NVIDIA" else ("TORCH_COMMAND", "the pip command for ROCm at pytorch.org")
    if sys.platform == "win32":
        return f"set {name}={value} && webui.bat"
    return f"{name}=\"{value}\" ./webui.sh"


def nvidia_card_is_present() -> bool:
    """By the driver's folder, else by its tool, which lists cards that work."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        listed = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


def amd_card_is_present() -> bool:
    """By the device of the compute driver."""
    return Path("/dev/kfd").exists()
