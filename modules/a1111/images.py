"""Pictures under the names of A1111's `images`: saving, resizing, grids and their titles, tiles."""
from PIL import Image

from modules._live import live
from modules.imaging import legend
from modules.imaging.filenames import part
from modules.imaging.legend import GridAnnotation as GridAnnotation
from modules.imaging.tiles import Grid, combine_grid, split_grid

LANCZOS = Image.Resampling.LANCZOS


def sanitize_filename_part(text: str | None, replace_spaces: bool = True) -> str | None:
    """`text` as a part of a file name."""
    return None if text is None else part(text, spaces=not replace_spaces)


def image_grid(imgs, batch_size: int = 1, rows: int | None = None) -> Image.Image:
    """All pictures on one sheet, in rows as given or as the settings say."""
    from modules import shared
    from modules.imaging import grids

    opts = shared.opts
    return grids.image_grid(imgs, batch_size, opts.n_rows if rows is None else rows, max_megapixels=opts.img_max_size_mp,
                            prevent_empty_spots=opts.grid_prevent_empty_spots)


def draw_grid_annotations(im, width: int, height: int, hor_texts, ver_texts, margin: int = 0) -> Image.Image:
    """The sheet `im` of cells of width x height px with titles in the font and colours of the settings."""
    from modules import shared

    return legend.draw_grid_annotations(im, width, height, hor_texts, ver_texts, margin, legend.Lettering.of(shared.opts))


def resize_image(resize_mode: int, im: Image.Image, width: int, height: int, upscaler_name: str | None = None) -> Image.Image:
    """`im` at width x height px: 0 stretched, 1 cropped, 2 with filled borders."""
    from modules import runtime
    from modules.imaging.resize import resize_image

    upscaler = runtime.current().upscalers.find(upscaler_name) if upscaler_name else None
    return resize_image(resize_mode, im, width, height, upscaler)


def flatten(img: Image.Image, bgcolor: str) -> Image.Image:
    """`img` as RGB in a picture of its own, with `bgcolor` where it is transparent. Raises UserError for what is no colour."""
    from modules.generation.inputs import flattened

    return flattened(img, bgcolor).convert("RGB")


def read_info_from_image(image: Image.Image) -> tuple[str | None, dict]:
    """The infotext of a picture, and what else its file says."""
    from modules.imaging.embedded_text import read_infotext

    items = {key: value for key, value in (image.info or {}).items() if key not in ("parameters", "exif", "icc_profile")}
    return read_infotext(image), items


live(__name__, homes={
    "save_image": "modules.generation.script_saving:save_image",
    "get_next_sequence_number": "modules.generation.script_saving:get_next_sequence_number",
})
