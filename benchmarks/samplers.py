"""Overhead of sampling: what each sampler costs per network evaluation beyond the network itself.

    python benchmarks/samplers.py [--size 512] [--batch 1] [--steps 20] [--device cpu] [--full-size]

The network is a no-op. With --full-size one guided evaluation of an SD 1.5 U-Net is measured first (3.5 GB of memory in float32),
and the last column is the share of it: at most 2 % is wanted.
"""
from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch import Tensor

from modules.generation.noise import NoiseSource
from modules.prompt.conditioning import BatchConditions, ComposedCond, Conditioning, ScheduledCond
from modules.sampling.passes import PassStart, SamplingHooks, StepReport, sample_from_noise
from modules.sampling.registry import SAMPLERS, Sampler


class NoNetwork:
    """Answers at once with what it was given."""

    parameterization = "eps"

    def __init__(self) -> None:
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        self.alphas_cumprod = (1 - betas).cumprod(0).float()

    def apply_model(self, x: Tensor, t: Tensor, cond: Conditioning) -> Tensor:
        return x


def conditions(pictures: int, width: int, device: str) -> BatchConditions:
    """A prompt that changes once and a negative prompt, as a text encoder of this width gives them."""
    text = lambda: Conditioning(crossattn=torch.randn(1, 77, width, device=device))
    prompt = ComposedCond(parts=((ScheduledCond(parts=((10, text()), (1000, text()))), 1.0),))
    return BatchConditions(positive=(prompt,) * pictures, negative=(ScheduledCond(parts=((1000, text()),)),) * pictures)


def overhead_ms(sampler: Sampler, steps: int, size_px: int, batch: int, device: str, repeats: int = 5) -> tuple[float, int]:
    """(median milliseconds per evaluation, evaluations) of a whole pass with progress and cancellation hooks in place."""
    starts: list[PassStart] = []
    seen: list[StepReport] = []
    hooks = SamplingHooks(on_start=starts.append, on_step=lambda report: seen.__setitem__(slice(None), [report]), check=lambda: None)
    model, texts, times = NoNetwork(), conditions(batch, 768, device), []
    for _ in range(repeats + 1):
        noise = NoiseSource((4, size_px // 8, size_px // 8), range(batch), device=device)
        began = time.perf_counter()
        sample_from_noise(model, sampler, None, steps, noise, texts, 7.0, hooks=hooks)
        if device != "cpu":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - began) * 1000 / starts[-1].guided.calls)
    return statistics.median(times[1:]), starts[-1].guided.calls


def full_size_ms(size_px: int, batch: int, device: str, repeats: int = 2) -> float:
    """Milliseconds of one evaluation with prompt and negative prompt by an SD 1.5 U-Net, in half precision on a GPU."""
    from modules.nn.families import SD1
    from modules.nn.latent_diffusion import LatentDiffusion
    from modules.nn.meta import on_meta

    with on_meta():
        unet = LatentDiffusion(SD1).model.diffusion_model
    dtype = torch.float32 if device == "cpu" else torch.float16
    unet = unet.to(dtype).to_empty(device=device).requires_grad_(False)
    for parameter in unet.parameters():
        parameter.fill_(0.01)
    x = torch.randn(2 * batch, 4, size_px // 8, size_px // 8, device=device, dtype=dtype)
    t, text = torch.full((2 * batch,), 500.0, device=device), torch.randn(2 * batch, 77, 768, device=device, dtype=dtype)
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        unet(x, t, text)
        if device != "cpu":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - began) * 1000)
    return min(times[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--full-size", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{arguments.size}x{arguments.size} px, batch {arguments.batch}, {arguments.steps} steps, {arguments.device}")
    full_size = 0.0
    if arguments.full_size:
        with torch.inference_mode():
            full_size = full_size_ms(arguments.size, arguments.batch, arguments.device)
        print(f"one full-size evaluation: {full_size:.0f} ms")
    print(f"{'sampler':<20}{'evaluations':>12}{'ms each':>10}" + (f"{'share':>9}" if full_size else ""))
    for sampler in SAMPLERS:
        with torch.inference_mode():
            each, count = overhead_ms(sampler, arguments.steps, arguments.size, arguments.batch, arguments.device)
        share = f"{each / full_size:9.2%}" if full_size else ""
        print(f"{sampler.name:<20}{count:>12}{each:>10.3f}{share}")


if __name__ == "__main__":
    main()
