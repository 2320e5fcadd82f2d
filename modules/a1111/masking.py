"""Work on masks under the names of A1111's `masking`."""
from PIL import Image

from modules.imaging import masks


def get_crop_region_v2(mask: Image.Image, pad: int = 0) -> tuple[int, int, int, int] | None:
    """The box around a mask with `pad` px around it, None for an empty one."""
    return masks.crop_region(mask.convert("L"), pad)


def get_crop_region(mask: Image.Image, pad: int = 0) -> tuple[int, int, int, int]:
    """The same; all of the picture for an empty mask."""
    return get_crop_region_v2(mask, pad) or (0, 0, *mask.size)


def expand_crop_region(crop_region: tuple[int, int, int, int], processing_width: int, processing_height: int, image_width: int,
                       image_height: int) -> tuple[int, int, int, int]:
    """The box enlarged along one axis to the aspect that is worked at, inside the picture."""
    return masks.expanded_region(crop_region, (processing_width, processing_height), (image_width, image_height))


def fill(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The masked part painted in the colours around it."""
    return masks.filled(image, mask)
