"""The kinds of small networks that change a weight, and what each adds to it."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

# The tensors that a file holds for one module, by their short names (modules/networks/file_keys.py).
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to write down the change of a weight.

    needs: names of tensors that must be there; "a | b c" is either a, or b and c. difference: (tensors, weight) -> what is added
    to the weight at strength 1, before alpha / rank. rank: None where alpha does not scale. of: the parameter that it changes.
    """

    name: str
    needs: tuple[str, ...]
    difference: Callable[[Tensors, Tensor], Tensor]
    rank: Callable[[Tensors], int | None] = lambda tensors: None
    takes: tuple[str, ...] = ()
    of: Literal["weight", "bias"] = "weight"

    def is_in(self, tensors: Tensors) -> bool:
        """Whether all that it needs is there."""
        return all(any(all(name in tensors for name in option.split()) for option in need.split("|")) for need in self.needs)

    @property
    def names(self) -> set[str]:
        """The tensors that it may use."""
        return {name for need in self.needs for name in need.replace("|", " ").split()} | set(self.takes)


def shaped(difference: Tensor, weight: Tensor) -> Tensor:
    """The difference in the shape of the weight. Raises ValueError where its rows, or the numbers in a row, are others."""
    if difference.shape[0] != weight.shape[0] or difference.numel() != weight.numel():
        raise ValueError(f"a difference of {tuple(difference.shape)} for a weight of {tuple(weight.shape)}")
    return difference.reshape(weight.shape)


def lora(tensors: Tensors, weight: Tensor) -> Tensor:
    """up [out, r] @ down [r, in]; for convolutions down holds the kernels, or a middle [r, r, kh, kw] does.

    Hu et al. 2021 (arXiv:2106.09685); the middle: Yeh et al. 2023 (arXiv:2309.14859), section 3.3 and appendix B.
    """
    up, down = tensors["up"].flatten(1), tensors["down"].flatten(1)
    if "mid" in tensors:
        return shaped(torch.einsum("or,rshw,si->oihw", up, tensors["mid"], down), weight)
    return shaped(up @ down, weight)


def first_ranks(tensors: Tensors, count: int | None) -> Tensors:
    """The same LoRA with its first `count` ranks alone; None for all."""
    if count is None or "up" not in tensors:
        return tensors
    cut = {"up": tensors["up"][:, :count], "down": tensors["down"][:count]}
    if "mid" in tensors:
        cut["mid"] = tensors["mid"][:count, :count]
    return {**tensors, **cut}


def loha(tensors: Tensors, weight: Tensor) -> Tensor:
    """The product, number by number, of two products of matrices (w1_a @ w1_b) * (w2_a @ w2_b).

    With cores t [r, r, kh, kw] the factors are their products with w_a [r, out] and w_b [r, in]. Hyeon-Woo et al. 2021
    (arXiv:2108.06098), propositions 2 and 3.
    """
    first, second = (
        _around_core(tensors[f"hada_t{i}"], tensors[f"hada_w{i}_a"], tensors[f"hada_w{i}_b"]) if f"hada_t{i}" in tensors
        else tensors[f"hada_w{i}_a"].flatten(1) @ tensors[f"hada_w{i}_b"].flatten(1) for i in (1, 2))
    return shaped(first * second, weight)


def lokr(tensors: Tensors, weight: Tensor) -> Tensor:
    """The Kronecker product of w1 and w2, each whole or a product of two matrices; w2 may have a core, too.

    Yeh et al. 2023 (arXiv:2309.14859), section 3.3.
    """
    first = tensors["lokr_w1"] if "lokr_w1" in tensors else tensors["lokr_w1_a"] @ tensors["lokr_w1_b"]
    if "lokr_w2" in tensors:
        second = tensors["lokr_w2"]
    elif "lokr_t2" in tensors:
        second = _around_core(tensors["lokr_t2"], tensors["lokr_w2_a"], tensors["lokr_w2_b"])
    else:
        second = tensors["lokr_w2_a"].flatten(1) @ tensors["lokr_w2_b"].flatten(1)
    # Kernels lie behind the input channels, so that the product of the matrices has them in place.
    return shaped(torch.kron(first.flatten(1), second.flatten(1).contiguous()), weight)


def _around_core(core: Tensor, outer: Tensor, inner: Tensor) -> Tensor:
    """core [r, s, kh, kw], outer [r, out], inner [s, in] -> [out, in, kh, kw]."""
    return torch.einsum("rshw,ro,si->oihw", core, outer, inner)


def _lokr_rank(tensors: Tensors) -> int | None:
    """Of the products of matrices; with both matrices whole, alpha means nothing."""
    parts = [tensors[name].shape[0] for name in ("lokr_w1_b", "lokr_w2_b") if name in tensors]
    return parts[0] if parts else None


