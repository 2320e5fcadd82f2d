"""Writes a full-size file of a family with the official keys and shapes and random weights (SD 1.5: 2.1 GB in fp16), for measurements.

    python tools/make_synthetic_checkpoint.py OUT.safetensors [--family sd1] [--extra none] [--dtype F16] [--averaged] [--seed 1]
"""
import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from modules.checkpoints.detect import TEXTS
from modules.checkpoints.old_names import AVERAGED, UNET
from modules.checkpoints.safetensors_writer import TensorPlan, write_safetensors
from modules.nn.families import FAMILIES, SD1, Architecture, Extra
from modules.nn.latent_diffusion import SCHEDULE_NAMES, LatentDiffusion, noise_schedule
from modules.nn.meta import on_meta

DTYPES = {"F16": torch.float16, "F32": torch.float32, "BF16": torch.bfloat16, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}
MORE_CHANNELS: dict[Extra, int] = {"none": 0, "inpainting": 5, "depth": 1, "instruct": 4}
POSITION_IDS = "embeddings.position_ids"
TEMPERATURE = "logit_scale"


def shapes_of(architecture: Architecture, *, averaged: bool = False) -> dict[str, tuple[int, ...]]:
    """Every key of a file of this architecture with its shape. averaged: the U-Net is there only as its running average."""
    with on_meta():
        model = LatentDiffusion(architecture)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    if model.is_sdxl:
        shapes = {name: shape for name, shape in shapes.items() if name not in SCHEDULE_NAMES}
    for place, text in zip(TEXTS[architecture.family], architecture.texts):
        shapes |= {place + TEMPERATURE: ()} if text.layout == "open_clip" else {place + POSITION_IDS: (1, text.max_position_embeddings)}
    return {_averaged_name(name): shape for name, shape in shapes.items()} if averaged else shapes


def _averaged_name(name: str) -> str:
    return AVERAGED + name.removeprefix(UNET).replace(".", "") if name.startswith(UNET) else name


def with_extra(architecture: Architecture, extra: Extra) -> Architecture:
    """The same network with more channels for what it is shown beside the noisy latent."""
    channels = architecture.vae.embed_dim + MORE_CHANNELS[extra]
    return replace(architecture, unet=replace(architecture.unet, in_channels=channels))


def write_checkpoint(
    path: Path, architecture: Architecture = SD1, dtype: str = "F16", seed: int = 1, *, averaged: bool = False,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write the file tensor by tensor, so that memory stays small. Tables of the noise schedule are float32, as in real files."""
    shapes = shapes_of(architecture, averaged=averaged)
    plans = [TensorPlan(name=name, dtype=dtype_of(name, DTYPES[dtype]), shape=shapes[name]) for name in sorted(shapes)]
    place_of = {plan.name: place for place, plan in enumerate(plans)}
    tables = noise_schedule(architecture.linear_start, architecture.linear_end, architecture.timesteps)
    block = np.random.default_rng(seed).standard_normal(1 << 22, dtype=np.float32)

    def tensor(plan: TensorPlan) -> torch.Tensor:
        if plan.name.endswith(POSITION_IDS):
            return torch.arange(math.prod(plan.shape)).view(plan.shape)
        if plan.name in tables:
            return tables[plan.name]
        return torch.from_numpy(random_weights(plan.name, plan.shape, np.roll(block, place_of[plan.name] * 7919))).view(plan.shape)

    with path.open("wb") as file:
        write_safetensors(file, plans, metadata or {}, tensor)


def dtype_of(name: str, chosen: torch.dtype) -> torch.dtype:
    """Positions are whole numbers and tables float32, whatever is chosen for the weights."""
    return torch.int64 if name.endswith(POSITION_IDS) else torch.float32 if name in SCHEDULE_NAMES else chosen


def random_weights(name: str, shape: tuple[int, ...], block: np.ndarray) -> np.ndarray:
    """Numbers of the size that keeps activations alive: norms near 1, biases small, the rest by the number of inputs."""
    values = np.resize(block, math.prod(shape))
    if len(shape) <= 1:
        return values * 0.02 + (1.0 if name.endswith("weight") else 0.0)
    return values / math.sqrt(math.prod(shape[1:])) * 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--family", choices=sorted(FAMILIES), default="sd1")
    parser.add_argument("--extra", choices=get_args(Extra), default="none", help="what the network is shown beside the latent")
    parser.add_argument("--dtype", choices=sorted(DTYPES), default="F16")
    parser.add_argument("--averaged", action="store_true", help="the U-Net is there only as its running average (EMA)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write_checkpoint(args.out, with_extra(FAMILIES[args.family], args.extra), args.dtype, args.seed, averaged=args.averaged)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
