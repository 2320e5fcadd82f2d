"""Stage 2: latents of unit variance, and files of them with their scenes for stage 4."""
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from modules.nn.vae import AutoencoderKL
from tools.demo_model.networks import SCALE, new_model
from tools.demo_model.render import Scene, render
from tools.demo_model.scenes import plain_scene, random_scene
from tools.demo_model.workers import save

# (width_px, height_px, pictures per file): mostly the native size, some larger and wider ones
GROUPS = ((128, 128, 1600), (192, 192, 70), (256, 256, 40), (192, 128, 70), (128, 192, 50), (320, 192, 30))
POSTERIOR_WIDTH = 0.03


def loaded(path: Path) -> AutoencoderKL:
    network = new_model().first_stage_model.eval()
    network.load_state_dict(torch.load(path, weights_only=True))
    return network


def pixels_of(pictures: list[np.ndarray]) -> Tensor:
    """uint8 [H, W, 3] each -> [B, 3, H, W] in -1..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def encoded(network: AutoencoderKL, pictures: list[np.ndarray]) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return network.encode(pixels_of(pictures)).mean.float()


@torch.no_grad()
def whiten(source: Path, out: Path, pictures: int = 300) -> None:
    """Fold a whitening transform into the 1x1 convolutions: SCALE * latent then has zero mean and unit variance per channel.

    The posterior gets a fixed small width.
    """
    network = loaded(source)
    rng = np.random.default_rng(99)
    latents = torch.cat([network.encode(pixels_of([render(random_scene(rng))])).mean for _ in range(pictures)])
    flat = latents.permute(1, 0, 2, 3).flatten(1).double()  # [C, N]
    mean = flat.mean(1)
    values, vectors = torch.linalg.eigh((flat - mean[:, None]) @ (flat - mean[:, None]).T / flat.shape[1])
    white = (vectors @ torch.diag(values ** -0.5) @ vectors.T) / SCALE  # ZCA: the nearest to leaving channels as they are
    back = torch.linalg.inv(white)
    quant, post = network.quant_conv, network.post_quant_conv
    channels = quant.weight.shape[0] // 2
    weight, bias = quant.weight[:channels, :, 0, 0].double(), quant.bias[:channels].double()
    quant.weight[:channels, :, 0, 0] = (white @ weight).float()
    quant.bias[:channels] = (white @ (bias - mean)).float()
    quant.weight[channels:] = 0
    quant.bias[channels:] = 2 * float(np.log(POSTERIOR_WIDTH / SCALE))
    weight = post.weight[:, :, 0, 0].double()
    post.bias.copy_((post.bias.double() + weight @ mean).float())
    post.weight[:, :, 0, 0] = (weight @ back).float()
    save(network.state_dict(), out)


def cache(source: Path, folder: Path, files: int, first: int = 0, plain: bool = False, two: float = 0.3,
          pictures: int | None = None) -> None:
    """Write files of latents with their scenes; `plain`: studio scenes only, a share `two` of them with two things.

    `pictures` limits the number of each size.
    """
    network = loaded(source)
    folder.mkdir(parents=True, exist_ok=True)
    invent: Callable[[np.random.Generator], Scene] = partial(plain_scene, two=two) if plain else random_scene
    for number in range(first, first + files):
        rng = np.random.default_rng((5000 if plain else 1000) + number)
        arrays, scenes = {}, {}
        for width, height, n in GROUPS[:1] if plain else GROUPS:
            invented = [invent(rng) for _ in range(min(n, pictures or n))]
            at_once = max(1, 16 * 128 * 128 // (width * height))
            parts = [encoded(network, [render(scene, width, height) for scene in invented[i:i + at_once]])
                     for i in range(0, len(invented), at_once)]
            arrays[f"{width}x{height}"] = (torch.cat(parts) * SCALE).half().numpy()
            scenes[f"{width}x{height}"] = invented
        part = folder / f".{number:03d}.npz"
        np.savez(part, scenes=json.dumps(scenes), **arrays)
        part.replace(folder / f"{number:03d}.npz")
        print(f"{number:03d}: variance {arrays['128x128'].astype(np.float32).var((0, 2, 3)).round(3).tolist()}", flush=True)
