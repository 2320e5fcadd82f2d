"""Replacements of the U-Net under the names of A1111's `sd_unet`; there are none."""
from abc import ABC, abstractmethod

from torch import nn

unet_options: list = []
current_unet_option = current_unet = original_forward = None


class SdUnetOption(ABC):
    """A replacement that could be chosen."""

    model_name = label = None

    @abstractmethod
    def create_unet(self):
        """The network."""


class SdUnet(nn.Module, ABC):
    """A replacement."""

    @abstractmethod
    def forward(self, x, timesteps, context, *args, **kwargs):
        """The network's answer."""

    def activate(self) -> None:
        """Called when it becomes the one in use."""

    def deactivate(self) -> None:
        """Called when it is so no longer."""


def list_unets() -> None:
    """Nothing: there are none."""


def get_unet_option(option=None) -> None:
    """None: there are none."""


def apply_unet(option=None) -> None:
    """Nothing: there are none."""
