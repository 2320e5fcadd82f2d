"""Describes scenes in many wordings, as people write prompts."""
import numpy as np

from tools.demo_model.palette import COLORS, SHAPES, SUBJECTS, TERRAINS, TIMES
from tools.demo_model.render import Scene
from tools.demo_model.scenes import pick

QUALITY = ["masterpiece", "best quality", "highly detailed", "beautiful", "digital art", "high resolution", "4k", "artstation"]
TIME_WORDS = {
    "day": ["day", "daytime", "noon", "a sunny day"], "night": ["night", "night", "nighttime"],
    "dawn": ["dawn", "dawn", "sunrise"], "sunset": ["sunset", "sunset", "dusk"],
}
TERRAIN_WORDS = {
    "sea": ["sea", "sea", "ocean"], "mountains": ["mountains", "mountains", "mountain landscape"],
    "hills": ["hills", "green hills", "rolling hills"], "desert": ["desert", "desert dunes"],
    "forest": ["forest", "forest", "pine forest"], "city": ["city", "city", "city skyline"],
}
SKY_WORDS = {"stars": ["stars", "starry sky"], "clouds": ["clouds", "cloudy sky"]}


class Writer:
    """The chances taken while one caption is written."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def pick(self, choices: list[str]) -> str:
        return pick(self.rng, choices)

    def chance(self, p: float) -> bool:
        return self.rng.random() < p


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of many wordings for the scene; about one word in ten is left out."""
    w = Writer(rng)
    as_tags = w.chance(0.35)  # words between commas rather than a sentence
    text = studio_text(scene, w, as_tags) if scene["domain"] == "studio" else landscape_text(scene, w, as_tags)
    if scene["style"]:
        style = w.pick(["watercolor", "watercolor", "watercolor painting"]) if scene["style"] == "watercolor" else scene["style"]
        if w.chance(0.95):
            text = w.pick([f"{style}, {text}", f"{text}, {style}", f"{text}, {style}", f"{style} of {text}", f"{text}, {style} style"])
    elif w.chance(0.06):
        text += ", " + w.pick(["flat", "flat style", "illustration"])
    if w.chance(0.14):
        quality = ", ".join(str(word) for word in rng.choice(QUALITY, int(rng.integers(1, 4)), replace=False))
        text = w.pick([f"{quality}, {text}", f"{text}, {quality}"])
    return text.replace(",", "") if w.chance(0.05) else text


def studio_text(scene: Scene, w: Writer, as_tags: bool) -> str:
    names = [studio_thing(thing, w, as_tags, alone=len(scene["objects"]) == 1) for thing in scene["objects"]]
    background = scene["background"]
    if as_tags:
        words = names + ([background + " background"] if w.chance(0.85) else [])
        if w.chance(0.3):
            w.rng.shuffle(words)
        return ", ".join(words)
    text = w.pick([" and ", " and ", " next to "]).join(names)
    if w.chance(0.85):
        a_background = with_article(background) + " background"
        text += w.pick([f" on {a_background}", f" on {a_background}", f" on {background}", f", {background} background",
                        f" in front of {a_background}"])
    return w.pick(["a picture of ", "an image of ", "a photo of "]) + text if w.chance(0.12) else text


def studio_thing(thing: dict, w: Writer, as_tags: bool, alone: bool) -> str:
    color = thing["color"] if w.chance(0.95) else ""
    size = w.pick(["large", "big"]) if thing["sname"] == "large" else thing["sname"]
    name = " ".join(word for word in (size, color, thing["kind"]) if word)
    name = name if as_tags else with_article(name)
    if thing["pos"] != "center" and w.chance(0.75 if alone else 0.45):
        name += w.pick([" on the ", " "] if as_tags else [" on the ", " at the ", " to the "]) + thing["pos"]
    return name


def landscape_text(scene: Scene, w: Writer, as_tags: bool) -> str:
    time, terrain = w.pick(TIME_WORDS[scene["time"]]), w.pick(TERRAIN_WORDS[scene["terrain"]])
    things = [name for thing in scene["objects"] if (name := landscape_thing(thing, w, as_tags))]
    if as_tags:
        words = ([terrain] if w.chance(0.95) else []) + ([time.replace("a sunny", "sunny")] if w.chance(0.9) else []) + things
        if w.chance(0.4):
            w.rng.shuffle(words)
        return ", ".join(words)
    the = w.pick(["", "the "])
    a_terrain = with_article(terrain) if scene["terrain"] in ("desert", "forest", "city") else terrain
    text = w.pick([f"{the}{terrain} at {time}", f"{time} over {the}{terrain}", f"{the}{terrain}, {time}", f"{a_terrain} at {time}",
                   f"{terrain} landscape at {time}"]) if w.chance(0.94) else terrain
    text = text.replace("at a sunny day", "on a sunny day").replace("landscape landscape", "landscape")
    if not things:
        return text
    listed = things[0] if len(things) == 1 else ", ".join(things[:-1]) + " and " + things[-1]
    return w.pick([f"{text} with {listed}", f"{text} with {listed}", f"{listed}, {text}", f"{text}, {listed}"])


def landscape_thing(thing: dict, w: Writer, as_tags: bool) -> str:
    """The words for one thing; empty when it is not mentioned."""
    kind = thing["kind"]
    if kind in SKY_WORDS:
        return w.pick(SKY_WORDS[kind]) if w.chance(0.8) else ""
    if kind in ("sun", "moon") and w.chance(0.12):
        return ""
    name = (thing["color"] + " " if thing.get("color") else "") + kind
    if not as_tags:
        name = "the " + name if kind in ("sun", "moon") and w.chance(0.6) else with_article(name)
    if w.chance(0.5):
        if thing["pos"] == "center" and w.chance(0.4):
            return name + w.pick([" in the middle", " in the center"])
        return name + w.pick([" on the ", " at the ", " in the "]) + thing["pos"]
    return name


def with_article(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def fragment(scene: Scene, rng: np.random.Generator) -> str:
    """One thing that is in the scene, as people write it into a negative prompt."""
    words = [scene["background"] + " background"] if scene["domain"] == "studio" else [scene["time"], scene["terrain"]]
    for thing in scene["objects"]:
        color = thing.get("color")
        if scene["domain"] == "studio":
            words.append(color)
        words += [thing["kind"]] + ([f"{color} {thing['kind']}"] if color else [])
    words += [scene["style"]] * 2 if scene["style"] else []
    return pick(rng, words)


def contest(scene: Scene, text: str, rng: np.random.Generator) -> list[tuple[str, float]] | None:
    """The caption with a false word beside a true one, and weights by which the true one wins; None when it has no such word."""
    groups = (list(COLORS), SHAPES + SUBJECTS) if scene["domain"] == "studio" else (TIMES, TERRAINS)
    words = text.split(" ")
    places = [(i, group) for i, word in enumerate(words) for group in groups if word.rstrip(",") in group]
    if not places:
        return None
    i, group = pick(rng, places)
    true = words[i].rstrip(",")
    false = pick(rng, [word for word in group if word != true])
    ways = [(rng.uniform(1.2, 1.8), 1.0), (1.0, rng.uniform(0.2, 0.75)), (rng.uniform(1.1, 1.8), rng.uniform(0.2, 0.9))]
    up, down = pick(rng, ways)
    pair = [(true, float(up)), (false, float(down))]
    if rng.random() < 0.5:
        pair.reverse()
    comma = "," if words[i] != true else ""
    pieces = [(" ".join(words[:i]), 1.0), *pair, (comma + " " + " ".join(words[i + 1:]), 1.0)]
    return [(piece, weight) for piece, weight in pieces if piece.strip()]
