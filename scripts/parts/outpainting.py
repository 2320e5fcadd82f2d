"""What both outpainting scripts share: how far a picture grows on each side, and the controls of directions."""
from dataclasses import dataclass

from PIL import Image, ImageDraw

MULTIPLE_PX = 64
DIRECTIONS = ("left", "right", "up", "down")


@dataclass(frozen=True)
class Growth:
    """Pixels added on each side, and the size of the whole."""

    left: int
    right: int
    up: int
    down: int
    width: int
    height: int


def growth_of(size, pixels, directions):
    """`pixels` on each side that is asked for, brought to multiples of 64 px; the surplus goes to both sides in proportion."""
    sides = {name: pixels if name in directions else 0 for name in DIRECTIONS}
    left, right, width = _shared(size[0], sides["left"], sides["right"])
    up, down, height = _shared(size[1], sides["up"], sides["down"])
    return Growth(left, right, up, down, width, height)


def _shared(length, before, after):
    whole = -(-(length + before + after) // MULTIPLE_PX) * MULTIPLE_PX
    if before:
        before = before * (whole - length) // (before + after)
    if after:
        after = whole - length - before
    return before, after, whole


def hole_around(size, growth, inset):
    """An L mask of this size, white but for the old picture, which is `inset` px smaller on each side where the picture grows."""
    mask = Image.new("L", size, "white")
    step = lambda grown: inset if grown else 0
    box = (growth.left + step(growth.left), growth.up + step(growth.up),
           size[0] - growth.right - step(growth.right), size[1] - growth.down - step(growth.down))
    if box[0] <= box[2] and box[1] <= box[3]:
        ImageDraw.Draw(mask).rectangle(box, fill="black")
    return mask


def direction_control(gr, elem_id):
    """The check boxes of the four sides."""
    return gr.CheckboxGroup(list(DIRECTIONS), value=list(DIRECTIONS), label="Outpainting direction", elem_id=elem_id)
