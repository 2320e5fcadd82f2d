"""Captions of pictures under the names of A1111's `interrogate`."""
from modules.errors import UserError


class InterrogateModels:
    """Describes pictures in words."""

    def interrogate(self, pil_image) -> str:
        """A caption. Raises UserError where no network for it is installed."""
        raise UserError("The picture cannot be described.", "No network for captions is installed.")

    def load(self) -> None:
        """Nothing: networks are loaded when they are used."""

    def unload(self) -> None:
        """Nothing: networks are unloaded by the program."""

    def send_clip_to_ram(self) -> None:
        """Nothing: the program places networks."""

    def send_blip_to_ram(self) -> None:
        """Nothing: the program places networks."""


interrogator = InterrogateModels()
