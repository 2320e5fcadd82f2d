"""What the settings do to a finished picture before it is published: an invisible watermark."""
from __future__ import annotations

from PIL.Image import Image

from modules import runtime
from modules.errors import UserError
from modules.generation.base import StableDiffusionProcessing
from modules.imaging.watermark import checked_text, with_watermark

WATERMARK = "Invisible watermark"


def watermarked(p: StableDiffusionProcessing, image: Image) -> Image:
    """`image` with the watermark that the settings ask for; without it, and with a note, where it cannot be written."""
    opts = runtime.current().settings
    p.extra_generation_params.pop(WATERMARK, None)
    if not opts.invisible_watermark:
        return image
    try:
        marked = with_watermark(image, opts.invisible_watermark_text)
    except UserError as error:
        p.comment(str(error))
        return image
    p.extra_generation_params[WATERMARK] = checked_text(opts.invisible_watermark_text)
    return marked
