"""Importing the program does no work: nothing slow is loaded, no thread starts, no file appears."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROBE = """
import importlib, json, sys, threading
report = {"errors": []}
for stage, names in json.loads(sys.argv[1]):
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            report["errors"].append(f"{name}: {type(error).__name__}: {error}")
    report[stage] = sorted({name.split(".")[0] for name in sys.modules})
report["threads"] = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
print("REPORT" + json.dumps(report))
"""


def module_names(front_ends: bool) -> list[str]:
    """Dotted names of all our modules; facades belong to extensions and are left out."""
    names = []
    for path in sorted((ROOT / "modules").rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative.parts[1] != "a1111" and (relative.parts[1] in ("ui", "api")) == front_ends:
            names.append(".".join(relative.with_suffix("").parts).removesuffix(".__init__"))
    return names


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> dict[str, list[str]]:
    """What a clean process has in sys.modules after the engine, and after the front ends too."""
    folder = tmp_path_factory.mktemp("empty")
    stubs = set((ROOT / "modules").rglob("*.pyi"))  # gradio writes such files unless it is kept from it
    stages = [("engine", module_names(front_ends=False)), ("page", module_names(front_ends=True))]
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROBE}", json.dumps(stages)],
        cwd=folder, capture_output=True, text=True, timeout=240,
    )
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    report = json.loads(done.stdout.rpartition("REPORT")[2])
    report["files"] = [str(path.relative_to(folder)) for path in folder.rglob("*")]
    report["files"] += [path.name for path in {*(ROOT / "modules").rglob("*.pyi")} - stubs]
    return report


def test_every_module_can_be_imported(loaded):
    assert loaded["errors"] == []


@pytest.mark.parametrize("package", ["transformers", "scipy", "torchvision", "spandrel", "open_clip", "diffusers", "gfpgan", "realesrgan"])
def test_nothing_slow_is_imported_on_the_way_to_the_page(loaded, package):
    assert package not in loaded["page"]


@pytest.mark.parametrize("package", ["gradio", "fastapi", "uvicorn"])
def test_the_engine_imports_without_the_page(loaded, package):
    assert package not in loaded["engine"]


def test_importing_starts_no_thread_of_ours(loaded):
    assert [name for name in loaded["threads"] if "easel" in name.lower()] == []


def test_importing_writes_no_file(loaded):
    assert loaded["files"] == []
