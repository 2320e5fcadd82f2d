"""20 Euler steps against diffusers with the same weights, size and threads: python benchmarks/peers.py [--repeat 5] [--threads 1]

Rows: the tiny golden network at 64x64, and a reduced SD 1 network (a third of the width) at 256x256. Medians; ratios below 1 are faster.
"""
import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import tiny_model
import torch
from diffusers_peer import diffusers, peer_unet

from modules.checkpoints.loading import load_model
from modules.generation.noise import NoiseSource
from modules.hardware import Hardware, HardwareOptions
from modules.nn.families import Architecture, UNetConfig, VaeConfig
from modules.nn.latent_diffusion import LatentDiffusion
from modules.prompt.conditioning import BatchConditions, ComposedCond, Conditioning, ScheduledCond
from modules.sampling.passes import sample_from_noise
from modules.sampling.registry import find_sampler

STEPS, CFG_SCALE = 20, 7.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tiny = load_model(tiny_model.tiny_checkpoint(1), Hardware.detect(HardwareOptions(use_cpu=("all",), no_half=True)))
    print(f"{'network':24} {'size':>5} {'Easel s':>9} {'diffusers s':>12} {'ratio':>7}   at most 1.0")
    for name, model, size in (("tiny golden", tiny, 64), ("reduced SD 1", reduced_sd1(), 256)):
        ours, theirs = medians([easel_run(model, size), diffusers_run(model, size)], args.repeat)
        print(f"{name:24} {size:5} {ours:9.3f} {theirs:12.3f} {ours / theirs:7.3f}")


def reduced_sd1() -> LatentDiffusion:
    """Random weights; the layout and the heads of SD 1 with a third of its channels."""
    torch.manual_seed(0)
    sizes = Architecture(unet=UNetConfig(model_channels=96, context_dim=256, norm_groups=32), vae=VaeConfig(ch=32))
    return LatentDiffusion(sizes).requires_grad_(False).eval()


def medians(works: list[Callable[[], object]], repeat: int) -> list[float]:
    """Median seconds of each, run in turn so that all see the same machine."""
    times: list[list[float]] = [[] for _ in works]
    for i in range(repeat + 1):
        for work, taken in zip(works, times):
            began = time.perf_counter()
            work()
            if i:  # the first round warms up
                taken.append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in times]


def text(model: LatentDiffusion) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    width = model.architecture.unet.context_dim
    return torch.randn(1, 77, width, generator=generator), torch.randn(1, 77, width, generator=generator)


def easel_run(model: LatentDiffusion, size_px: int) -> Callable[[], torch.Tensor]:
    prompt, negative = (ScheduledCond(parts=((STEPS, Conditioning(crossattn=part)),)) for part in text(model))
    conditions = BatchConditions(positive=(ComposedCond(parts=((prompt, 1.0),)),), negative=(negative,))
    shape = [4, size_px // 8, size_px // 8]

    @torch.no_grad()
    def run() -> torch.Tensor:
        return sample_from_noise(model, find_sampler("Euler"), None, STEPS, NoiseSource(shape, [1]), conditions, CFG_SCALE)

    return run


def diffusers_run(model: LatentDiffusion, size_px: int) -> Callable[[], torch.Tensor]:
    network = peer_unet(model.architecture.unet, model.model.diffusion_model.state_dict())
    schedule = diffusers().EulerDiscreteScheduler(beta_start=model.architecture.linear_start, beta_end=model.architecture.linear_end,
                                                  beta_schedule="scaled_linear", timestep_spacing="linspace")
    prompt, negative = text(model)
    both = torch.cat([negative, prompt])

    @torch.no_grad()
    def run() -> torch.Tensor:
        schedule.set_timesteps(STEPS)
        x = torch.randn(1, 4, size_px // 8, size_px // 8, generator=torch.Generator().manual_seed(1)) * schedule.init_noise_sigma
        for t in schedule.timesteps:
            scaled = schedule.scale_model_input(torch.cat([x, x]), t)
            without, with_prompt = network(scaled, t, encoder_hidden_states=both).sample.chunk(2)
            x = schedule.step(without + CFG_SCALE * (with_prompt - without), t, x).prev_sample
        return x

    return run


if __name__ == "__main__":
    main()
