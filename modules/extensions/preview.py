"""What an extension would add, read from its source before anything of it runs."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_SOURCE_BYTES = 2_000_000
MOST_PARSED = 400
ROUTE_METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "websocket", "api_route", "add_api_route", "route",
                 "add_route"}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The parts of an extension. `requirements`: lines for pip; `runs_installer`: it has an install.py, which is run.

    `settings` and `routes` are those that its source states as plain texts; it may make others.
    """

    files: int
    size_bytes: int
    scripts: tuple[str, ...]
    page_scripts: tuple[str, ...]
    has_style: bool
    requirements: tuple[str, ...]
    runs_installer: bool
    has_preload: bool
    settings: tuple[str, ...]
    routes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def preview_of(folder: Path) -> Preview:
    """Look at an unpacked extension."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts]
    sources = sorted(path for path in files if path.suffix == ".py")[:MOST_PARSED]
    settings: set[str] = set()
    routes: set[str] = set()
    for path in sources:
        for kind, text in _stated_in(path):
            (settings if kind == "setting" else routes).add(text)
    scripts = tuple(sorted(path.name for path in (folder / "scripts").glob("*.py")))
    page_scripts = tuple(sorted(path.name for path in (folder / "javascript").glob("*") if path.suffix in (".js", ".mjs")))
    notes = () if scripts or page_scripts or (folder / "style.css").is_file() or (folder / "localizations").is_dir() else (
        "It has neither scripts nor a page part: it may be no extension.",)
    return Preview(
        files=len(files), size_bytes=sum(path.stat().st_size for path in files), scripts=scripts, page_scripts=page_scripts,
        has_style=(folder / "style.css").is_file(), requirements=requirements_in(folder), runs_installer=(folder / "install.py").is_file(),
        has_preload=(folder / "preload.py").is_file(), settings=tuple(sorted(settings)), routes=tuple(sorted(routes)), notes=notes)


def requirements_in(folder: Path) -> tuple[str, ...]:
    """The lines of its requirements.txt that name something."""
    try:
        text = (folder / "requirements.txt").read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def _stated_in(path: Path) -> Iterator[tuple[str, str]]:
    """("setting" or "route", its name) for each that a source file states as a text."""
    try:
        if path.stat().st_size > MOST_SOURCE_BYTES:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        text = next((value for value in _texts(node)), "")
        if node.func.attr == "add_option" and text:
            yield "setting", text
        elif node.func.attr in ROUTE_METHODS and text.startswith("/"):
            yield "route", text


def _texts(call: ast.Call) -> Iterator[str]:
    """The first argument, or the one named key or path, where it is written out."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in ("key", "path")]
    for value in (*call.args[:1], *named):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
