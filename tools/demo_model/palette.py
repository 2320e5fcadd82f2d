"""The words that the demo model knows, and the colours behind them."""

Rgb = tuple[int, int, int]

COLORS: dict[str, Rgb] = {
    "red": (216, 40, 40),
    "orange": (245, 134, 26),
    "yellow": (248, 214, 48),
    "green": (48, 160, 64),
    "blue": (38, 88, 214),
    "purple": (128, 56, 176),
    "pink": (246, 136, 178),
    "brown": (122, 74, 40),
    "white": (246, 246, 244),
    "black": (22, 22, 26),
    "gray": (136, 138, 142),
}
OBJECT_COLORS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "white"]
SHAPES = ["circle", "square", "triangle", "star", "heart"]
SUBJECTS = ["flower", "cat", "fish", "mushroom", "house", "tree", "balloon"]
TERRAINS = ["mountains", "hills", "sea", "desert", "forest", "city"]
TIMES = ["dawn", "day", "sunset", "night"]
STYLES = ["pencil sketch", "watercolor", "pixel art", "neon"]
POSITIONS = ["left", "center", "right"]
# Radius of a thing that stands alone, as a share of the smaller side of the picture.
SIZES = {"small": (0.17, 0.22), "": (0.27, 0.33), "large": (0.38, 0.44)}
