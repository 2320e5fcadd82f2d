"""Overhead of sampling: what each sampler costs per network evaluation beyond the network itself.

    python benchmarks/samplers.py [--size 512] [--batch 1] [--steps 20] [--evaluation-ms 2000] [--device cpu]

The network is a no-op. With --evaluation-ms, a measured time of one full-size evaluation, the last column is the share of it.
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--evaluation-ms", type=float, default=0.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{arguments.size}x{arguments.size} px, batch {arguments.batch}, {arguments.steps} steps, {arguments.device}")
    print(f"{'sampler':<20}{'evaluations':>12}{'ms each':>10}" + (f"{'share':>9}" if arguments.evaluation_ms else ""))
    for sampler in SAMPLERS:
        with torch.inference_mode():
            each, count = overhead_ms(sampler, arguments.steps, arguments.size, arguments.batch, arguments.device)
        share = f"{each / arguments.evaluation_ms:9.2%}" if arguments.evaluation_ms else ""
        print(f"{sampler.name:<20}{count:>12}{each:>10.3f}{share}")


if __name__ == "__main__":
    main()
