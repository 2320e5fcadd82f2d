"""Captions of pictures under the names of A1111's `interrogate`."""
from modules import interrogation, runtime
from modules.imaging.interrogate import CLIP


class InterrogateModels:
    """Describes pictures in words."""

    def interrogate(self, pil_image) -> str:
        """A caption with the best of the lists of texts. Raises UserError where a file is missing."""
        return interrogation.described(pil_image.convert("RGB"), CLIP)[0]

    def generate_caption(self, pil_image) -> str:
        """The caption alone."""
        return interrogation.caption_of(pil_image.convert("RGB"))

    def load(self) -> None:
        """Nothing: networks are loaded when they are used."""

    def unload(self) -> None:
        """Let go of the networks."""
        runtime.current().interrogator.unload()

    def send_clip_to_ram(self) -> None:
        """Nothing: the program places networks."""

    def send_blip_to_ram(self) -> None:
        """Nothing: the program places networks."""


interrogator = InterrogateModels()
