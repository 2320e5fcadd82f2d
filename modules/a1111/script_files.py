"""Files of scripts under the names of A1111's `scripts`: lists of them, by folder and ending."""
import os
from typing import NamedTuple

from modules import paths_internal, runtime


class ScriptFile(NamedTuple):
    """A file, and the folder of the extension (or program) that brings it."""

    basedir: str
    filename: str
    path: str


def list_scripts(scriptdirname: str, extension: str, *, include_extensions: bool = True) -> list[ScriptFile]:
    """Files with this ending in a folder of the program and of each extension that is switched on, in the order of loading."""
    bases = [paths_internal.script_path]
    if include_extensions:
        bases += [str(one.path) for one in runtime.current().extensions or _found() if one.enabled]
    return [file for base in bases for file in _files(base, scriptdirname, extension)]


def _found():
    from modules import extensions

    return extensions.extensions


def _files(base: str, folder: str, ending: str) -> list[ScriptFile]:
    place = os.path.join(base, folder)
    names = sorted(os.listdir(place)) if os.path.isdir(place) else []
    return [ScriptFile(base, name, os.path.join(place, name)) for name in names if os.path.splitext(name)[1].lower() == ending]


def list_files_with_name(filename: str) -> list[str]:
    """Files of this name directly in the program's folder and in those of extensions."""
    bases = [paths_internal.script_path, *(str(one.path) for one in _found() if one.enabled)]
    return [path for base in bases if os.path.isfile(path := os.path.join(base, filename))]


def load_scripts() -> None:
    """Nothing: scripts are loaded when the program starts."""


reload_scripts = load_scripts
