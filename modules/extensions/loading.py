"""Loads the python files of bundled scripts and of extensions, each for itself."""
from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from modules import errors, scripts
from modules.extensions import metadata, timing
from modules.extensions.offstage import old_ways
from modules.scripts import Script, ScriptClassData
from modules.scripts_postprocessing import ScriptPostprocessing


@dataclass(frozen=True, kw_only=True)
class ScriptFile:
    """One python file to load, and the folder of the extension (or program) that brings it."""

    basedir: Path
    filename: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of one file: its module, or the error that stopped it, and the seconds it took."""

    file: ScriptFile
    module: ModuleType | None
    error: BaseException | None
    seconds: float


def script_files(program: Path, extension_folders: Iterable[Path]) -> list[ScriptFile]:
    """The top-level python files of `scripts/` of the program, then of each extension, each group by name unless metadata.ini says more."""
    files = []
    for base in (program, *extension_folders):
        folder = base / "scripts"
        if folder.is_dir():
            files += [ScriptFile(basedir=base, filename=path.name, path=path) for path in sorted(folder.glob("*.py")) if path.is_file()]
    return metadata.in_stated_order(files)


def make_importable(*folders: Path) -> None:
    """`import extensions.<folder>` finds extensions in these folders, the bundled ones and those of the data folder."""
    package = ModuleType("extensions")
    package.__path__ = [str(folder) for folder in folders]
    sys.modules[package.__name__] = package


def load_all(files: Iterable[ScriptFile]) -> list[Loaded]:
    """Load each file; one that raises is reported and the next is loaded. Script classes are entered in modules.scripts."""
    scripts.scripts_data.clear()
    scripts.postprocessing_scripts_data.clear()
    return [load_file(file) for file in files]


def load_file(file: ScriptFile) -> Loaded:
    """Load one file under its name including ".py" and enter the Script classes that it defines."""
    began = time.perf_counter()
    module: ModuleType | None = None
    problem: BaseException | None = None
    with _extension_scope(file.basedir):
        try:
            with old_ways(str(file.path)):
                module = _module_of(file)
        except (Exception, SystemExit) as error:  # whatever an extension's code raises while it is imported
            problem = error
            errors.report(f"{file.path} cannot be loaded", error)
    if module is not None:
        _enter_classes(file, module)
    seconds = time.perf_counter() - began
    timing.note(str(file.path), "load", seconds)
    return Loaded(file=file, module=module, error=problem, seconds=seconds)


def _module_of(file: ScriptFile) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.filename, file.path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.path} is not a python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.filename] = module  # component classes defined in a script are looked up by their module
    spec.loader.exec_module(module)
    return module


def _enter_classes(file: ScriptFile, module: ModuleType) -> None:
    for value in list(vars(module).values()):
        for base, known in ((Script, scripts.scripts_data), (ScriptPostprocessing, scripts.postprocessing_scripts_data)):
            if _is_new(value, base, known):
                known.append(ScriptClassData(value, str(file.path), str(file.basedir), module))


def _is_new(value: Any, base: type, known: list[ScriptClassData]) -> bool:
    """Whether a file brings this class of scripts. Those it takes from another file of scripts/ belong to that file."""
    if not (isinstance(value, type) and issubclass(value, base) and value is not base):
        return False
    return not value.__module__.startswith("scripts.") and all(value is not other.script_class for other in known)


@contextmanager
def _extension_scope(basedir: Path) -> Iterator[None]:
    """The extension's folder first on the import path, and its name as what `scripts.basedir()` answers."""
    before, path = scripts.basedir(), list(sys.path)
    sys.path.insert(0, str(basedir))
    scripts.set_basedir(str(basedir))
    try:
        yield
    finally:
        sys.path[:] = path
        scripts.set_basedir(before)
