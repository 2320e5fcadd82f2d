"""The parts of the running program without its front ends, for tests."""
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running(data_dir: Path, *args: str) -> Iterator[Any]:
    """A Runtime on this data folder with its queue at work. `args` are further words of the command line."""
    from modules import cmd_args, engine

    rt = engine.start(cmd_args.parse(["--data-dir", str(data_dir), *args]))
    try:
        yield rt
    finally:
        engine.stop(rt)
