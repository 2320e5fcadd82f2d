"""Merging checkpoints: what becomes of each tensor, streamed from the files into a new one."""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import torch
from torch import Tensor

from modules.checkpoints.old_names import our_name
from modules.checkpoints.safetensors_writer import TensorPlan, write_safetensors
from modules.checkpoints.state_dict import WeightsFile, open_weights
from modules.errors import UserError
from modules.nn.latent_diffusion import UNET, VAE

Method = Literal["No interpolation", "Weighted sum", "Add difference"]
METHODS: tuple[Method, ...] = ("No interpolation", "Weighted sum", "Add difference")
Curve = Literal["Linear", "Sigmoid", "Inverse sigmoid"]
CURVES: tuple[Curve, ...] = ("Linear", "Sigmoid", "Inverse sigmoid")

FIRST_CONVOLUTION = UNET + "input_blocks.0.0.weight"
MERGED_PARTS = ("model.", "model_ema.", VAE, "cond_stage_model.", "conditioner.")  # the rest are tables
NEVER_MERGED = ".embeddings.position_ids"  # a table, too, at the end of a name
BLOCK = re.compile(re.escape(UNET) + r"(input_blocks|middle_block|output_blocks)\.(\d+)\.")
BLOCKS = 25  # IN00 to IN11, MID, OUT00 to OUT11
LATENT_CHANNELS = 4
KINDS = {9: "inpainting", 8: "instruct-pix2pix"}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which files are merged, and how.

    `multiplier`: M of `(1 - M) A + M B` and `A + M (B - C)`, 0 to 1, bent by `curve`. `block_weights`: M for each block of the
    U-Net (25: IN00-IN11, MID, OUT00-OUT11) or for everything else and them (26); empty for one M. `discard`: a regular expression;
    tensors whose name it finds are left out. `vae`: a file whose VAE replaces A's.
    """

    primary: Path
    secondary: Path | None = None
    tertiary: Path | None = None
    method: Method = "Weighted sum"
    multiplier: float = 0.3
    curve: Curve = "Linear"
    block_weights: tuple[float, ...] = ()
    half: bool = False
    vae: Path | None = None
    discard: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        needs_b, needs_c = self.method != "No interpolation", self.method == "Add difference"
        if needs_b and self.secondary is None:
            raise UserError(f"{self.method} needs a secondary model (B).", remedy="Choose one, or No interpolation.")
        if needs_c and self.tertiary is None:
            raise UserError("Add difference needs a tertiary model (C).", remedy="Choose one, or Weighted sum.")
        if len(self.block_weights) not in (0, BLOCKS, BLOCKS + 1):
            raise UserError(f"There are {len(self.block_weights)} block weights.", f"{BLOCKS} or {BLOCKS + 1} are needed.")
        if not all(math.isfinite(number) for number in (self.multiplier, *self.block_weights)):
            raise UserError("A multiplier must be a number.")
        try:
            re.compile(self.discard)
        except re.error as error:
            raise UserError(f"Discard weights holds no regular expression: {error}.") from error


def curved(multiplier: float, curve: Curve) -> float:
    """M after its curve: `M^2 (3 - 2 M)`, or the inverse of that."""
    if curve == "Sigmoid":
        return multiplier**2 * (3 - 2 * multiplier)
    if curve == "Inverse sigmoid":
        return 0.5 - math.sin(math.asin(1 - 2 * min(max(multiplier, 0.0), 1.0)) / 3)
    return multiplier


def multiplier_of(recipe: Recipe, name: str) -> float:
    """M for the tensor called `name`."""
    weights = recipe.block_weights
    if not weights:
        return curved(recipe.multiplier, recipe.curve)
    base = weights[0] if len(weights) > BLOCKS else recipe.multiplier
    found = BLOCK.match(name)
    if found is None:
        return curved(base, recipe.curve)
    row = {"input_blocks": 0, "middle_block": 12, "output_blocks": 13}[found[1]]
    place = row if found[1] == "middle_block" else row + min(int(found[2]), 11)
    return curved(weights[-BLOCKS:][place], recipe.curve)


def write_merged(file: BinaryIO, recipe: Recipe, progress: Callable[[int, int], None] = lambda done, of: None) -> None:
    """Write the merged checkpoint. `progress` is told of each tensor and may raise to stop. Raises WeightsError and UserError.

    Needs memory for a few tensors: the sources are read off memory maps, sums are made in float32.
    """
    with sources(recipe) as merger:
        plans = merger.plans()
        done = 0

        def tensor(plan: TensorPlan) -> Tensor:
            nonlocal done
            progress(done, len(plans))
            done += 1
            return merger.tensor(plan.name)

        write_safetensors(file, plans, recipe.metadata, tensor)


def kind_of(recipe: Recipe) -> str:
    """"inpainting" or "instruct-pix2pix" where A is such a model, else ""."""
    with open_weights(recipe.primary) as primary:
        return KINDS.get(primary.shapes.get(FIRST_CONVOLUTION, (0, 0))[1], "")


@contextmanager
def sources(recipe: Recipe) -> Iterator[Merger]:
    """The files of a recipe, open."""
    with ExitStack() as stack:
        paths = (recipe.primary, recipe.secondary, recipe.tertiary, recipe.vae)
        opened = {path: stack.enter_context(open_weights(path)) for path in paths if path}
        of = lambda path: opened[path] if path else None
        yield Merger(recipe, opened[recipe.primary], of(recipe.secondary), of(recipe.tertiary), of(recipe.vae))


class Merger:
    """Names, shapes and values of the result."""

    def __init__(self, recipe: Recipe, a: WeightsFile, b: WeightsFile | None, c: WeightsFile | None, vae: WeightsFile | None):
        self.recipe, self.a, self.b, self.c, self.vae = recipe, a, b, c, vae
        # Files may differ in a level of the text encoder's names.
        self._names_in_b, self._names_in_c = ({our_name(key): key for key in file.shapes} if file else {} for file in (b, c))
        if b is not None and recipe.method != "No interpolation" and not any(our_name(name) in self._names_in_b for name in a.shapes):
            raise UserError(f"{recipe.primary.name} and {b.path.name} have no tensor in common.", "They are of different families.")

    def plans(self) -> list[TensorPlan]:
        """What is written, in the order of A's file."""
        discard = re.compile(self.recipe.discard) if self.recipe.discard else None
        names = [name for name in self.a.names_in_file_order() if not (discard and discard.search(name))]
        return [TensorPlan(name=name, dtype=self._dtype(name), shape=self.a.shapes[name]) for name in names]

    def _dtype(self, name: str) -> torch.dtype:
        dtype = self.a.dtypes[name]
        return torch.float16 if self.recipe.half and dtype.is_floating_point and dtype.itemsize >= 2 else dtype

    def tensor(self, name: str) -> Tensor:
        """The value of one tensor of the result."""
        own = self._baked(name)
        if own is not None:
            return own
        a = self.a.tensor(name)
        other = self._names_in_b.get(our_name(name))
        is_weight = name.startswith(MERGED_PARTS) and not name.endswith(NEVER_MERGED) and a.is_floating_point()
        return self._mixed(name, a, other) if other and is_weight and self.recipe.method != "No interpolation" else a

    def _baked(self, name: str) -> Tensor | None:
        if self.vae is None or not name.startswith(VAE):
            return None
        key = next((key for key in (name, name.removeprefix(VAE)) if key in self.vae.shapes), None)
        return None if key is None or self.vae.shapes[key] != self.a.shapes[name] else self.vae.tensor(key)

    def _mixed(self, name: str, a: Tensor, other: str) -> Tensor:
        assert self.b is not None
        b, m = self.b.tensor(other).float(), multiplier_of(self.recipe, name)
        mixed = a.float().clone()
        part = mixed[:, :LATENT_CHANNELS] if self._is_widened(name, a, b) else mixed
        if part.shape != b.shape:
            raise UserError(f"{name} has the shape {tuple(a.shape)} in A and {tuple(b.shape)} in B.",
                            "The models are of different families, or B is an inpainting model and A is not: let A be it then.")
        if self.recipe.method == "Weighted sum":
            part.mul_(1 - m).add_(b, alpha=m)
        else:
            part.add_(b - self._subtracted(name, b), alpha=m)
        return mixed

    def _subtracted(self, name: str, b: Tensor) -> Tensor:
        """C's tensor; B's own where C has none of this shape, so that nothing is added."""
        key = self._names_in_c.get(our_name(name))
        if self.c is None or key is None or self.c.shapes[key] != tuple(b.shape):
            return b
        return self.c.tensor(key).float()

    @staticmethod
    def _is_widened(name: str, a: Tensor, b: Tensor) -> bool:
        return name == FIRST_CONVOLUTION and a.shape[1] in KINDS and b.shape[1] == LATENT_CHANNELS
