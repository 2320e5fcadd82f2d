"""Stage 4: U-Net and text encoder together, on the latents of stage 2.

Noise prediction with min-SNR weights (Hang et al. 2023), more weight where the noise is high, since the prompt decides layout and
colours there, and on 4x4 averages of the error, which hold them. One caption in nine is empty, for guidance without a prompt.
"""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from modules.nn.clip_text import ClipTextModel
from modules.nn.tokenizer import ClipTokenizer
from modules.nn.unet import UNetModel
from tools.demo_model.captions import caption, contest, fragment
from tools.demo_model.networks import new_model
from tools.demo_model.render import Scene
from tools.demo_model.tokens import END, Caption, weighted_tokens
from tools.demo_model.workers import Averages, Clock, Rate, follow, prepare_worker, run_workers, save

NATIVE = "128x128"


@dataclass(frozen=True, kw_only=True)
class UNetTraining:
    """plain_share: share of batches from the plain studio scenes. coarse: weight of the error of 4x4 averages.

    words_only: share of captions whose summary (end and padding tokens) is hidden, so that single words keep a say.
    contest: share of captions with a false word beside a true one and weights that tell which is which: teaches emphasis.
    text_rate: learning rate of the warmed-up text encoder relative to that of the U-Net.
    """

    minutes: float
    workers: int = 2
    batch: int = 32
    learning_rate: float = 8e-4
    floor: float = 0.03
    decay_from: float = 0.35
    text_rate: float = 0.3
    average: float = 0.998
    plain_share: float = 0.45
    coarse: float = 0.5
    words_only: float = 0.12
    contest: float = 0.12
    max_steps: int | None = None


