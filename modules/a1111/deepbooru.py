"""Tags of pictures under the names of A1111's `deepbooru`."""
import re

from modules.errors import UserError

re_special = re.compile(r"([\\()])")


class DeepDanbooru:
    """Describes pictures in tags."""

    def tag(self, pil_image) -> str:
        """Tags. Raises UserError where no network for them is installed."""
        raise UserError("The picture cannot be tagged.", "No network for tags is installed.")

    tag_multi = tag

    def start(self) -> None:
        """Nothing: networks are loaded when they are used."""

    def stop(self) -> None:
        """Nothing: networks are unloaded by the program."""


model = DeepDanbooru()
