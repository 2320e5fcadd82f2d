"""What the source looks like: sizes, docstrings, and words that do not belong in it."""
import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 450
TABLES = {"modules/settings/catalog.py"}  # data, one row per line


def source_files(*folders: str) -> list[Path]:
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if "goldens" not in path.parts]
    return [*files, *filter(Path.exists, [ROOT / "webui.py", ROOT / "launch.py"])]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_the_limit():
    long = {
        named(path): lines for path in source_files("modules", "tools", "scripts", "benchmarks", "tests")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST and named(path) not in TABLES
    }
    assert not long, f"longer than {LONGEST} lines: split by what the first docstring line says"


def test_every_file_says_in_one_line_what_it_is_for():
    without = [
        named(path) for path in source_files("modules", "tools", "scripts", "benchmarks")
        if path.read_text(encoding="utf-8").strip() and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not without


# Built from pieces, so that this file does not hold them itself.
UNWANTED = {
    "an unfinished thought": r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b",
    "a path of one machine": r"(?<![\w.])/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+", "opt/py" + "pi")) + r")/",
}


@pytest.mark.parametrize("what", UNWANTED)
def test_the_source_does_not_hold(what):
    pattern = re.compile(UNWANTED[what])
    texts = [path for ending in ("*.md", "*.sh", "*.bat", "*.txt", "*.toml") for path in ROOT.glob(ending)]
    files = [*source_files("modules", "tools", "scripts", "benchmarks", "tests"), *texts]
    found = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_exception_is_swallowed_whole():
    found = []
    for path in source_files("modules", "tools", "scripts"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and catches_everything(node) and all(isinstance(line, ast.Pass) for line in node.body):
                found.append(f"{named(path)}:{node.lineno}")
    assert not found, "catch the narrowest class, at the place that can do something"


def catches_everything(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException"))
