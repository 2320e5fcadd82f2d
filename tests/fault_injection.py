"""Makes the n-th call of a file operation fail, so that a test can walk through every place where a disk may let us down."""
import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

# operation -> the attributes through which Python code reaches it
OPERATIONS: dict[str, tuple[tuple[Any, str], ...]] = {
    "open": ((builtins, "open"), (io, "open"), (os, "open")),
    "replace": ((os, "replace"), (os, "rename")),
    "link": ((os, "link"),),
    "fsync": ((os, "fsync"),),
    "unlink": ((os, "unlink"), (os, "remove")),
    "mkdir": ((os, "mkdir"),),
}


@dataclass
class Fault:
    """A scope in which one call fails. `hit` tells afterwards whether it came to that call."""

    places: tuple[tuple[Any, str], ...]
    nth: int
    error: BaseException
    inside: Path | None = None
    calls: int = 0
    hit: bool = False
    _undo: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Fault":
        for owner, name in self.places:
            self._undo.enter_context(mock.patch.object(owner, name, self._counting(getattr(owner, name))))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._undo.close()

    def _counting(self, real: Callable) -> Callable:
        def call(*args: Any, **keywords: Any) -> Any:
            if self.inside is None or any(lies_in(argument, self.inside) for argument in args[:2]):
                self.calls += 1
                if self.calls == self.nth:
                    self.hit = True
                    raise self.error
            return real(*args, **keywords)

        return call


class Faults:
    """Faults in operations on files inside one folder; operations on other files go through."""

    def __init__(self, inside: Path):
        self.inside = inside

    def failing(self, operation: str, nth: int = 1, error: BaseException | None = None) -> Fault:
        """A scope in which the `nth` call of `operation` (a key of OPERATIONS) fails, by default as on a full disk."""
        error = error or OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.inside))
        return Fault(OPERATIONS[operation], nth, error, inside=self.inside)

    def failing_call(self, owner: Any, name: str, nth: int = 1, error: BaseException | None = None) -> Fault:
        """The same for any function, method or module attribute: a decoder, a loader, a network."""
        return Fault(((owner, name),), nth, error or RuntimeError(f"injected into {name}"))

    def each(self, operation: str, error: BaseException | None = None) -> Iterator[Fault]:
        """Faults with n = 1, 2, 3, ...; ends after the first run in which nothing failed.

        for fault in faults.each("replace"):
            with fault:
                save()
        """
        for nth in range(1, 200):
            fault = self.failing(operation, nth, error)
            yield fault
            if not fault.hit:
                return
        raise AssertionError(f"still failing at call 200 of {operation}")


def lies_in(argument: object, folder: Path) -> bool:
    """Whether a path or an open file descriptor lies in the folder."""
    if isinstance(argument, bool):
        return False
    if isinstance(argument, int):
        try:
            argument = os.readlink(f"/proc/self/fd/{argument}")
        except OSError:
            return False
    if not isinstance(argument, str | os.PathLike):
        return False
    return Path(os.path.abspath(os.fspath(argument))).is_relative_to(folder)
