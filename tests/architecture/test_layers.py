"""Which file may import which: the shape of the program, checked on its source."""
import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]

# From the bottom up: a file imports from its own layer and the ones below it.
LAYERS = (
    "errors folders cmd_args atomic_files version public_addresses",
    "prompt sampling nn",
    "checkpoints networks imaging hardware settings setup_check",
    "runtime scripts script_callbacks scripts_postprocessing extra_networks styles extensions jobs gallery history",
    "txt2img img2img postprocessing processing generation engine existing_installation import_plan model_jobs merging downloads "
    "interrogation self_check model_files leftovers",
    "ui api cli",
    "webui a1111",
)
LAYER_OF = {part: number for number, parts in enumerate(LAYERS) for part in parts.split()}
ENGINE = 1  # the highest layer of pure mathematics
FRONT_END_PACKAGES = {"gradio", "gradio_client", "fastapi", "starlette", "uvicorn"}
# Slow to import, and not needed for a picture: only ever imported inside the function that needs them.
HEAVY_PACKAGES = {"transformers", "scipy", "torchvision", "spandrel", "open_clip", "diffusers", "gfpgan", "realesrgan", "facexlib"}


class Import(NamedTuple):
    source: Path
    module: str       # "modules.nn.unet"
    names: tuple[str, ...]  # what follows `import` in a from-import
    line: int
    at_start: bool    # runs when the file is imported

    def __str__(self) -> str:
        return f"{self.source.relative_to(ROOT)}:{self.line} imports {self.module}"


def program_files() -> list[Path]:
    return [*filter(Path.exists, [ROOT / "webui.py"]), *sorted((ROOT / "modules").rglob("*.py"))]


def part_of(path: Path) -> str:
    """The name in LAYERS that a file belongs to."""
    relative = path.relative_to(ROOT)
    return "webui" if relative.parts[0] != "modules" else relative.parts[1].removesuffix(".py")


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    return tuple(found_imports(ast.parse(path.read_text(encoding="utf-8")), path, at_start=True))


def found_imports(node: ast.AST, path: Path, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = at_start and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not is_type_checking(child)
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Import(path, name.name, (), child.lineno, inside)
        elif isinstance(child, ast.ImportFrom):
            yield Import(path, absolute(child, path), tuple(name.name for name in child.names), child.lineno, inside)
        yield from found_imports(child, path, inside)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def absolute(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(ROOT).with_suffix("").parts[: -node.level]
    return ".".join((*package, *filter(None, [node.module])))


def all_imports() -> Iterator[Import]:
    for path in program_files():
        yield from imports_of(path)


def parts_imported(item: Import) -> list[str]:
    """Names in LAYERS that an import reaches: `from modules import errors, folders` reaches two."""
    words = item.module.split(".")
    if words[0] == "webui":
        return ["webui"]
    if words[0] != "modules":
        return []
    return [words[1]] if len(words) > 1 else [name for name in item.names if name in LAYER_OF]


def test_every_part_of_the_program_has_a_layer():
    without = {part_of(path) for path in program_files()} - LAYER_OF.keys() - {"__init__"}
    assert not without, "name the layer of these in LAYERS"


def test_a_file_imports_from_its_own_layer_and_lower_ones_only():
    wrong = [
        f"{item} (layer {LAYER_OF[part]}) from layer {LAYER_OF[part_of(item.source)]}"
        for item in all_imports() if part_of(item.source) in LAYER_OF
        for part in parts_imported(item) if LAYER_OF.get(part, 0) > LAYER_OF[part_of(item.source)]
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_front_ends_import_gradio_and_fastapi():
    wrong = [
        str(item) for item in all_imports()
        if item.module.split(".")[0] in FRONT_END_PACKAGES and part_of(item.source) not in ("ui", "api", "webui", "a1111")
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_never_imports_the_facades():
    wrong = [
        str(item) for item in all_imports()
        if (item.module.startswith("modules.a1111") or (item.module == "modules" and "a1111" in item.names))
        and part_of(item.source) != "a1111"
    ]
    assert not wrong, "\n".join(wrong)


def test_heavy_packages_are_imported_inside_functions_only():
    wrong = [str(item) for item in all_imports() if item.at_start and item.module.split(".")[0] in HEAVY_PACKAGES]
    assert not wrong, "\n".join(wrong)


def test_mathematics_imports_no_settings_files_or_program_state():
    allowed = {"errors", *LAYERS[ENGINE].split()}
    wrong = [
        str(item) for item in all_imports() if LAYER_OF.get(part_of(item.source)) == ENGINE
        for part in parts_imported(item) if part not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_files_import_each_other_in_a_circle():
    known = {module_name(path): path for path in program_files()}
    graph = {
        name: {
            target
            for item in imports_of(path)  # also inside functions: a circle that waits for a call is one
            for target in (item.module, *(f"{item.module}.{inner}" for inner in item.names))
            if target in known and target != name and not name.startswith(f"{target}.")
        }
        for name, path in known.items()
    }
    assert (circle := first_circle(graph)) is None, " -> ".join(circle)


def first_circle(graph: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def visit(node: str, trail: list[str]) -> list[str] | None:
        if node in trail:
            return [*trail[trail.index(node):], node]
        if node in done:
            return None
        for target in sorted(graph[node]):
            if circle := visit(target, [*trail, node]):
                return circle
        done.add(node)
        return None

    return next(filter(None, (visit(node, []) for node in sorted(graph))), None)


@pytest.mark.parametrize("graph, circle", [
    ({"a": {"b"}, "b": {"c"}, "c": set()}, None),
    ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
])
def test_a_circle_would_be_found(graph, circle):
    assert first_circle(graph) == circle


def test_only_the_upper_layers_ask_for_the_running_program():
    """One global: runtime.current(), for layers 4 and above and for script_callbacks; all below gets what it needs as arguments."""
    wrong = []
    for path in program_files():
        part = part_of(path)
        if LAYER_OF.get(part, 9) >= LAYER_OF["generation"] or part in ("runtime", "script_callbacks"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        wrong += [f"{path.relative_to(ROOT)}:{node.lineno}" for node in ast.walk(tree) if asks_for_runtime(node)]
    assert not wrong, "\n".join(wrong)


def asks_for_runtime(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "modules.runtime" and any(name.name == "current" for name in node.names)
    return isinstance(node, ast.Attribute) and node.attr == "current" and isinstance(node.value, ast.Name) and node.value.id == "runtime"