class Latents:
    """Latents and scenes of a folder by size; new files are taken up while training runs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.seen: set[Path] = set()
        self.latents: dict[str, list[Tensor]] = {}
        self.scenes: dict[str, list[list[Scene]]] = {}
        self.scan()

    def scan(self) -> None:
        for file in sorted(self.folder.glob("[0-9]*.npz")):
            if file in self.seen:
                continue
            self.seen.add(file)
            with np.load(file) as kept:
                for size, scenes in json.loads(str(kept["scenes"])).items():
                    self.latents.setdefault(size, []).append(torch.from_numpy(kept[size]))
                    self.scenes.setdefault(size, []).append(scenes)

    def batch(self, rng: np.random.Generator, n: int, contests: float = 0.0) -> tuple[Tensor, list[Caption]]:
        """Latents [N, 4, h, w] of one size and a caption for each; N is smaller for larger pictures."""
        others = [size for size in self.latents if size != NATIVE]
        size = NATIVE if not others or rng.random() < 0.82 else others[rng.integers(len(others))]
        width, height = map(int, size.split("x"))
        latents: list[Tensor] = []
        captions: list[Caption] = []
        for _ in range(max(2, int(n * (128 * 128 / (width * height)) ** 1.2))):
            file = rng.integers(len(self.latents[size]))
            i = rng.integers(len(self.latents[size][file]))
            latents.append(self.latents[size][file][i])
            captions.append(described(self.scenes[size][file][i], rng, contests))
        return torch.stack(latents).float(), captions


def described(scene: Scene, rng: np.random.Generator, contests: float) -> Caption:
    """A caption; one in nine is empty, a few are fragments, a share `contests` has weights."""
    chance = rng.random()
    if chance < 0.11:
        return ""
    text = fragment(scene, rng) if chance < 0.15 else caption(scene, rng)
    return contest(scene, text, rng) or text if chance > 1 - contests else text


def train(out: Path, data: Path, options: UNetTraining, *, plain: Path | None = None, text: Path | None = None,
          resume: Path | None = None) -> None:
    """Train for the given time. `text`: weights of stage 3; `resume`: a file that this function wrote."""
    torch.manual_seed(0)
    trained, averaged = new_model(), new_model()
    unet, encoder = trained.model.diffusion_model, trained.cond_stage_model.transformer
    means = (averaged.model.diffusion_model, averaged.cond_stage_model.transformer)
    if resume:
        state = torch.load(resume, weights_only=True)
        unet.load_state_dict(state["unet"])
        encoder.load_state_dict(state["text"])
    if text:
        encoder.load_state_dict(torch.load(text, weights_only=True))
    means[0].load_state_dict(state["ema_unet"] if resume else unet.state_dict())
    means[1].load_state_dict(state["ema_text"] if resume and not text else encoder.state_dict())
    unet.to(memory_format=torch.channels_last)
    run_workers(options.workers, work, [unet, encoder], means, out, data, plain, options, resume is not None,
                Clock(options.minutes, options.max_steps))


def work(rank: int, unet: UNetModel, text: ClipTextModel, means: tuple[UNetModel, ClipTextModel], out: Path, data_folder: Path,
         plain_folder: Path | None, options: UNetTraining, resumed: bool, clock: Clock) -> None:
    """One of the processes."""
    rng, tokenizer, averages = prepare_worker(rank, clock), ClipTokenizer(), Averages()
    data = Latents(data_folder)
    plain = Latents(plain_folder) if plain_folder else None
    optimizer = optimizer_of(unet, text, options)
    vocabulary = text.text_model.embeddings.token_embedding.weight  # most rows have no gradient, so it would not be clipped evenly
    clipped = [weight for weight in (*unet.parameters(), *text.parameters()) if weight is not vocabulary]
    rate = Rate(peak=options.learning_rate, warmup_steps=100 if resumed else 200, floor=options.floor, decay_from=options.decay_from)
    tables = noise_tables()
    while not clock.is_over:
        learning_rate = rate.at(clock.step, clock.share)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * group["rate"]
        source = plain if plain and rng.random() < options.plain_share else data
        latents, captions = source.batch(rng, options.batch, options.contest)
        loss, error = losses(unet, text, latents, weighted_tokens(tokenizer, [*captions, ""], rng), tables, options)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(clipped, 1.0)
        optimizer.step()
        clock.step += 1
        if clock.step % 150 == 0:
            for folder in filter(None, (data, plain)):
                folder.scan()
        if rank:
            continue
        if clock.step % 4 == 0:
            keep = options.average ** 4 if resumed else min(options.average ** 4, clock.step / (clock.step + 40))
            follow(means[0], unet, keep)
            follow(means[1], text, keep)
        averages.add(loss=loss.item(), error=error)
        if clock.step % 100 == 0:
            print(clock.line(averages.means()), flush=True)
        if clock.is_time_to_save():
            save(state_of(unet, text, means), out)
    if rank == 0:
        save(state_of(unet, text, means), out)


def optimizer_of(unet: UNetModel, text: ClipTextModel, options: UNetTraining) -> torch.optim.Optimizer:
    groups = [{"params": list(unet.parameters()), "weight_decay": 0.01, "rate": 1.0},
              {"params": list(text.parameters()), "weight_decay": 0.0, "rate": options.text_rate}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.99), fused=True)


def noise_tables() -> tuple[Tensor, Tensor]:
    """alphas_cumprod, and the signal-to-noise ratio, [1000] each."""
    alphas = new_model().alphas_cumprod
    return alphas, alphas / (1 - alphas)


def losses(unet: UNetModel, text: ClipTextModel, latents: Tensor, weighted: tuple[Tensor, Tensor], tables: tuple[Tensor, Tensor],
           options: UNetTraining) -> tuple[Tensor, float]:
    """The loss of a batch, and its plain error for the log. `weighted` has one row more than `latents`: the empty caption."""
    alphas, snr = tables
    ids, weights = weighted
    t = torch.randint(0, 1000, (len(latents),))
    t = torch.where(torch.rand(len(latents)) < 0.5, 400 + t * 6 // 10, t)
    a = alphas[t][:, None, None, None]
    noise = torch.randn_like(latents)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = text(ids) * weights[..., None]
        hide = (torch.rand(len(latents), 1) < options.words_only) & ((ids[:-1] == END).cumsum(1) > 0)
        context = torch.where(hide[..., None], hidden[-1:], hidden[:-1])
        predicted = unet(a.sqrt() * latents + (1 - a).sqrt() * noise, t, context)
    off = predicted.float() - noise
    error = off.square().mean((1, 2, 3))
    coarse = 16 * F.avg_pool2d(off, 4).square().mean((1, 2, 3))
    weight = (snr[t].clamp(max=5) / snr[t]) * snr[t].clamp(max=1).pow(-0.5).clamp(max=10)
    return ((error + options.coarse * coarse) * weight).mean(), error.mean().item()


def state_of(unet: UNetModel, text: ClipTextModel, means: tuple[UNetModel, ClipTextModel]) -> dict:
    return {"unet": unet.state_dict(), "text": text.state_dict(), "ema_unet": means[0].state_dict(), "ema_text": means[1].state_dict()}
