"""Wildcard files: text files of lines, and yaml or json collections, below one folder."""
from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = (".txt", ".yaml", ".yml", ".json")


class WildcardFiles:
    """The lines behind a wildcard name. Nothing outside `folder` is read; files are read again when they change."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._stamp: tuple = ()
        self._entries: dict[str, list[str]] = {}

    def names(self) -> list[str]:
        """All names, sorted."""
        self._refresh()
        return sorted(self._entries)

    def lines(self, name: str) -> list[str]:
        """The lines of the file `name`, or of all files that match it as a pattern (`colour*`, `**/animals`); empty when there is none."""
        self._refresh()
        wanted = name.strip().replace("\\", "/")
        if wanted in self._entries:
            return self._entries[wanted]
        if not any(sign in wanted for sign in "*?["):
            return []
        return [line for entry in sorted(self._entries) if _matches(entry, wanted) for line in self._entries[entry]]

    def _refresh(self) -> None:
        files = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        inside = [path for path in files if path.resolve().is_relative_to(self.folder.resolve())]
        stamp = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in inside)
        if stamp == self._stamp:
            return
        self._entries = {}
        for path in inside:
            self._entries |= dict(_entries(path, path.relative_to(self.folder)))
        self._stamp = stamp


def _matches(entry: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatch(entry, pattern[3:]) or fnmatch.fnmatch(entry, f"*/{pattern[3:]}")
    return fnmatch.fnmatch(entry, pattern) and entry.count("/") == pattern.count("/")


def _entries(path: Path, relative: Path) -> Iterator[tuple[str, list[str]]]:
    stem = relative.with_suffix("").as_posix()
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.suffix.lower() == ".txt":
        yield stem, [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        return
    try:
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return  # a damaged collection is as good as a missing one: the token stays in the prompt and is named
    yield from _collection(content, "")
    yield from _collection(content, stem + "/")


def _collection(content: Any, prefix: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(content, dict):
        for key, value in content.items():
            if isinstance(value, dict):
                yield from _collection(value, f"{prefix}{key}/")
            elif isinstance(value, list):
                yield f"{prefix}{key}", [str(line) for line in value if not isinstance(line, (dict, list))]
    elif isinstance(content, list) and prefix:
        yield prefix.rstrip("/"), [str(line) for line in content if not isinstance(line, (dict, list))]
