"""Changing a model's weights for the length of a scope."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

# Gives the weight with the change added, as a new tensor; the one it gets must stay as it is.
Delta = Callable[[Tensor], Tensor]


@contextmanager
def patched(model: nn.Module, deltas: Mapping[str, Sequence[Delta]]) -> Iterator[None]:
    """Weights change on entry and are bit-exact on exit, whatever happens inside.

    deltas: name of a parameter -> functions from the weight to the changed weight, applied one after another. The pristine
    tensors are kept aside and put back; nothing is ever subtracted. Raises KeyError for a name that the model does not have,
    before anything is changed.
    """
    parameters = dict(model.named_parameters())
    targets = {name: parameters[name] for name in deltas}
    pristine: dict[str, Tensor] = {}
    try:
        with torch.no_grad():
            for name, parameter in targets.items():
                changed = _changed(parameter.data, deltas[name])
                pristine[name] = parameter.data
                parameter.data = changed
        yield
    finally:
        for name, original in pristine.items():
            targets[name].data = original.to(targets[name])  # which may have been moved, or widened, in the meantime


def _changed(weight: Tensor, deltas: Sequence[Delta]) -> Tensor:
    """All changes in sequence, summed in float32 where the weight is kept in fewer bits."""
    exact = weight.to(torch.float32) if weight.dtype.itemsize < torch.float32.itemsize else weight
    for delta in deltas:
        exact = delta(exact)
        if exact.shape != weight.shape:
            raise ValueError(f"a change has shape {tuple(exact.shape)} where the weight has {tuple(weight.shape)}")
    changed = exact.to(weight.dtype)
    if weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last):
        changed = changed.contiguous(memory_format=torch.channels_last)
    return changed.clone() if changed.data_ptr() == weight.data_ptr() else changed