def oft(tensors: Tensors, weight: Tensor) -> Tensor:
    """The rows of the weight, turned block by block by the rotations that Cayley's transform makes of blocks [k, n, n].

    Qiu et al. 2023 (arXiv:2306.07280), section 4. alpha times the number of rows bounds the length of all skew matrices together, 0
    is no bound; rescale multiplies the turned rows. Both as in kohya's sd-scripts (networks/oft.py) and LyCORIS (modules/diag_oft.py).
    """
    blocks = tensors["oft_blocks"]
    count, size, _ = blocks.shape
    if count * size != weight.shape[0]:
        raise ValueError(f"{count} blocks of {size} for {weight.shape[0]} rows")
    skew = blocks - blocks.transpose(1, 2)
    if "alpha" in tensors:
        bound = tensors["alpha"].to(skew) * weight.shape[0]
        skew = skew * torch.where(bound > 0, (bound / skew.norm().clamp_min(1e-8)).clamp_max(1.0), 1.0)
    one = torch.eye(size, dtype=skew.dtype, device=skew.device)
    rotation = (one + skew) @ torch.linalg.inv(one - skew)
    rows = weight.reshape(count, size, -1)
    turned = torch.einsum("knm,knj->kmj", rotation, rows).reshape(weight.shape)
    if "rescale" in tensors:
        turned = turned * tensors["rescale"].reshape(-1, *(1,) * (weight.ndim - 1))
    return turned - weight


def ia3(tensors: Tensors, weight: Tensor) -> Tensor:
    """Every output, or with on_input every input, times a number of its own. Liu et al. 2022 (arXiv:2205.05638), section 3.3."""
    factors = tensors["weight"].flatten()
    if bool(tensors["on_input"]):
        return shaped(weight * factors.reshape(1, -1, *(1,) * (weight.ndim - 2)), weight)
    return shaped(weight * factors.reshape(-1, *(1,) * (weight.ndim - 1)), weight)


def glora(tensors: Tensors, weight: Tensor) -> Tensor:
    """W a1 [in, r] a2 [r, in] + b1 [out, r] b2 [r, in], kernels in b2. Chavan et al. 2023 (arXiv:2306.07967), section 3.

    Older files of LyCORIS have the names of the factors in both products the other way round.
    """
    a1, a2, b1, b2 = (tensors[name].flatten(1) for name in ("a1", "a2", "b1", "b2"))
    if a1.shape[0] < a1.shape[1]:
        a1, a2, b1, b2 = a2, a1, b2, b1
    return torch.einsum("oi...,ij->oj...", weight, a1 @ a2) + shaped(b1 @ b2, weight)


def stored(name: str) -> Callable[[Tensors, Tensor], Tensor]:
    """The difference stands in the file as it is."""
    return lambda tensors, weight: shaped(tensors[name], weight)


KINDS = (
    Kind(name="LoRA", needs=("up", "down"), takes=("mid",), difference=lora, rank=lambda tensors: tensors["down"].shape[0]),
    Kind(name="LoHa", needs=("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"), takes=("hada_t1", "hada_t2"), difference=loha,
         rank=lambda tensors: tensors["hada_w1_b"].shape[0]),
    Kind(name="LoKr", needs=("lokr_w1 | lokr_w1_a lokr_w1_b", "lokr_w2 | lokr_w2_a lokr_w2_b"), takes=("lokr_t2",), difference=lokr,
         rank=_lokr_rank),
    Kind(name="OFT", needs=("oft_blocks",), takes=("rescale",), difference=oft),
    Kind(name="IA3", needs=("weight", "on_input"), difference=ia3),
    Kind(name="GLoRA", needs=("a1", "a2", "b1", "b2"), difference=glora, rank=lambda tensors: min(tensors["a1"].shape[:2])),
    Kind(name="full", needs=("diff",), difference=stored("diff")),
    Kind(name="full", needs=("diff_b",), difference=stored("diff_b"), of="bias"),
    Kind(name="norm", needs=("w_norm",), difference=stored("w_norm")),
    Kind(name="norm", needs=("b_norm",), difference=stored("b_norm"), of="bias"),
)
# They qualify another kind, and say nothing alone.
QUALIFIERS = ("alpha", "dora_scale")


def changed(kind: Kind, tensors: Tensors, weight: Tensor, multiplier: float, dyn_dim: int | None = None) -> Tensor:
    """The weight with the change added, `multiplier` times. dyn_dim: how many ranks of a LoRA count. Raises ValueError or RuntimeError
    where the tensors do not fit the weight."""
    scale = scale_of(kind, tensors)
    difference = kind.difference(first_ranks(tensors, dyn_dim), weight)
    if "dora_scale" not in tensors or kind.of == "bias":
        return torch.add(weight, difference, alpha=multiplier * scale)
    whole = with_lengths(torch.add(weight, difference, alpha=scale), tensors["dora_scale"])
    return torch.lerp(weight, whole, multiplier)


def scale_of(kind: Kind, tensors: Tensors) -> float:
    """alpha / rank, or 1 where one of them is missing."""
    rank = kind.rank(tensors)
    return float(tensors["alpha"]) / rank if rank and "alpha" in tensors else 1.0


def with_lengths(weight: Tensor, lengths: Tensor) -> Tensor:
    """The weight with each of its vectors as long as `lengths` says: [out, 1, ...] for rows, [1, in, ...] for columns.

    Liu et al. 2024 (arXiv:2402.09353), eq. 5.
    """
    if lengths.ndim != weight.ndim:
        lengths = lengths.reshape(lengths.shape[0], -1, *(1,) * (weight.ndim - 2))
    over = [i for i, count in enumerate(lengths.shape) if count == 1]
    return weight * (lengths / torch.linalg.vector_norm(weight, dim=over, keepdim=True))
