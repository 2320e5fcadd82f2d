"""Whether everything that pictures need is in order here, each finding with what to do about it."""
from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import psutil

from modules import setup_check
from modules.extensions import timing
from modules.runtime import Runtime
from modules.version import version_text

State = Literal["good", "note", "bad"]
FEW_BYTES, TOO_FEW_BYTES = 10 << 30, 1 << 30
LITTLE_MEMORY_BYTES = 2 << 30
SLOW_SECONDS = 1.0
PACKAGES = ("torch", "gradio", "transformers", "safetensors", "pillow", "numpy", "spandrel")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where nothing has to be done."""

    name: str
    state: State
    text: str
    remedy: str = ""


def self_check(rt: Runtime) -> list[Finding]:
    """All findings, in the order in which a person would look. Takes a moment; never raises for what it finds."""
    checks: tuple[Callable[[Runtime], Iterator[Finding]], ...] = (
        _versions, _device, _disk, _memory, _folders, _checkpoints, _programs, _extensions, _notices)
    return [finding for check in checks for finding in check(rt)]


def _versions(rt: Runtime) -> Iterator[Finding]:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield Finding(name=name, state="bad", text=f"The package {name} is not installed.",
                          remedy="Run webui.sh again; it installs what is missing.")
    yield Finding(name="Versions", state="good", text=f"Easel {version_text()}, Python {platform.python_version()}, {', '.join(found)}.")


def _device(rt: Runtime) -> Iterator[Finding]:
    notice = setup_check.graphics_card_notice()
    if notice and "all" not in rt.args.use_cpu:
        yield Finding(name="Device", state="bad", text=f"Pictures are made on {rt.hardware.device}.", remedy=notice)
    else:
        yield Finding(name="Device", state="good", text=f"Pictures are made on {rt.hardware.device}.")


def _disk(rt: Runtime) -> Iterator[Finding]:
    pictures = rt.folders.data / rt.settings.outdir_txt2img_samples
    for name, folder in (("Disk of models and settings", rt.folders.data), ("Disk of pictures", pictures)):
        there = next((path for path in (folder, *folder.parents) if path.is_dir()), rt.folders.data)
        try:
            free = shutil.disk_usage(there).free
        except OSError as error:
            yield Finding(name=name, state="bad", text=f"{there} cannot be read: {error.strerror}.", remedy="Check the disk.")
            continue
        state: State = "bad" if free < TOO_FEW_BYTES else "note" if free < FEW_BYTES else "good"
        yield Finding(name=name, state=state, text=f"{free / 2**30:.1f} GB are free at {there}.",
                      remedy="" if state == "good" else "Delete or move what you do not need; what cannot be saved stays on the page only.")


def _memory(rt: Runtime) -> Iterator[Finding]:
    memory = psutil.virtual_memory()
    is_little = memory.available < LITTLE_MEMORY_BYTES
    yield Finding(name="Memory", state="note" if is_little else "good",
                  text=f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GB are available.",
                  remedy="Close other programs, or keep fewer checkpoints loaded (Settings)." if is_little else "")


def _folders(rt: Runtime) -> Iterator[Finding]:
    for folder in (rt.folders.data, rt.folders.outputs, rt.folders.cache, rt.folders.queue):
        if folder.is_dir() and not os.access(folder, os.W_OK):
            yield Finding(name="Folders", state="bad", text=f"{folder} cannot be written.",
                          remedy="Change its permissions, or start with --data-dir.")


def _checkpoints(rt: Runtime) -> Iterator[Finding]:
    infos = rt.checkpoints.list()
    own = [info for info in infos if info.path != rt.folders.demo_checkpoint]
    yield Finding(name="Checkpoints", state="good" if own else "note", text=f"{len(own)} beside the demo model.",
                  remedy="" if own else f"Put one into {rt.folders.checkpoints} and press the button beside the list.")


def _programs(rt: Runtime) -> Iterator[Finding]:
    if shutil.which(os.environ.get("GIT", "git")) is None:
        yield Finding(name="git", state="note", text="git is not installed.", remedy="Install it to add extensions from their addresses.")


def _extensions(rt: Runtime) -> Iterator[Finding]:
    slow = {file: seconds for file, hooks in timing.table().items() if (seconds := sum(hooks.values())) > SLOW_SECONDS}
    for file, seconds in sorted(slow.items(), key=lambda row: -row[1])[:10]:
        yield Finding(name="Slow script", state="note", text=f"{file} took {seconds:.1f} s since the start.",
                      remedy="Switch its extension off in the Extensions tab if that is too much.")
    on = [extension.name for extension in rt.extensions if extension.is_enabled and not extension.is_bundled]
    yield Finding(name="Extensions", state="good", text=f"{len(on)} are on{': ' if on else ''}{', '.join(on)}.")


def _notices(rt: Runtime) -> Iterator[Finding]:
    for text in (*rt.all_notices(), *rt.queue.notices):
        yield Finding(name="Said since the start", state="note", text=text)
