"""Times of the start under the names of A1111's `timer`."""
import time
from contextlib import contextmanager


class Timer:
    """Notes how long named parts take."""

    def __init__(self, print_log: bool = False):
        self.start = time.time()
        self.records: dict[str, float] = {}
        self.total = 0.0
        self.base_category = ""
        self.print_log = print_log

    def elapsed(self) -> float:
        """Seconds since the last part ended."""
        now = time.time()
        passed, self.start = now - self.start, now
        return passed

    def record(self, category: str, extra_time: float = 0) -> None:
        """What was done since the last part belongs to `category`."""
        seconds = self.elapsed() + extra_time
        self.records[category] = self.records.get(category, 0.0) + seconds
        self.total += seconds

    @contextmanager
    def subcategory(self, name: str):
        """A scope whose time belongs to `name`."""
        self.elapsed()
        yield self
        self.record(name)

    def add_time_to_record(self, category: str, amount: float) -> None:
        """Count further seconds."""
        self.records[category] = self.records.get(category, 0.0) + amount

    def summary(self) -> str:
        """All parts in a line."""
        parts = ", ".join(f"{name}: {seconds:.1f}s" for name, seconds in self.records.items() if seconds >= 0.1)
        return f"{self.total:.1f}s" + (f" ({parts})" if parts else "")

    def dump(self) -> dict:
        """Everything as data."""
        return {"total": self.total, "records": self.records}

    def reset(self) -> None:
        """Begin anew."""
        self.__init__(self.print_log)


startup_timer = Timer()
startup_record = None
