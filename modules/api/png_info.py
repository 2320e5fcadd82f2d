"""POST /sdapi/v1/png-info: what a picture file says about how it was made."""
from typing import Any

from modules.api.base64_pictures import picture_bytes
from modules.api.remote_pictures import fetch_options
from modules.imaging import infotext
from modules.imaging.foreign_infotext import read_parameters
from modules.imaging.watermark import watermark_in_file
from modules.runtime import Runtime

PARAMETERS, WATERMARK = "parameters", "invisible watermark"


def png_info(rt: Runtime, body: dict[str, Any]) -> dict[str, Any]:
    """info: the infotext; items: other texts in the file, and an invisible watermark; parameters: the fields of the infotext.

    Raises UserError for no picture.
    """
    content = picture_bytes("image", body.get("image"), fetch_options(rt))
    found = read_parameters(content)
    others = {name: text for name, text in found.others.items() if name != PARAMETERS}
    if watermark := watermark_in_file(content):
        others[WATERMARK] = watermark
    return {"info": found.text, "items": others, "parameters": infotext.parse(found.text, back_compat=rt.settings.auto_backcompat)}
