"""Small networks that name tags, in the layouts of published files."""
from pathlib import Path

import torch
from torch import Tensor

from modules.imaging.tag_networks import blocks

TAGS = 12


def numbers(shape: tuple[int, ...], seed: int) -> Tensor:
    """Numbers in -1..1 that every machine computes alike."""
    flat = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(flat * (0.7 + 0.01 * (seed % 50)) + seed).reshape(shape).float()


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes in the order of the published file, with channels divided by 32."""
    plan, head = blocks()
    widths = [(width, 4 * width) for width, count in zip((2, 4, 8, 8, 16, 32), (3, 8, 20, 20, 3, 3), strict=True) for _ in range(count)]
    found: dict[int, tuple[int, ...]] = {0: (2, 3, 7, 7)}
    before = 2
    for block, (inner, outer) in zip(plan, widths, strict=True):
        found |= dict(zip(block.inner, ((inner, before, 1, 1), (inner, inner, 3, 3), (outer, inner, 1, 1)), strict=True))
        if block.shortcut is not None:
            found[block.shortcut] = (outer, before, 1, 1)
        before = outer
    weights = {f"n_Conv_{number}.weight": shape for number, shape in found.items()} | {f"n_Conv_{head}.weight": (12, before, 1, 1)}
    return weights | {f"n_Conv_{number}.bias": shape[:1] for number, shape in found.items()}


def small_deepbooru() -> dict[str, Tensor]:
    """Weights for TAGS tags."""
    made = {}
    for seed, (name, shape) in enumerate(sorted(shapes().items())):
        made[name] = numbers(shape, seed) * (1.2 * torch.Size(shape[1:]).numel() ** -0.5 if len(shape) > 1 else 0.1)
    return made


def write_deepbooru(folder: Path) -> Path:
    """A whole file with the tags "tag_0", "tag_1", ..."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model-resnet_custom_v3.pt"
    torch.save({"tags": [f"tag_{i}" for i in range(TAGS)], **small_deepbooru()}, path)
    return path
