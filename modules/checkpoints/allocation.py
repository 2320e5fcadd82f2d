"""Memory for weights, in large pages where the system offers them."""
import ctypes
import mmap
import sys
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

_LARGE_BYTES = 4 << 20


def empty_weight(shape: torch.Size | tuple[int, ...], dtype: torch.dtype, memory_format: torch.memory_format) -> Tensor:
    """An uninitialised tensor on the CPU. Linux is asked to back large ones by pages of 2 MB.

    Touching fresh memory in pages of 4 KB takes four times as long as converting the numbers that are put there.
    """
    tensor = torch.empty(shape, dtype=dtype, memory_format=memory_format)
    size = tensor.numel() * tensor.element_size()
    if size >= _LARGE_BYTES and (advise := _madvise()) is not None:
        page = mmap.PAGESIZE
        start = -(-tensor.data_ptr() // page) * page
        # Advice only: where it is refused, the memory works as before.
        advise(start, (tensor.data_ptr() + size - start) // page * page, mmap.MADV_HUGEPAGE)
    return tensor


@lru_cache(maxsize=1)
def _madvise() -> Callable[[int, int, int], int] | None:
    if sys.platform != "linux" or not hasattr(mmap, "MADV_HUGEPAGE"):
        return None
    try:
        function = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int), ctypes.c_int
    return function
