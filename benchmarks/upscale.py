"""What tiles cost: our tiled run of an ESRGAN-size network against one bare call of it on the whole picture, time and memory.

Tiles overlap, so more pixels go through the network than the picture has; that share is shown beside the ratio, which may be at most
1.15 + share. Time is that of the processor, one thread. Memory is the most that the process held beyond what it held before, measured
in a process of its own.

    python benchmarks/upscale.py [--size 256] [--tile 192] [--overlap 8] [--features 64] [--blocks 4]

The network is RRDBNet at full width; it has 23 blocks, whose number changes time and not the ratio.
"""
import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

LIMIT = 1.15


def network(features: int, blocks: int):
    """RRDBNet of Real-ESRGAN x4 with random weights."""
    from modules.imaging.torchvision_parts import ensure_torchvision

    ensure_torchvision()
    from basicsr.archs.rrdbnet_arch import RRDBNet

    torch.manual_seed(0)
    return RRDBNet(num_in_ch=3, num_out_ch=3, scale=4, num_feat=features, num_block=blocks, num_grow_ch=32).eval()


def measured(args: argparse.Namespace) -> dict[str, float]:
    """Seconds and the growth of memory in MB of one way, in this process."""
    from modules.imaging.tiled_network import TileOptions, enlarged

    module = network(args.features, args.blocks)
    pixels = np.random.default_rng(0).integers(0, 256, (args.height or args.size, args.size, 3), dtype=np.uint8)
    with torch.inference_mode():
        module(torch.zeros(1, 3, 64, 64))
        held = Held()
        began = time.process_time()
        if args.part == "bare":
            given = torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div(255)
            module(given).clamp(0, 1).mul(255).round().byte().squeeze(0).permute(1, 2, 0).numpy()
        else:
            enlarged(module, pixels, 4, TileOptions(tile_px=args.tile, overlap_px=args.overlap))
        return {"seconds": time.process_time() - began, "mb": held.growth_mb()}


class Held:
    """Watches how much memory the process holds."""

    def __init__(self) -> None:
        self.most = self.before = self._now()
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @staticmethod
    def _now() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.most = max(self.most, self._now())

    def growth_mb(self) -> float:
        self._over.set()
        return (max(self.most, self._now()) - self.before) / 1e6


def alone(args: argparse.Namespace, part: str, height: int = 0) -> dict[str, float]:
    """The same in a fresh process; the best of `args.repeats`."""
    given = [f"--{name}={getattr(args, name)}" for name in ("size", "tile", "overlap", "features", "blocks")]
    command = [sys.executable, __file__, "--part", part, "--height", str(height), *given]
    runs = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(args.repeats)]
    return {"seconds": min(run["seconds"] for run in runs), "mb": max(run["mb"] for run in runs)}


def overlap_share(args: argparse.Namespace) -> float:
    """Pixels in all tiles over pixels of the picture, minus 1."""
    from modules.imaging.tiled_network import TileOptions, spans

    covered = sum(span.end - span.start for span in spans(args.size, TileOptions(tile_px=args.tile, overlap_px=args.overlap)))
    return (covered / args.size) ** 2 - 1


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("size", 256), ("tile", 192), ("overlap", 8), ("features", 64), ("blocks", 4), ("repeats", 3), ("height", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--part", choices=("bare", "tiled"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    if args.part:
        print(json.dumps(measured(args)))
        return 0
    bare, tiled = alone(args, "bare"), alone(args, "tiled")
    args.repeats = 1
    tall = alone(args, "tiled", args.size * 3)
    share, ratio = overlap_share(args), tiled["seconds"] / bare["seconds"]
    print(f"{args.size} x {args.size} px, tiles of at most {args.tile} px, overlap {args.overlap} px; "
          f"RRDBNet of {args.features} features and {args.blocks} blocks")
    print(f"  bare network   {bare['seconds']:7.2f} s  {bare['mb']:7.0f} MB")
    print(f"  ours, tiled    {tiled['seconds']:7.2f} s  {tiled['mb']:7.0f} MB   ratio {ratio:.3f}, overlap share {share:.3f}, "
          f"limit {LIMIT + share:.3f}")
    print(f"  three times as tall, tiled      {tall['mb']:7.0f} MB")
    return 0 if ratio <= LIMIT + share else 1


if __name__ == "__main__":
    sys.exit(main())
