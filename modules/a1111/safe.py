"""Reading files of weights under the names of A1111's `safe`; nothing in a file runs, whatever the flags say."""
from pathlib import Path

import torch

unsafe_torch_load = torch.load
global_extra_handler = None


def load(filename, *args, **kwargs):
    """The contents of a file of torch, tensors and plain values only. Raises pickle.UnpicklingError for anything else."""
    kwargs.pop("weights_only", None)
    if args[:1] and "map_location" not in kwargs:
        kwargs["map_location"] = args[0]
    source = str(filename) if isinstance(filename, Path) else filename
    return unsafe_torch_load(source, weights_only=True, **kwargs)


def load_with_extra(filename, extra_handler=None, *args, **kwargs):
    """The same; further classes are not let in."""
    return load(filename, *args, **kwargs)


class Extra:
    """A scope in which an extension would let further classes in; they stay outside."""

    def __init__(self, handler):
        self.handler = handler

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return None




RestrictedUnpickler = None
TypedStorage = torch.storage.TypedStorage
