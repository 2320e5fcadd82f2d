"""Hypernetworks: small networks before the keys and values of every attention of a U-Net."""
from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modules.checkpoints.problems import WeightsError
from modules.errors import NotFound
from modules.networks.file_names import RecentlyRead, named_files
from modules.networks.torch_archive import has_compressed_parts
from modules.nn.attention import CrossAttention

SUFFIX = ".pt"
# PReLU is missing: it has a weight of its own, and nobody is known to have used it.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "linear": nn.Identity, "relu": nn.ReLU, "leakyrelu": nn.LeakyReLU, "elu": nn.ELU, "swish": nn.Hardswish, "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU, "mish": nn.Mish, "softplus": nn.Softplus, "softsign": nn.Softsign,
    "hardswish": nn.Hardswish, "hardtanh": nn.Hardtanh, "hardsigmoid": nn.Hardsigmoid, "relu6": nn.ReLU6, "selu": nn.SELU,
    "celu": nn.CELU, "tanhshrink": nn.Tanhshrink, "softshrink": nn.Softshrink, "hardshrink": nn.Hardshrink,
    "logsigmoid": nn.LogSigmoid}
# Before networks could have any number of layers, the two were called so.
_OLD_NAMES = {"linear1": "linear.0", "linear2": "linear.1"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Hypernetwork:
    """One file. pairs: width of a context -> the network before keys, and the one before values."""

    name: str
    pairs: dict[int, tuple[nn.Module, nn.Module]]


@dataclass(frozen=True, kw_only=True)
class HypernetworkUse:
    """A hypernetwork and how strongly it counts."""

    network: Hypernetwork
    multiplier: float = 1.0


class Layers(nn.Module):
    """Linear layers with activations and norms between them, from the tensors of a file.

    tensors: "linear.3.weight", …: numbers count the steps, of which activations and dropouts have no tensors. Matrices are linear
    layers, vectors are norms. has_last_activation: whether an activation follows the last linear layer too.
    Raises ValueError for other tensors, or sizes that do not fit each other or the width.
    """

    def __init__(self, tensors: Mapping[str, Tensor], activation: str, has_last_activation: bool):
        super().__init__()
        steps: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            for old, new in _OLD_NAMES.items():
                name = name.replace(old + ".", new + ".")
            found = re.fullmatch(r"linear\.(\d+)\.(weight|bias)", name)
            if found is None or not isinstance(tensor, Tensor):
                raise ValueError(f"a tensor {name}")
            steps.setdefault(int(found[1]), {})[found[2]] = tensor.detach().float()
        matrices = [number for number, step in steps.items() if "weight" in step and step["weight"].ndim == 2]
        if not matrices:
            raise ValueError("no layers")
        self.steps = nn.ModuleList()
        for number in sorted(steps):
            self.steps.append(_layer(**steps[number]))
            if number in matrices and (number != max(matrices) or has_last_activation):
                self.steps.append(ACTIVATIONS[activation]())
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """x [..., width] -> [..., width]."""
        for step in self.steps:
            x = step(x)
        return x


class _Step(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)


class _Norm(_Step):
    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias)


class _Linear(_Step):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


def _layer(weight: Tensor, bias: Tensor | None = None) -> _Step:
    bias = torch.zeros(len(weight)) if bias is None else bias
    if weight.ndim not in (1, 2) or bias.shape != weight.shape[:1]:
        raise ValueError(f"a layer of {tuple(weight.shape)} with a bias of {tuple(bias.shape)}")
    return _Linear(weight, bias) if weight.ndim == 2 else _Norm(weight, bias)


def read_hypernetwork(path: Path) -> Hypernetwork:
    """The hypernetwork in a .pt file, read so that nothing in it runs. Raises WeightsError."""
    contents = _contents(path)
    if not isinstance(contents, dict):
        raise WeightsError(path, "It holds no table of tensors.")
    activation = contents.get("activation_func") or "linear"
    if activation not in ACTIVATIONS:
        raise WeightsError(path, f'Its activation "{str(activation)[:40]}" is not known.')
    pairs = {}
    try:
        for width, pair in contents.items():
            if isinstance(width, int):
                keys, values = (Layers(tensors, activation, bool(contents.get("activate_output", True))) for tensors in pair)
                if any(layers(torch.zeros(1, width)).shape != (1, width) for layers in (keys, values)):
                    raise ValueError("other widths")
                pairs[width] = keys, values
    except (ValueError, TypeError, AttributeError, RuntimeError) as exc:
        raise WeightsError(path, "Its layers do not fit together.", "Download it again.") from exc
    if not pairs:
        raise WeightsError(path, "It holds no hypernetwork.")
    return Hypernetwork(name=path.stem, pairs=pairs)


def _contents(path: Path) -> Any:
    try:
        if has_compressed_parts(path):
            raise WeightsError(path, "Its parts are compressed, which PyTorch never does.")
        return torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except pickle.UnpicklingError as exc:
        # The message of torch would advise to read it without protection.
        raise WeightsError(path, "It is damaged, or holds more than tensors and could run as a program.") from exc
    except Exception as exc:  # pickle and zip raise a dozen kinds for damaged files
        raise WeightsError(path, "It is damaged.", "Download it again.") from exc


@contextmanager
def before_attention(network: nn.Module, uses: Sequence[HypernetworkUse]) -> Iterator[None]:
    """Inside the scope every attention in `network` takes its keys and values from x + multiplier * layers(x), use after use.

    Contexts of a width that a hypernetwork does not have pass it unchanged.
    """
    with ExitStack() as stack:
        for module in network.modules():
            if isinstance(module, CrossAttention):
                for number, layer in enumerate((module.to_k, module.to_v)):
                    stack.callback(layer.register_forward_pre_hook(_hook(uses, number)).remove)
        yield


def _hook(uses: Sequence[HypernetworkUse], number: int) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor]]:
    def changed(module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        x = args[0]
        for use in uses:
            pair = use.network.pairs.get(x.shape[-1])
            if pair is not None:
                x = x + use.multiplier * pair[number].to(x)(x)
        return (x,)

    return changed


class HypernetworkCatalog:
    """The hypernetworks in folders, by the names of their files; the ones used last are kept in memory."""

    def __init__(self, folders: Iterable[Path], keep: int = 2):
        self._folders = tuple(folders)
        self._read = RecentlyRead(read_hypernetwork, keep)

    def paths(self) -> dict[str, Path]:
        """The files as they are now, by the names that prompts may use."""
        return named_files(self._folders, (SUFFIX,))

    def find(self, name: str) -> Hypernetwork:
        """The hypernetwork of that name. Raises NotFound, WeightsError."""
        path = self.paths().get(name)
        if path is None:
            raise NotFound(f'There is no hypernetwork "{name[:200]}".', "",
                           "Check the name, or put the file into the folder models/hypernetworks.")
        return self._read.of(path)
