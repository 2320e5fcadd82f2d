"""Stage 3: warm up the text encoder by letting it name what is in the scene.

The heads that read its output are thrown away. What stays is an encoder whose padding positions carry a summary of the prompt;
from it the U-Net learns colours and positions far sooner than from nothing.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modules.nn.tokenizer import ClipTokenizer
from tools.demo_model.captions import caption
from tools.demo_model.networks import ARCHITECTURE, new_model
from tools.demo_model.palette import COLORS, POSITIONS, SHAPES, STYLES, SUBJECTS, TERRAINS, TIMES
from tools.demo_model.render import Scene
from tools.demo_model.scenes import random_scene
from tools.demo_model.workers import Averages, Clock, Rate, save

END = ClipTokenizer.end_id
_COLORS, _KINDS, _POSITIONS = ["", *COLORS], ["", *SHAPES, *SUBJECTS], ["", *POSITIONS]
# What is asked about a scene -> the possible answers
QUESTIONS: dict[str, list[str]] = {
    "style": ["", *STYLES], "background": _COLORS, "kind1": _KINDS, "color1": _COLORS, "pos1": _POSITIONS,
    "size1": ["", "small", "large"], "kind2": _KINDS, "color2": _COLORS, "time": ["", *TIMES], "terrain": ["", *TERRAINS],
    "sun_pos": _POSITIONS, "moon_pos": _POSITIONS,
    **{f"{thing}_{what}": answers for thing in ("balloon", "house", "boat", "castle", "tree")
       for what, answers in (("pos", _POSITIONS), ("color", _COLORS))},
    "stars_on": ["", "on"], "clouds_on": ["", "on"],
}


@dataclass(frozen=True, kw_only=True)
class TextTraining:
    minutes: float
    batch: int = 48
    max_steps: int | None = None


def answers(scene: Scene) -> list[int]:
    """For each of QUESTIONS the number of the right answer."""
    known = {"style": scene["style"]}
    if scene["domain"] == "studio":
        known["background"] = scene["background"]
        for i, thing in enumerate(scene["objects"], 1):
            known[f"kind{i}"], known[f"color{i}"] = thing["kind"], thing["color"]
        known["pos1"], known["size1"] = scene["objects"][0]["pos"], scene["objects"][0]["sname"]
    else:
        known["time"], known["terrain"] = scene["time"], scene["terrain"]
        for thing in scene["objects"]:
            if thing["kind"] in ("stars", "clouds"):
                known[thing["kind"] + "_on"] = "on"
            else:
                known[thing["kind"] + "_pos"] = thing["pos"]
                known[thing["kind"] + "_color"] = thing.get("color", "")
    return [choices.index(known.get(name, "")) for name, choices in QUESTIONS.items()]


def tokens(tokenizer: ClipTokenizer, captions: list[str], rng: np.random.Generator) -> Tensor:
    """Token ids [B, 77]. A few captions get words from anywhere in the vocabulary, so that unknown words are taken as neutral."""
    rows = []
    for text in captions:
        ids = tokenizer.encode(text)[:75]
        if text and rng.random() < 0.08:
            for _ in range(rng.integers(1, 4)):
                ids.insert(rng.integers(len(ids) + 1), int(rng.integers(300, 49000)))
        rows.append(([tokenizer.start_id, *ids] + [END] * 77)[:76] + [END])
    return torch.tensor(rows)


def train(out: Path, options: TextTraining) -> None:
    """Train for the given time and write the encoder's weights."""
    torch.set_num_threads(1)
    network = new_model().cond_stage_model.transformer
    tokenizer, rng, averages = ClipTokenizer(), np.random.default_rng(), Averages()
    sizes = [len(choices) for choices in QUESTIONS.values()]
    heads = nn.Linear(ARCHITECTURE.text.hidden_size, sum(sizes))
    optimizer = torch.optim.AdamW([*network.parameters(), *heads.parameters()], lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
    rate, clock = Rate(peak=1.2e-3, warmup_steps=50, floor=0.05), Clock(options.minutes, options.max_steps)
    while not clock.is_over:
        for group in optimizer.param_groups:
            group["lr"] = rate.at(clock.step, clock.share)
        scenes = [random_scene(rng) for _ in range(options.batch)]
        length = 77 if clock.step % 6 == 0 else 40  # most captions are short, and short ones are quicker
        ids = tokens(tokenizer, [caption(scene, rng) for scene in scenes], rng)[:, :length]
        hidden = network(ids)
        end = (ids == END).float().argmax(1)
        places = end + (torch.rand(len(ids), 2) * (length - end)[:, None]).long().T  # two places from the end token on
        named = heads(hidden[torch.arange(len(ids)), places]).split(sizes, -1)
        right = torch.tensor([answers(scene) for scene in scenes])
        loss = torch.stack([F.cross_entropy(part.flatten(0, 1), right[:, i].repeat(2)) for i, part in enumerate(named)]).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        clock.step += 1
        averages.add(loss=loss.item(), background=float((named[1].argmax(-1) == right[:, 1]).float().mean()))
        if clock.step % 50 == 0:
            print(clock.line(averages.means()), flush=True)
    save(network.state_dict(), out)
