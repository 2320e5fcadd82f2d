"""Stand-ins for a graphics card beside main memory, on machines that have none."""
import torch
from torch import nn


class NoWeightsAside:
    """Weights that wait are not there at all: to use one is an error, of whatever network and layer."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.kept: dict[int, torch.Tensor] = {}

    def put_aside(self, module: nn.Module) -> None:
        for tensor in (*module.parameters(), *module.buffers()):
            if id(tensor) not in self.kept:
                self.kept[id(tensor)] = tensor.data
                tensor.data = tensor.data.new_empty(0)

    def bring(self, module: nn.Module) -> None:
        for tensor in (*module.parameters(), *module.buffers()):
            if id(tensor) in self.kept:
                tensor.data = self.kept.pop(id(tensor))


class Watched:
    """Weights stay; what is where is written down, with the most bytes that were at work at once."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.at_work: set[int] = set()
        self.moves: list[str] = []
        self.most_bytes = 0
        self.bytes: dict[int, int] = {}

    def put_aside(self, module: nn.Module) -> None:
        self.at_work -= {id(parameter) for parameter in module.parameters()}
        self.moves.append(f"-{type(module).__name__}")

    def bring(self, module: nn.Module) -> None:
        for parameter in module.parameters():
            self.at_work.add(id(parameter))
            self.bytes[id(parameter)] = parameter.nbytes
        self.most_bytes = max(self.most_bytes, sum(self.bytes[each] for each in self.at_work))
        self.moves.append(f"+{type(module).__name__}")
