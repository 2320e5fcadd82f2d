"""Several pictures on one sheet."""
import math
from collections.abc import Sequence

from PIL import Image

MEGAPIXEL = 1_000_000
BACKGROUND = "#ffffff"


def grid_size(count: int, *, rows: int | None = None, batch_size: int = 1, prevent_empty_spots: bool = False) -> tuple[int, int]:
    """Columns and rows for `count` >= 1 pictures. `rows`: 0 for the batch size, None or below 0 to choose a sheet close to a square.

    `prevent_empty_spots` chooses the largest number of rows up to the square root that leaves no spot empty.
    """
    if rows is not None and rows >= 0:
        chosen = rows or batch_size
    elif prevent_empty_spots:
        chosen = next(rows for rows in range(math.isqrt(count), 0, -1) if count % rows == 0)
    else:
        chosen = round(math.sqrt(count))
    chosen = max(1, min(chosen, count))
    return math.ceil(count / chosen), chosen


def image_grid(
    images: Sequence[Image.Image],
    batch_size: int = 1,
    rows: int | None = None,
    *,
    prevent_empty_spots: bool = False,
    background: str = BACKGROUND,
    max_megapixels: float = 200,
) -> Image.Image:
    """All `images`, row by row, each centred in a cell of the largest width and height; RGB.

    A sheet that would exceed `max_megapixels` is made of pictures shrunk by one factor.
    """
    columns, rows = grid_size(len(images), rows=rows, batch_size=batch_size, prevent_empty_spots=prevent_empty_spots)
    width, height = max(image.width for image in images), max(image.height for image in images)
    factor = min(1.0, math.sqrt(max_megapixels * MEGAPIXEL / (columns * width * rows * height)))
    width, height = max(1, int(width * factor)), max(1, int(height * factor))
    sheet = Image.new("RGB", (columns * width, rows * height), background)
    for index, image in enumerate(images):
        if factor < 1:
            image = image.resize((max(1, int(image.width * factor)), max(1, int(image.height * factor))), Image.Resampling.LANCZOS)
        left, top = (width - image.width) // 2, (height - image.height) // 2
        sheet.paste(image, (index % columns * width + left, index // columns * height + top))
    return sheet
