"""Whether the code of an extension is at work in this thread and task."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_old: ContextVar[bool] = ContextVar("the code of an extension is at work", default=False)

# The attribute that components made by extensions carry.
MARK = "_made_by_an_extension"


def is_old() -> bool:
    """Whether old ways are to be understood now."""
    return _is_old.get()


@contextmanager
def speaking(old: bool) -> Iterator[None]:
    """A scope in which old ways are understood, or are not."""
    token = _is_old.set(old)
    try:
        yield
    finally:
        _is_old.reset(token)
