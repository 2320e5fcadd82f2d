"""Replacements of the U-Net under the names of A1111's `sd_unet`; there are none."""
unet_options: list = []
current_unet_option = current_unet = original_forward = None


class SdUnetOption:
    """A replacement that could be chosen."""

    model_name = label = None

    def create_unet(self):
        """The network."""
        raise NotImplementedError


class SdUnet:
    """A replacement."""

    def forward(self, x, timesteps, context, *args, **kwargs):
        """The network's answer."""
        raise NotImplementedError


def list_unets() -> None:
    """Nothing: there are none."""


def get_unet_option(option=None) -> None:
    """None: there are none."""


def apply_unet(option=None) -> None:
    """Nothing: there are none."""
