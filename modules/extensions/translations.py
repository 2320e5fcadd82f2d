"""Translations of the page: JSON files of the data folder and of extensions, as the script that carries one."""
from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from modules import errors
from modules.extensions.discovery import Extension
from modules.folders import Folders

FOLDER = "localizations"


def found(folders: Folders, own: Path | None, extensions: Iterable[Extension]) -> dict[str, list[Path]]:
    """Files by the name of the translation; several extensions may add to one."""
    places = [own or folders.data / FOLDER, *(extension.path / FOLDER for extension in extensions if extension.is_enabled)]
    by_name: dict[str, list[Path]] = {}
    for path in (path for place in places if place.is_dir() for path in sorted(place.glob("*.json"))):
        by_name.setdefault(path.stem, []).append(path)
    return by_name


def texts(files: Iterable[Path]) -> dict[str, str]:
    """English text -> translated text, of all files; one that cannot be read is reported and left out."""
    together: dict[str, str] = {}
    for path in files:
        try:
            stored = json.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError) as error:
            errors.report(f"The translation {path} cannot be read", error)
            continue
        together |= {str(key): str(value) for key, value in stored.items()} if isinstance(stored, dict) else {}
    return together


def script(files: Iterable[Path]) -> str:
    """`window.localization` for the page's head."""
    return "window.localization = " + json.dumps(texts(files)).replace("<", "\\u003c") + ";"
