"""The turn: who may touch the weights now, first come, first served."""
import threading
from collections import deque


class Turn:
    """A re-entrant lock that is handed over in the order in which threads asked for it.

    The worker holds it for each job; extensions that generate pictures from their own routes take it in between.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._waiting: deque[tuple[int, threading.Event]] = deque()

    @property
    def is_mine(self) -> bool:
        """Whether the calling thread holds the turn."""
        return self._owner == threading.get_ident()

    def locked(self) -> bool:
        """Whether any thread holds the turn."""
        return self._owner is not None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the turn; False when it was not to be had within `timeout` seconds (-1: wait for ever)."""
        me = threading.get_ident()
        with self._guard:
            if self._owner == me or self._owner is None:
                self._owner = me
                self._depth += 1
                return True
            if not blocking:
                return False
            place = (me, threading.Event())
            self._waiting.append(place)
        if place[1].wait(None if timeout < 0 else timeout):
            return True
        with self._guard:
            if self._owner == me:  # handed over between the timeout and this line
                return True
            self._waiting.remove(place)
            return False

    def release(self) -> None:
        """Give the turn back; the one who has waited longest gets it. Raises RuntimeError when it is not held here."""
        with self._guard:
            if self._owner != threading.get_ident():
                raise RuntimeError("The turn is released by a thread that does not hold it.")
            self._depth -= 1
            if self._depth:
                return
            if self._waiting:
                self._owner, handed_over = self._waiting.popleft()
                self._depth = 1
                handed_over.set()
            else:
                self._owner = None

    def __enter__(self) -> "Turn":
        self.acquire()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()
