"""Tags of pictures under the names of A1111's `deepbooru`."""
from modules import interrogation
from modules.imaging.interrogate import BOORU
from modules.imaging.tag_text import SPECIAL as re_special

__all__ = ["DeepDanbooru", "model", "re_special"]


class DeepDanbooru:
    """Describes pictures in tags."""

    def tag(self, pil_image) -> str:
        """Tags as the settings want them. Raises UserError where the file is missing."""
        return interrogation.described(pil_image.convert("RGB"), BOORU)[0]

    tag_multi = tag

    def start(self) -> None:
        """Nothing: networks are loaded when they are used."""

    def stop(self) -> None:
        """Nothing: networks are unloaded by the program."""


model = DeepDanbooru()
