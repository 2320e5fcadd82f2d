"""torchvision beside any PyTorch: its operator for overlapping boxes, and the packages that need it."""
import subprocess
import sys

import torch
from torch import Tensor

from modules.folders import PROGRAM
from modules.imaging.torchvision_parts import ensure_torchvision, kept_boxes


def reference(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    """Greedy suppression, box by box, in plain numbers."""
    def overlap(a: list[float], b: list[float]) -> float:
        width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        shared = max(0.0, width) * max(0.0, height)
        return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)

    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: (-scores[i].item(), i)):
        if all(overlap(boxes[index].tolist(), boxes[other].tolist()) <= threshold for other in kept):
            kept.append(index)
    return kept


def test_of_boxes_that_overlap_the_best_one_is_kept():
    generator = torch.Generator().manual_seed(1)
    corners = torch.rand(60, 2, generator=generator) * 80
    boxes = torch.cat([corners, corners + 5 + torch.rand(60, 2, generator=generator) * 40], dim=1).double()
    scores = torch.rand(60, generator=generator).mul(20).round().div(20)
    for threshold in (0.0, 0.3, 0.7):
        assert kept_boxes(boxes, scores, threshold).tolist() == reference(boxes, scores, threshold)


def test_no_box_gives_none():
    assert kept_boxes(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def test_torchvision_answers_with_an_operator_that_works_here():
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
    assert ensure_torchvision().ops.nms(boxes, torch.tensor([0.5, 0.9, 0.1]), 0.4).tolist() == [1, 2]


def test_the_module_that_basicsr_asks_for_is_there():
    ensure_torchvision()
    from torchvision.transforms.functional_tensor import rgb_to_grayscale

    assert rgb_to_grayscale(torch.ones(1, 3, 2, 2)).shape == (1, 1, 2, 2)


def test_extensions_may_import_torchvision_themselves_before_the_program_does():
    source = ("from modules.extensions import old_imports; old_imports.allow(); import torch, torchvision; "
              "print(torchvision.ops.nms(torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 8]]), torch.tensor([0.5, 0.9]), 0.4).tolist())")
    ended = subprocess.run([sys.executable, "-c", source], cwd=PROGRAM, capture_output=True, text=True, timeout=100)
    assert ended.stdout == "[1]\n", ended.stderr
