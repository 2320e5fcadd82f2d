"""Stage 5, optional: teach a trained text encoder which colour belongs to which of two things.

The heads of stage 3 ask it again. On captions of single things and landscapes, and on the empty one, its outputs are held near what they
were, so that the U-Net still understands them; train the U-Net on for a while afterwards.
"""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from modules.nn.clip_text import ClipTextModel
from modules.nn.tokenizer import ClipTokenizer
from tools.demo_model.captions import caption
from tools.demo_model.networks import ARCHITECTURE, new_model
from tools.demo_model.scenes import plain_scene, random_scene
from tools.demo_model.tokens import END, tokens
from tools.demo_model.train_text import QUESTIONS, TextTraining, answers, answers_loss
from tools.demo_model.workers import Averages, Clock, Rate, prepare_worker, run_workers, save

HEADS_ALONE = 0.1  # share of the time in which only the heads learn
HOLD = 4.0


def bind(source: Path, out: Path, options: TextTraining) -> None:
    """Read a file of stage 4 and write it again with the encoder trained on."""
    state = torch.load(source, weights_only=True)
    trained, before = (new_model().cond_stage_model.transformer for _ in range(2))
    for network in (trained, before):
        network.load_state_dict(state["ema_text"])
    before.requires_grad_(False)
    heads = nn.Linear(ARCHITECTURE.text.hidden_size, sum(map(len, QUESTIONS.values())))
    run_workers(options.workers, work, [trained, heads], before, options, Clock(options.minutes, options.max_steps))
    save({**state, "text": trained.state_dict(), "ema_text": trained.state_dict()}, out)


def work(rank: int, network: ClipTextModel, heads: nn.Linear, before: ClipTextModel, options: TextTraining, clock: Clock) -> None:
    """One of the processes."""
    rng, tokenizer, averages = prepare_worker(rank, clock), ClipTokenizer(), Averages()
    for_heads = torch.optim.AdamW(heads.parameters(), lr=5e-3, betas=(0.9, 0.99), weight_decay=0.0)
    for_text = torch.optim.AdamW(network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    rate = Rate(peak=1e-3, warmup_steps=1, floor=0.03)
    while not clock.is_over:
        share = max(0.0, clock.share - HEADS_ALONE) / (1 - HEADS_ALONE)
        for_heads.param_groups[0]["lr"] = 1e-3 if share else 5e-3
        for_text.param_groups[0]["lr"] = rate.at(clock.step, share) * min(1, share * 20)
        loss, hold = losses(network, heads, before, tokenizer, rng, options.batch, clock.step)
        for optimizer in (for_heads, for_text):
            optimizer.zero_grad(set_to_none=True)
        (loss + HOLD * hold).backward()
        for_heads.step()
        if share:
            for_text.step()
        clock.step += 1
        averages.add(loss=loss.item(), hold=hold.item())
        if rank == 0 and clock.step % 100 == 0:
            print(clock.line(averages.means()), flush=True)


def losses(network: ClipTextModel, heads: nn.Linear, before: ClipTextModel, tokenizer: ClipTokenizer, rng: np.random.Generator,
           pairs: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """How badly the heads answer, and how far the encoder went from what it said of all but pairs."""
    scenes = [plain_scene(rng, two=1.0) for _ in range(pairs)]
    scenes += [plain_scene(rng, two=0.0) for _ in range(pairs // 3)] + [random_scene(rng) for _ in range(pairs // 2)]
    length = 77 if step % 5 == 0 else 40
    ids = tokens(tokenizer, [*(caption(scene, rng) for scene in scenes), "", ""], rng)[:, :length]
    hidden = network(ids)
    with torch.no_grad():
        known = before(ids[pairs:])
    end = (ids[:len(scenes)] == END).float().argmax(1)
    places = end + (torch.rand(len(end)) * (length - end)).long()
    right = torch.tensor([answers(scene) for scene in scenes])
    return answers_loss(heads(hidden[torch.arange(len(end)), places]), right), F.mse_loss(hidden[pairs:], known)
