"""Extensions on disk: which there are, in which order, and which are switched on."""
from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modules.folders import PROGRAM, Folders

BUNDLED_PREFIX = "easel-"
OWN_FOLDERS = frozenset({"modules", "scripts", "tests", "tools", "webui.py", "launch.py"})

Switch = Literal["none", "extra", "all"]


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A folder of extensions/. Bundled ones come with the program; all others were put there by the user."""

    name: str
    path: Path
    is_bundled: bool
    is_enabled: bool = True

    @property
    def enabled(self) -> bool:
        """The name that extensions ask for."""
        return self.is_enabled

    @property
    def is_builtin(self) -> bool:
        """The name that extensions ask for."""
        return self.is_bundled

    def list_files(self, subdir: str, ending: str) -> list[Path]:
        """The files with this ending directly in a folder of the extension, by name."""
        folder = self.path / subdir
        return sorted(path for path in folder.glob(f"*{ending}") if path.is_file()) if folder.is_dir() else []


def discover(folders: Folders, disabled: Iterable[str] = (), all_disabled: Switch = "none") -> list[Extension]:
    """Every extension, bundled ones first, each group by name.

    `disabled` names single ones; `all_disabled` is "extra" for all but the bundled ones, "all" for every one.
    """
    switched_off = set(disabled)
    found = []
    for path, is_bundled in _folders_of(folders):
        is_enabled = path.name not in switched_off and all_disabled != "all" and (is_bundled or all_disabled != "extra")
        found.append(Extension(name=path.name, path=path, is_bundled=is_bundled, is_enabled=is_enabled))
    return found


def _folders_of(folders: Folders) -> Iterable[tuple[Path, bool]]:
    program, own = folders.program / "extensions", folders.extensions
    bundled = [path for path in _subfolders(program) if path.name.startswith(BUNDLED_PREFIX)]
    yield from ((path, True) for path in bundled)
    yield from ((path, False) for path in _subfolders(own) if path not in bundled)


def _subfolders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))
    return sorted(found, key=lambda path: path.name.lower())


def all_disabled_by(args: argparse.Namespace, setting: str) -> Switch:
    """What the flags and the setting `disable_all_extensions` together switch off: the stricter of both."""
    if args.disable_all_extensions or setting == "all":
        return "all"
    return "extra" if args.disable_extra_extensions or setting == "extra" else "none"


def is_from_outside(file: str | Path) -> bool:
    """Whether a file was not written for this program: one of an extension that did not come with it."""
    path = Path(file)
    if not path.is_relative_to(PROGRAM):
        return path.is_absolute()
    first, *rest = path.relative_to(PROGRAM).parts
    return first not in OWN_FOLDERS and not (first == "extensions" and rest and rest[0].startswith(BUNDLED_PREFIX))


def origin(file: str | Path) -> str:
    """Where a file of a script comes from, in words: "dynamic_prompts.py of the extension easel-dynamic-prompts"."""
    path = Path(file)
    parts = path.parts
    for position in range(len(parts) - 2, 0, -1):
        if parts[position - 1] == "extensions":
            return f"{path.name} of the extension {parts[position]}"
    return path.name
