"""Reads a settings file whatever its state: the whole of it, or the parts that can still be read."""
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.atomic_files import publish

KEY_START = re.compile(r'[,{\n]\s*(?=")')
COLON = re.compile(r"\s*:\s*")


@dataclass(kw_only=True)
class ReadSettings:
    """What was found, and what a person must be told about it."""

    values: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def read_settings(path: Path, previous: Path) -> ReadSettings:
    """The values in the file at `path`. From a damaged one: what can be read, filled up from the `previous` copy.

    A missing file means no values. A damaged one is copied to `<name>.damaged`, since the next save replaces it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ReadSettings()
    except OSError as error:
        why = f"The settings file {path} cannot be read: {error.strerror or error}. Defaults are used."
        return ReadSettings(notices=[why])
    values = whole(content)
    if values is not None:
        return ReadSettings(values=values)
    return _recovered(path, previous, content)


def _recovered(path: Path, previous: Path, content: bytes) -> ReadSettings:
    try:
        before = whole(previous.read_bytes()) or {}
    except OSError:
        before = {}
    saved = salvaged(_text(content))
    try:
        kept = f" The damaged file is kept as {publish(path.parent, path.name + '.damaged', content).name}."
    except OSError:
        kept = " Copy it now if you need it; the next change of a setting replaces it."
    source = " and its previous copy" if before else ""
    notice = f"The settings file {path} is damaged. {len({**before, **saved})} settings were read from it{source}.{kept}"
    return ReadSettings(values={**before, **saved}, notices=[notice])


def whole(content: bytes) -> dict[str, Any] | None:
    """The values of an undamaged file, else None."""
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    return values if isinstance(values, dict) else None


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # an editor has written it in the Windows code page
        return content.decode("cp1252", "replace")


def salvaged(text: str) -> dict[str, Any]:
    """Every `"key": value` pair of a damaged JSON object whose value is complete."""
    decoder = json.JSONDecoder()
    values: dict[str, Any] = {}
    found = KEY_START.search(text)
    while found:
        position = found.end()
        try:
            key, position = decoder.raw_decode(text, position)
            colon = COLON.match(text, position)
            if colon and isinstance(key, str):
                values[key], position = decoder.raw_decode(text, colon.end())
        except (ValueError, RecursionError):
            pass  # this pair is damaged; the search goes on behind its beginning
        found = KEY_START.search(text, max(position, found.end()))
    return values
