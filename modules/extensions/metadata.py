"""metadata.ini of an extension: what it is called, and before or after which scripts its own want to be loaded."""
from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from modules import errors
from modules.extensions.discovery import Extension

FILE = "metadata.ini"


class _File(Protocol):
    @property
    def basedir(self) -> Path: ...

    @property
    def filename(self) -> str: ...


F = TypeVar("F", bound=_File)


def read(folder: Path) -> configparser.ConfigParser:
    """The sections of metadata.ini; none where there is no such file or it cannot be read, which is reported."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(folder / FILE, encoding="utf-8-sig")
    except (OSError, configparser.Error, UnicodeDecodeError) as error:
        errors.report(f"{folder / FILE} cannot be read", error)
        return configparser.ConfigParser(interpolation=None)
    return parser


def name_of(folder: Path) -> str:
    """What other extensions call this one: its stated name, else that of its folder, in lower case."""
    return read(folder).get("Extension", "Name", fallback=folder.name).strip().lower()


def stated(folder: Path, section: str, key: str) -> list[str]:
    """A list in metadata.ini, in lower case; entries are separated by commas or spaces."""
    text = read(folder).get(section, key, fallback="")
    return [entry.lower() for entry in re.split(r"[\s,]+", text) if entry]


def missing_requirements(extensions: Iterable[Extension]) -> list[str]:
    """A sentence for each extension that an enabled one needs and that is not installed, or switched off."""
    known = {name: extension for extension in extensions for name in (extension.name.lower(), name_of(extension.path))}
    sentences = []
    for extension in dict.fromkeys(known.values()):
        if not extension.is_enabled:
            continue
        for name in stated(extension.path, "Extension", "Requires"):
            other = known.get(name)
            if other is None or not other.is_enabled:
                why = "is not installed" if other is None else "is switched off"
                sentences.append(f"The extension {extension.name} needs the extension {name}, which {why}.")
    return sentences


def in_stated_order(files: Sequence[F]) -> list[F]:
    """The files in their order, moved only as far as Before and After of [scripts/<file>] ask; circles are left as they are."""
    if not any((base / FILE).is_file() for base in {file.basedir for file in files}):
        return list(files)
    names = [_names(file) for file in files]
    earlier: dict[int, set[int]] = {i: set() for i in range(len(files))}
    for i, file in enumerate(files):
        section = f"scripts/{file.filename}"
        for j, others in enumerate(names):
            if i != j and others & {*stated(file.basedir, section, "After"), *stated(file.basedir, section, "Requires")}:
                earlier[i].add(j)
            if i != j and others & set(stated(file.basedir, section, "Before")):
                earlier[j].add(i)
    placed: dict[int, None] = {}

    def place(i: int, asked: frozenset[int]) -> None:
        if i in placed or i in asked:
            return
        for j in sorted(earlier[i]):
            place(j, asked | {i})
        placed[i] = None

    for i in range(len(files)):
        place(i, frozenset())
    return [files[i] for i in placed]


def _names(file: _File) -> set[str]:
    """By which others mean a script: its extension, or the file in it."""
    extension = name_of(file.basedir)
    return {extension, f"{extension}/scripts/{file.filename.lower()}", f"scripts/{file.filename.lower()}"}
