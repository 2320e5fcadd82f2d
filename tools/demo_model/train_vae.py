"""Stage 1: the autoencoder (8 x smaller, 4 channels), on crops of drawn scenes.

The loss is L1 of pixels, of their differences and of 4x4 averages. Instead of a KL term the latent gets relative noise, which makes
the decoder forgiving; stage 2 brings it to unit variance. Three latent channels are tied to a colour thumbnail, and opponent
colours count extra: otherwise one axis of colour is learnt very late.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from modules.nn.vae import AutoencoderKL
from tools.demo_model.networks import new_model
from tools.demo_model.render import render
from tools.demo_model.scenes import random_scene
from tools.demo_model.workers import Averages, Clock, Rate, follow, prepare_worker, run_workers, save

# Red against blue, green against magenta.
OPPONENT = torch.tensor([[1.0, 0.0, -1.0], [-0.7, 1.4, -0.7]])
POOL_SIZES = ((128, 1.0, 0.8), (192, 1 / 8, 0.13), (256, 1 / 16, 0.07))  # size in px, share of pictures drawn, share of crops


@dataclass(frozen=True, kw_only=True)
class VaeTraining:
    """mse: weight of the squared error, for a last polish, since PSNR is the measure. whole: share of steps on whole pictures."""

    minutes: float
    workers: int = 2
    learning_rate: float = 1.6e-3
    pictures: int = 4000
    whole: float = 0.12
    mse: float = 0.0
    noise: float = 0.08
    freeze_encoder: bool = False
    max_steps: int | None = None


def train(out: Path, options: VaeTraining, resume: Path | None = None) -> None:
    """Train for the given time and write the averaged weights."""
    network = new_model().first_stage_model.to(memory_format=torch.channels_last)
    if resume:
        network.load_state_dict(torch.load(resume, weights_only=True))
    if options.freeze_encoder:
        network.encoder.requires_grad_(False)
        network.quant_conv.requires_grad_(False)
    run_workers(options.workers, work, [network], drawn_pools(out.with_suffix(".pools.npz"), options.pictures), out, options,
                resume is not None, Clock(options.minutes, options.max_steps))


def drawn_pools(path: Path, pictures: int) -> list[np.ndarray]:
    """The pictures to crop from, one array per size; kept in a file, since drawing them takes minutes."""
    if path.exists():
        with np.load(path) as kept:
            return [kept[name] for name in kept.files]
    rng = np.random.default_rng(12345)
    pools = [np.stack([render(random_scene(rng), size, size) for _ in range(max(1, int(pictures * share)))])
             for size, share, _ in POOL_SIZES]
    np.savez(path, *pools)
    return pools


def crops(pools: list[np.ndarray], rng: np.random.Generator, n: int, size: int) -> Tensor:
    """n crops [n, 3, size, size] in -1..1, some mirrored, some with other colours."""
    out = np.empty((n, size, size, 3), np.uint8)
    for i in range(n):
        pool = pools[rng.choice(len(pools), p=[share for *_, share in POOL_SIZES])]
        picture = pool[rng.integers(len(pool))]
        places = (picture.shape[0] - size) // 4 + 1
        y, x = rng.integers(places) * 4, rng.integers(places) * 4
        crop = picture[y:y + size, x:x + size]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        chance = rng.random()
        if chance < 0.12:  # colours beyond the palette
            crop = crop[..., rng.permutation(3)]
            crop = 255 - crop if chance < 0.06 else crop
        out[i] = crop
    pixels = torch.from_numpy(out).permute(0, 3, 1, 2).float() / 127.5 - 1
    return pixels.contiguous(memory_format=torch.channels_last)


def work(rank: int, network: AutoencoderKL, pools: list[np.ndarray], out: Path, options: VaeTraining, resumed: bool, clock: Clock) -> None:
    """One of the processes."""
    rng = prepare_worker(rank, clock)
    averaged = new_model().first_stage_model
    averaged.load_state_dict(network.state_dict())
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4)
    rate = Rate(peak=options.learning_rate, warmup_steps=100, floor=0.02)
    averages = Averages()
    while not clock.is_over:
        for group in optimizer.param_groups:
            group["lr"] = rate.at(clock.step, clock.share)
        pixels = crops(pools, rng, 2, 128) if rng.random() < options.whole else crops(pools, rng, 8, 64)
        thumbnail_weight = 0.03 if resumed else 0.03 + 0.97 * max(0.0, 1 - clock.share / 0.5) ** 2
        loss, l1, mse = losses(network, pixels, options, thumbnail_weight)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        clock.step += 1
        if rank:
            continue
        follow(averaged, network, min(0.997, clock.step / (clock.step + 20)))
        averages.add(l1=l1, mse=mse)
        if clock.step % 100 == 0:
            means = averages.means()
            print(clock.line({"L1": means["l1"], "PSNR": 10 * np.log10(4 / means["mse"])}), flush=True)
        if clock.is_time_to_save():
            save(averaged.state_dict(), out)
    if rank == 0:
        save(averaged.state_dict(), out)


def losses(network: AutoencoderKL, pixels: Tensor, options: VaeTraining, thumbnail_weight: float) -> tuple[Tensor, float, float]:
    """The loss of a batch, and its L1 and mean squared error for the log."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.set_grad_enabled(not options.freeze_encoder):
            mean = network.encode(pixels).mean
        mean = mean.float()
        spread = mean.detach().std((0, 2, 3), keepdim=True)
        shown = network.decode(mean + options.noise * spread * torch.randn_like(mean)).float()
    off = shown - pixels
    l1, mse = off.abs().mean(), off.square().mean()
    edges = off.diff(dim=-1).abs().mean() + off.diff(dim=-2).abs().mean()
    coarse = F.avg_pool2d(off, 4)
    opponent = torch.einsum("bchw,kc->bkhw", coarse, OPPONENT).abs().mean()
    loss = l1 + options.mse * mse + 0.8 * edges + 0.5 * coarse.abs().mean() + 0.5 * opponent + 1e-4 * mean[:, 3].square().mean()
    if not options.freeze_encoder:
        loss = loss + thumbnail_weight * (mean[:, :3] - F.avg_pool2d(pixels, 8)).square().mean()
    return loss, l1.item(), mse.item()
