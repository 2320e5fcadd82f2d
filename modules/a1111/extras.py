"""The PNG Info tab under the names of A1111's `extras`."""
import html

from modules import images


def run_pnginfo(image):
    """("", infotext, all that the file says as HTML) of a picture."""
    if image is None:
        return "", "", ""
    infotext, items = images.read_info_from_image(image)
    items = {**({"parameters": infotext} if infotext else {}), **items}
    rows = [f"<div class='infotext'><p><b>{html.escape(str(key))}</b></p><p>{html.escape(str(text))}</p></div>"
            for key, text in items.items()]
    return "", infotext or "", "\n".join(rows)


def create_config(ckpt_result: str, config_source: int, a, b, c) -> None:
    """Nothing: configurations are found by the header of a checkpoint."""
