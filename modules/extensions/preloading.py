"""preload.py of extensions: flags of their own, added to the command line before it is read."""
from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from modules import cmd_args, errors
from modules.extensions.discovery import all_disabled_by, discover, origin
from modules.folders import Folders

FILE = "preload.py"


def steps(argv: Sequence[str]) -> list[Callable[[argparse.ArgumentParser], object]]:
    """One step for each extension that is switched on and has a preload.py, for `cmd_args.parse`."""
    args, _ = cmd_args.make_parser().parse_known_args(argv)
    return [partial(add_flags, file) for file in files_of_enabled(args, FILE)]


def files_of_enabled(args: argparse.Namespace, name: str) -> list[Path]:
    """The files of this name in the folders of extensions that are switched on, before the program's own settings are read."""
    folders = Folders(data=args.data_dir.resolve()) if args.data_dir else Folders()
    if not any(folders.extensions.glob(f"*/{name}")):
        return []
    settings = _settings(args.ui_settings_file or folders.config_file)
    all_disabled = all_disabled_by(args, settings.get("disable_all_extensions") or "")
    found = discover(folders, settings.get("disabled_extensions") or (), all_disabled)
    return [extension.path / name for extension in found if extension.is_enabled and (extension.path / name).is_file()]


def add_flags(file: Path, parser: argparse.ArgumentParser) -> None:
    """Let `preload(parser)` of a file add its flags. One that fails adds none, and is reported."""
    try:
        spec = importlib.util.spec_from_file_location(f"preload_{file.parent.name}", file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if hasattr(module, "preload"):
            module.preload(parser)
    except (Exception, SystemExit) as error:  # an extension's fault must not keep the program from starting
        errors.report(f"{origin(file)} failed; its flags are not known", error)


def _settings(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return {}  # told when the settings are read
    return stored if isinstance(stored, dict) else {}
