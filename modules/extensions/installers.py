"""Running what an extension asks for: its requirements through pip, and its install.py, in our environment, with their output."""
from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from modules.errors import UserError
from modules.folders import PROGRAM

WAIT_S = 1800
KEPT_LINES = 40
# The versions of the program's own packages, as the set-up installed them; pip must not change them for an extension.
PINS = Path(sys.prefix) / "easel-constraints.txt"
Say = Callable[[str], None]


def environment() -> dict[str, str]:
    """What installers find: our modules importable, pip held to our versions and asking nothing."""
    pins = PINS if PINS.is_file() else PROGRAM / "constraints.txt"
    path = os.pathsep.join(filter(None, (str(PROGRAM), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": path, "PIP_CONSTRAINT": str(pins), "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def install_requirements(folder: Path, say: Say) -> None:
    """The packages of its requirements.txt. Raises UserError."""
    file = folder / "requirements.txt"
    if file.is_file():
        _run([sys.executable, "-m", "pip", "install", "--prefer-binary", "-r", str(file)], say,
             f"The packages for {folder.name} could not be installed")


def run_installer(folder: Path, say: Say) -> None:
    """Its install.py, as a program of its own. Raises UserError."""
    file = folder / "install.py"
    if file.is_file():
        _run([sys.executable, str(file)], say, f"The install.py of {folder.name} failed")


def run_all(files: Iterable[Path]) -> list[str]:
    """The install.py of several extensions, as each start does; a sentence for each that failed."""
    failures = []
    for file in files:
        try:
            run_installer(file.parent, print)
        except UserError as error:
            failures.append(str(error))
    return failures


def _run(command: list[str], say: Say, failure: str) -> None:
    last: list[str] = []
    began = time.monotonic()
    try:
        with subprocess.Popen(command, cwd=PROGRAM, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, encoding="utf-8", errors="replace") as process:
            late = threading.Timer(WAIT_S, process.kill)
            late.start()
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    say(line.rstrip())
                    last = [*last, line.strip()][-KEPT_LINES:]
                process.wait()
            except BaseException:
                process.kill()
                raise
            finally:
                late.cancel()
    except OSError as error:
        raise UserError(f"{failure}.", f"{error}"[:300]) from error
    if process.returncode and time.monotonic() - began >= WAIT_S:
        raise UserError(f"{failure}.", f"It was not done after {WAIT_S} s.")
    if process.returncode:
        why = next((line for line in reversed(last) if line and not line.startswith("[notice]")), "")
        raise UserError(f"{failure}.", f"It ended with {process.returncode}" + (f": {why[:300]}" if why else "."))
