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
from tools.demo_model.tokens import END, tokens
from tools.demo_model.workers import Averages, Clock, Rate, save

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
    """workers: only stage 5 uses more than one."""

    minutes: float
    batch: int = 48
    workers: int = 1
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


def answers_loss(named: Tensor, right: Tensor) -> Tensor:
    """Sum of the cross entropies of all questions. named: [N, all answers]; right: [N, questions]."""
    parts = named.split([len(choices) for choices in QUESTIONS.values()], -1)
    return torch.stack([F.cross_entropy(part, right[:, i]) for i, part in enumerate(parts)]).sum()


def train(out: Path, options: TextTraining) -> None:
    """Train for the given time and write the encoder's weights."""
    torch.set_num_threads(1)
    network = new_model().cond_stage_model.transformer
    tokenizer, rng, averages = ClipTokenizer(), np.random.default_rng(), Averages()
    heads = nn.Linear(ARCHITECTURE.text.hidden_size, sum(map(len, QUESTIONS.values())))
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
        named = heads(hidden[torch.arange(len(ids)), places])  # [2, B, all answers]
        loss = answers_loss(named.flatten(0, 1), torch.tensor([answers(scene) for scene in scenes]).repeat(2, 1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        clock.step += 1
        averages.add(loss=loss.item())
        if clock.step % 50 == 0:
            print(clock.line(averages.means()), flush=True)
    save(network.state_dict(), out)
