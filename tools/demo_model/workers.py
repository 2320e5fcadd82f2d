"""Training in several single-threaded processes that share one set of weights without locks (Hogwild, Niu et al. 2011).

On a busy machine with few cores this is two to four times faster than one process with as many threads.
"""
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.multiprocessing as mp
from torch import nn


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Learning rate over the time of a training run: warm-up by steps, level, then a cosine down to `floor` of it."""

    peak: float
    warmup_steps: int
    floor: float
    decay_from: float = 0.0

    def at(self, step: int, share: float) -> float:
        """step: since 0; share: of the whole time, 0..1."""
        fallen = max(0.0, share - self.decay_from) / (1 - self.decay_from)
        return self.peak * min(1, (step + 1) / self.warmup_steps) * (self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * fallen)))


@dataclass
class Clock:
    """The time of a training run, and how many steps it has taken; `max_steps` ends it earlier."""

    minutes: float
    max_steps: int | None = None
    started: float = field(default_factory=time.time)
    step: int = 0
    saved: float = field(default_factory=time.time)

    @property
    def elapsed_s(self) -> float:
        return time.time() - self.started

    @property
    def share(self) -> float:
        return min(1.0, self.elapsed_s / (self.minutes * 60))

    @property
    def is_over(self) -> bool:
        return self.share >= 1 or (self.max_steps is not None and self.step >= self.max_steps)

    def is_time_to_save(self, every_s: float = 120) -> bool:
        if time.time() - self.saved < every_s:
            return False
        self.saved = time.time()
        return True

    def line(self, figures: dict[str, float]) -> str:
        values = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        return f"{self.step} {self.elapsed_s / 60:.1f} min  {values}  {self.step / self.elapsed_s:.2f} steps/s per worker"


class Averages:
    """Running means of figures, for a line now and then."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def add(self, **figures: float) -> None:
        self.rows.append(figures)
        del self.rows[:-100]

    def means(self) -> dict[str, float]:
        return {name: float(np.mean([row[name] for row in self.rows])) for name in self.rows[-1]}


def prepare_worker(rank: int, clock: Clock) -> np.random.Generator:
    """One thread, and random numbers of its own."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(rank + int(clock.started) % 100_000)
    return np.random.default_rng(rank + int(clock.started))


def run_workers(count: int, work: Callable[..., None], shared: list[nn.Module], *arguments: Any) -> None:
    """Run work(rank, *shared, *arguments) in `count` processes that share the weights. Rank 0 reports and saves."""
    torch.set_num_threads(1)
    if count == 1:
        work(0, *shared, *arguments)
        return
    mp.set_sharing_strategy("file_system")
    for network in shared:
        network.share_memory()
    context = mp.get_context("fork")
    processes = [context.Process(target=work, args=(rank, *shared, *arguments)) for rank in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a training process ended with an error; see above")


@torch.no_grad()
def follow(averaged: nn.Module, trained: nn.Module, keep: float) -> None:
    """Move the averaged weights towards the trained ones: keep 0.998 remembers about 500 steps."""
    for mean, weight in zip(averaged.parameters(), trained.parameters()):
        mean.lerp_(weight, 1 - keep)


def save(state: Any, path: Path) -> None:
    """Written whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    torch.save(state, part)
    part.replace(path)
