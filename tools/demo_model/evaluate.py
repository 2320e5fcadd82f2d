"""Measures a demo model: do its pictures show what the prompt says? Prints figures; the model's card holds those of the shipped file."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from modules.checkpoints.loading import load_model
from modules.generation.noise import NoiseSource
from modules.hardware import Hardware, HardwareOptions
from modules.nn.latent_diffusion import LatentDiffusion
from modules.prompt.compose import batch_conditions
from modules.prompt.encode import encode
from modules.sampling.passes import sample_from_noise
from modules.sampling.registry import find_sampler
from tools.demo_model import scoring
from tools.demo_model.canvas import Array
from tools.demo_model.latents import pixels_of
from tools.demo_model.palette import SHAPES, TERRAINS, TIMES
from tools.demo_model.render import render

# Everywhere the same figures: float32 on the CPU.
CPU = Hardware.detect(HardwareOptions(use_cpu=("all",), no_half=True, no_half_vae=True))


@dataclass(frozen=True, kw_only=True)
class Sampling:
    sampler: str = "Euler a"
    steps: int = 20
    cfg_scale: float = 6.0
    size_px: int = 128


class Painter:
    """Makes pictures with a checkpoint, as the program does."""

    def __init__(self, path: Path, sampling: Sampling):
        self.model: LatentDiffusion = load_model(path, CPU)
        self.sampling = sampling

    @torch.no_grad()
    def paint(self, prompts: list[str], seed: int, negative: str = "") -> list[Array]:
        """uint8 [H, W, 3] for each prompt; seeds count up from `seed`."""
        pictures: list[Array] = []
        for first in range(0, len(prompts), 20):
            some = prompts[first:first + 20]
            conditions = batch_conditions(some, [negative] * len(some), self.sampling.steps,
                                          lambda texts: encode(self.model.cond_stage_model, texts))
            noise = NoiseSource([4, self.sampling.size_px // 8, self.sampling.size_px // 8], range(seed + first, seed + first + len(some)))
            latents = sample_from_noise(self.model, find_sampler(self.sampling.sampler), None, self.sampling.steps, noise, conditions,
                                        self.sampling.cfg_scale)
            pictures += self.decoded(latents)
        return pictures

    @torch.no_grad()
    def decoded(self, latents: torch.Tensor) -> list[Array]:
        pixels = self.model.decode_first_stage(latents)
        return list(((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())

    @torch.no_grad()
    def psnr(self, pictures: list[Array]) -> float:
        """Mean peak signal-to-noise ratio of the autoencoder in dB."""
        levels = []
        for picture in pictures:
            shown = self.decoded(self.model.encode_first_stage(pixels_of([picture])).mean)[0]
            levels.append(10 * np.log10(255 ** 2 / max(((shown.astype(np.float32) - picture) ** 2).mean(), 1e-6)))
        return round(float(np.mean(levels)), 2)


def evaluate(path: Path, sampling: Sampling, n: int = 100, sheet: Path | None = None) -> dict[str, dict[str, float]]:
    """All figures: of n studio prompts, as many landscapes, pairs of things, negative prompts and emphasis."""
    torch.set_num_threads(1)
    painter = Painter(path, sampling)
    studio = studio_wanted(n)
    times = [(time, terrain) for time in TIMES for terrain in TERRAINS for _ in range(max(1, n // 24))]
    drawn = [render(scoring.studio_scene(*wanted)) for wanted in studio]
    drawn_landscapes = [render(scoring.landscape_scene(*wanted, seed)) for seed, wanted in enumerate(times)]
    painted = painter.paint([f"a {color} {kind} on a {back} background" for kind, color, back in studio], 100)
    landscapes = painter.paint([f"{terrain} at {time}" for time, terrain in times], 500)
    if sheet:
        contact_sheet(painted[:24] + landscapes[:24]).save(sheet, optimize=True)
    return {
        "renderer": scoring.studio_score(drawn, studio) | scoring.landscape_score(drawn_landscapes, times),
        "autoencoder": {"PSNR dB": painter.psnr(drawn[:24] + drawn_landscapes[:24])},
        "studio": scoring.studio_score(painted, studio),
        "landscape": scoring.landscape_score(landscapes, times),
        "two things": two_things(painter, min(n, 40)),
        "negative prompt": negative_prompt(painter),
        "emphasis": emphasis(painter),
    }


def studio_wanted(n: int) -> list[tuple[str, str, str]]:
    """(shape, colour, background), the same list for every model."""
    rng = np.random.default_rng(7)
    pairs = [rng.choice(scoring.NAMES, 2, replace=False) for _ in range(n)]
    return [(SHAPES[i % len(SHAPES)], str(color), str(back)) for i, (color, back) in enumerate(pairs)]


def two_things(painter: Painter, n: int) -> dict[str, float]:
    rng = np.random.default_rng(17)
    wanted = []
    for _ in range(n):
        colors, kinds = rng.choice(scoring.NAMES, 3, replace=False), rng.choice(SHAPES, 2, replace=False)
        wanted.append(((str(colors[0]), str(kinds[0])), (str(colors[1]), str(kinds[1])), str(colors[2])))
    prompts = [f"a {a[0]} {a[1]} and a {b[0]} {b[1]} on a {back} background" for a, b, back in wanted]
    return scoring.pair_score(painter.paint(prompts, 900), wanted)


def negative_prompt(painter: Painter) -> dict[str, float]:
    """How often a colour comes up by itself, and how often with it as negative prompt."""
    prompts = [f"a {SHAPES[i % len(SHAPES)]} on a gray background" for i in range(20)]
    figures = {}
    for color in ("red", "blue", "white"):
        for name, negative in (("alone", ""), ("negative", color)):
            pictures = painter.paint(prompts, 40, negative)
            shown = sum(scoring.nearest_color(scoring.foreground(picture)[1]) == color for picture in pictures)
            figures[f"{color} {name}"] = round(shown / len(prompts), 3)
    return figures


def emphasis(painter: Painter) -> dict[str, float]:
    """Redness, R - (G + B) / 2 in levels, of things whose red is weakened or stressed."""
    figures = {}
    for weight in (0.5, 1.0, 1.5):
        pictures = painter.paint([f"a (red:{weight}) blue circle on a white background"] * 10, 70)
        colors = np.stack([scoring.foreground(picture)[1] for picture in pictures])
        figures[f"redness at {weight}"] = round(float((colors[:, 0] - colors[:, 1:].mean(1)).mean()), 1)
    return figures


def contact_sheet(pictures: list[Array], columns: int = 8) -> Image.Image:
    """All pictures in rows with white lines between them."""
    h, w = pictures[0].shape[:2]
    out = np.full((-(-len(pictures) // columns) * (h + 2), columns * (w + 2), 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * (h + 2), i % columns * (w + 2)
        out[y:y + h, x:x + w] = picture
    return Image.fromarray(out)
