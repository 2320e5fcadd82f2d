"""Makes models/demo/easel-demo-2x.safetensors again: paints pictures with the demo model, trains a small network to double them.

    python tools/train_demo_upscaler.py paint build/pictures.npz --pictures 200
    python tools/train_demo_upscaler.py train build/pictures.npz models/demo/easel-demo-2x.safetensors --minutes 25
    python tools/train_demo_upscaler.py measure build/pictures.npz models/demo/easel-demo-2x.safetensors

The network has the layout of Real-ESRGAN's compact networks, so every program that reads those reads it. It learns to undo a halving
of the pictures, and of as many drawn scenes, whose edges are sharper; the last tenth of the pictures is held out. Minutes are for one
thread of a quiet machine; `--resume FILE` goes on from a file.
"""
import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from modules.atomic_files import write_atomically
from modules.checkpoints.state_dict import load_weights
from modules.folders import Folders
from tools.demo_model.captions import caption
from tools.demo_model.evaluate import Painter, Sampling
from tools.demo_model.render import render
from tools.demo_model.scenes import random_scene

FEATURES, LAYERS = 32, 10
PATCH_PX, BATCH = 48, 12
HELD_OUT = 10  # every how-manieth picture, counted from the end
SAMPLERS = (Sampling(), Sampling(sampler="DPM++ 2M", steps=12, cfg_scale=5.0))


class Compact(nn.Module):
    """Convolutions in small, then a shuffle to twice the size, added to the picture with doubled pixels. [B, 3, h, w] in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, FEATURES, 3, padding=1), nn.PReLU(FEATURES)]
        for _ in range(LAYERS):
            layers += [nn.Conv2d(FEATURES, FEATURES, 3, padding=1), nn.PReLU(FEATURES)]
        self.body = nn.ModuleList([*layers, nn.Conv2d(FEATURES, 12, 3, padding=1)])
        nn.init.zeros_(self.body[-1].weight)  # it begins as doubled pixels
        nn.init.zeros_(self.body[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for layer in self.body:
            out = layer(out)
        return F.pixel_shuffle(out, 2) + F.interpolate(x, scale_factor=2, mode="nearest")


def paint(args: argparse.Namespace) -> None:
    """Pictures of random prompts, uint8 [N, 128, 128, 3]."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(2)
    pictures: list[Any] = []
    while len(pictures) < args.pictures:
        painter = Painter(Folders().demo_checkpoint, SAMPLERS[len(pictures) // 20 % 2])
        pictures += painter.paint([caption(random_scene(rng), rng) for _ in range(20)], 7000 + len(pictures))
        print(f"{len(pictures)} pictures", flush=True)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(args.out, pictures=np.stack(pictures))


def halved(picture: np.ndarray) -> np.ndarray:
    """Half the size, as Pillow's Lanczos makes it."""
    size = picture.shape[1] // 2, picture.shape[0] // 2
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def drawn(count: int) -> list[np.ndarray]:
    """Scenes as the demo model was taught them."""
    rng = np.random.default_rng(4)
    return [np.asarray(render(random_scene(rng))) for _ in range(count)]


def tensors(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(255).contiguous()


def parted(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures to learn from, and those held out."""
    pictures = list(np.load(path)["pictures"])
    last = len(pictures) - max(1, len(pictures) // HELD_OUT)
    return pictures[:last], pictures[last:]


def train(args: argparse.Namespace) -> None:
    """The mean absolute error on random patches, turned and mirrored; the rate falls along a cosine."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    painted = parted(args.pictures)[0]
    learned = [*painted, *drawn(len(painted))]
    large, small = tensors(learned), tensors([halved(picture) for picture in learned])
    network = Compact()
    if args.resume:
        network.load_state_dict(load_weights(args.resume, dtype=torch.float32))
    optimizer = torch.optim.Adam(network.parameters(), lr=args.lr)
    began, seconds, step = time.monotonic(), args.minutes * 60, 0
    while (passed := (time.monotonic() - began) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = args.lr * (0.02 + 0.98 * (1 + np.cos(np.pi * passed)) / 2)
        x, wanted = patches(small, large)
        loss = (network(x) - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 200 == 0:
            print(f"{passed:4.0%}  step {step}  loss {loss.item():.5f}", flush=True)
    save(network, args.out)
    measure(args)


def patches(small: Tensor, large: Tensor) -> tuple[Tensor, Tensor]:
    """A batch of places in both sizes."""
    pairs = []
    for index in torch.randint(len(small), (BATCH,)).tolist():
        y, x = (torch.randint(side - PATCH_PX + 1, ()).item() for side in small.shape[2:])
        low = small[index, :, y:y + PATCH_PX, x:x + PATCH_PX]
        high = large[index, :, 2 * y:2 * (y + PATCH_PX), 2 * x:2 * (x + PATCH_PX)]
        turns, mirrored = torch.randint(4, ()).item(), torch.rand(()) < 0.5
        turned = [torch.rot90(part, turns, (1, 2)) for part in (low, high)]
        pairs.append([part.flip(2) if mirrored else part for part in turned])
    return torch.stack([low for low, _ in pairs]), torch.stack([high for _, high in pairs])


def save(network: nn.Module, path: Path) -> None:
    """The weights in half precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file({name: value.detach().half().contiguous() for name, value in network.state_dict().items()}, str(temporary),
              metadata={"format": "pt", "modelspec.title": "easel-demo 2x", "modelspec.license": "Apache-2.0"})
    write_atomically(path, temporary.read_bytes())
    temporary.unlink()


def psnr(made: np.ndarray, wanted: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255 ** 2 / ((made.astype(np.float64) - wanted) ** 2).mean()))


def measure(args: argparse.Namespace) -> None:
    """Compare with Lanczos on the pictures held out, and on scenes that were not drawn before."""
    network = Compact()
    network.load_state_dict(load_weights(args.out, dtype=torch.float32))
    for name, pictures in (("pictures", parted(args.pictures)[1]), ("scenes", drawn(400)[-20:])):
        print(f"{name}: {compared(network, pictures)}; {args.out.stat().st_size / 1e6:.2f} MB")


@torch.no_grad()
def compared(network: nn.Module, pictures: list[np.ndarray]) -> str:
    """The mean of both in dB, and on how many pictures the network is better."""
    ours, lanczos = [], []
    for picture in pictures:
        small = halved(picture)
        made = network(tensors([small]))[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
        ours.append(psnr(made, picture))
        size = picture.shape[1], picture.shape[0]
        lanczos.append(psnr(np.asarray(Image.fromarray(small).resize(size, Image.Resampling.LANCZOS)), picture))
    better = sum(a > b for a, b in zip(ours, lanczos, strict=True))
    return f"{np.mean(ours):.2f} dB, Lanczos {np.mean(lanczos):.2f} dB, better on {better} of {len(ours)}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    stages = parser.add_subparsers(required=True, metavar="STAGE")
    for name, run in (("paint", paint), ("train", train), ("measure", measure)):
        stage = stages.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
        stage.set_defaults(run=run)
        if name != "paint":
            stage.add_argument("pictures", type=Path)
        stage.add_argument("out", type=Path)
    stages.choices["paint"].add_argument("--pictures", type=int, default=200)
    stages.choices["train"].add_argument("--minutes", type=float, required=True)
    stages.choices["train"].add_argument("--resume", type=Path)
    stages.choices["train"].add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args(argv)
    args.run(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
