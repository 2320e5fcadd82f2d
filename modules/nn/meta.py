"""Building a network without memory and without random numbers, to be filled from a file."""
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class _NoInitialValues(TorchFunctionMode):
    """Makes the functions of torch.nn.init return their tensor as it is."""

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args and isinstance(args[0], Tensor) else kwargs["tensor"]
        return func(*args, **kwargs)


@contextmanager
def on_meta() -> Iterator[None]:
    """Within this scope new parameters have shapes but no storage; give them values by load_state_dict(..., assign=True).

    Initial values are skipped too: on the meta device they mean nothing, and the normal distribution of nn.Embedding would
    import torch's compiler, which takes longer than loading a model.
    """
    with torch.device("meta"), _NoInitialValues():
        yield
