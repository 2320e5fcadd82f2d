"""The parts of the running program without its front ends, for tests."""
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modules import cmd_args
from modules.runtime import Runtime


@contextmanager
def running(data_dir: Path, *args: str) -> Iterator[Runtime]:
    """A Runtime on this data folder with its worker running. `args` are further words of the command line."""
    from modules import engine

    parts = engine.start(cmd_args.parse(["--data-dir", str(data_dir), *args]))
    try:
        yield parts
    finally:
        engine.stop(parts)
