"""Invents scenes: what stands where, in which colours, at which time, in which style."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from tools.demo_model.palette import COLORS, OBJECT_COLORS, POSITIONS, SHAPES, SIZES, STYLES, SUBJECTS, TERRAINS, TIMES
from tools.demo_model.render import Scene

Thing = dict[str, Any]
CASTLE_COLORS = ["red", "blue", "purple", "green", "pink", "orange"]
TREE_COLORS = ["red", "orange", "yellow", "pink"]
# Drawn first, since they are far away.
FAR = {"sun": 0, "moon": 0, "stars": 0, "clouds": 0}
# Too much alike to be told apart in a small picture.
ALIKE = ({"white", "gray"}, {"black", "brown"})


def pick(rng: np.random.Generator, choices: Sequence[Any]) -> Any:
    return choices[int(rng.integers(len(choices)))]


def random_scene(rng: np.random.Generator) -> Scene:
    """A landscape or a studio shot, a quarter of them in a style."""
    scene: Scene = {"seed": int(rng.integers(1 << 31)), "style": ""}
    if rng.random() < 0.26:
        scene["style"] = pick(rng, STYLES)
    return scene | (random_landscape(rng) if rng.random() < 0.52 else random_studio(rng))


def random_landscape(rng: np.random.Generator) -> Scene:
    scene: Scene = {"domain": "landscape", "time": pick(rng, TIMES), "terrain": pick(rng, TERRAINS)}
    free = list(POSITIONS)
    rng.shuffle(free)
    things = sky_things(rng, scene["time"])
    if rng.random() < 0.35:
        things.append({"kind": "clouds"})
    kinds = ["balloon", "balloon", "house", "tree", "castle"] + (["boat"] * 4 if scene["terrain"] == "sea" else [])
    seen: set[str] = set()
    for _ in range(int(rng.choice(3, p=[0.35, 0.5, 0.15]))):
        kind = pick(rng, kinds)
        if kind not in seen:
            seen.add(kind)
            things.append(ground_thing(rng, kind, free.pop() if free else "center"))
    scene["objects"] = sorted(things, key=lambda thing: FAR.get(thing["kind"], 1))
    return scene


def sky_things(rng: np.random.Generator, time: str) -> list[Thing]:
    things: list[Thing] = []
    chance = rng.random()
    if time == "night":
        if chance < 0.6:
            things.append({"kind": "moon", "pos": pick(rng, POSITIONS), "y": rng.uniform(0.18, 0.4)})
        if rng.random() < 0.6:
            things.append({"kind": "stars"})
    elif chance < 0.5:
        y = rng.uniform(0.2, 0.35) if time == "day" else rng.uniform(0.45, 0.75)
        things.append({"kind": "sun", "pos": pick(rng, POSITIONS), "y": y})
    return things


def ground_thing(rng: np.random.Generator, kind: str, position: str) -> Thing:
    thing = {"kind": kind, "pos": position, "size": rng.uniform(0.9, 1.2), "dx": rng.uniform(-0.04, 0.04), "y": rng.uniform(0.3, 0.55)}
    if kind == "tree":
        thing["color"] = "" if rng.random() < 0.7 else pick(rng, TREE_COLORS)
    else:
        thing["color"] = pick(rng, CASTLE_COLORS if kind == "castle" else OBJECT_COLORS)
    return thing


def random_studio(rng: np.random.Generator) -> Scene:
    """One thing or two before a plain background."""
    colors = list(COLORS)
    background = "white" if rng.random() < 0.15 else pick(rng, colors)
    rest = [color for color in colors if color != background and {color, background} not in ALIKE]
    if rng.random() < 0.22:
        two = [str(color) for color in rng.choice(rest, 2, replace=rng.random() < 0.15)]
        kinds = [pick(rng, SHAPES) if rng.random() < 0.8 else pick(rng, SUBJECTS) for _ in range(2)]
        objects = [pair_thing(rng, kind, color, pos) for kind, color, pos in zip(kinds, two, ("left", "right"))]
    else:
        size = pick(rng, ["small", "", "", "", "large"])
        position = pick(rng, ["center", "center", "center", "left", "right"])
        kind, color = pick(rng, SHAPES * 2 + SUBJECTS), pick(rng, rest)
        objects = [single_thing(rng, kind, color, position, size if position == "center" else "")]
    return {"domain": "studio", "background": background, "objects": objects}


def plain_scene(rng: np.random.Generator, two: float = 0.3) -> Scene:
    """A studio scene without style: one thing or (share `two`) two, every colour as likely for things as for the background."""
    scene: Scene = {"seed": int(rng.integers(1 << 31)), "style": "", "domain": "studio", "background": pick(rng, list(COLORS))}
    rest = [color for color in COLORS if color != scene["background"]]

    def kind() -> str:
        return pick(rng, SHAPES) if rng.random() < 0.75 else pick(rng, SUBJECTS)

    if rng.random() < two:
        colors = [str(color) for color in rng.choice(rest, 2, replace=rng.random() < 0.1)]
        scene["objects"] = [pair_thing(rng, kind(), color, position) for color, position in zip(colors, ("left", "right"))]
    else:
        position = pick(rng, ["center"] * 4 + ["left", "right"])
        size = pick(rng, ["small", "", "", "", "", "large"]) if position == "center" else ""
        first = kind()
        scene["objects"] = [single_thing(rng, first, pick(rng, rest), position, size)]
    return scene


def pair_thing(rng: np.random.Generator, kind: str, color: str, position: str) -> Thing:
    return {"kind": kind, "color": color, "pos": position, "size": rng.uniform(0.28, 0.33), "sname": ""}


def single_thing(rng: np.random.Generator, kind: str, color: str, position: str, size: str) -> Thing:
    return {"kind": kind, "color": color, "pos": position, "size": rng.uniform(*SIZES[size]), "sname": size,
            "dx": rng.uniform(-0.04, 0.04), "dy": rng.uniform(-0.04, 0.04)}
