"""Another program's folder, looked at: which program it is, where its models lie, which files of settings it has. Nothing is changed."""
from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules.checkpoints.files import folders_below
from modules.errors import UserError

MOST_TEXT_BYTES = 4 << 20
WEIGHTS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
TITLES = {"folders_checkpoints": "Checkpoints", "folders_vae": "VAE files", "folders_lora": "LoRA files",
          "folders_embeddings": "Embeddings", "folders_hypernetworks": "Hypernetworks", "folders_upscalers": "Upscalers",
          "folders_vae_approx": "Decoders for previews"}
_FAMILIES = ("sd-1", "sd-2", "sdxl", "sdxl-refiner")
# Setting of ours -> places below the program's folder: A1111 and its kin, ComfyUI, InvokeAI.
PLACES = {
    "folders_checkpoints": ("models/Stable-diffusion", "models/checkpoints", *(f"models/{family}/main" for family in _FAMILIES)),
    "folders_vae": ("models/VAE", "models/vae", *(f"models/{family}/vae" for family in _FAMILIES)),
    "folders_lora": ("models/Lora", "models/LyCORIS", "models/loras", *(f"models/{family}/lora" for family in _FAMILIES)),
    "folders_embeddings": ("embeddings", "models/embeddings", *(f"models/{family}/embedding" for family in _FAMILIES)),
    "folders_hypernetworks": ("models/hypernetworks",),
    "folders_upscalers": ("models/ESRGAN", "models/RealESRGAN", "models/SwinIR", "models/DAT", "models/HAT", "models/ScuNET",
                          "models/upscale_models"),
    "folders_vae_approx": ("models/VAE-approx", "models/vae_approx"),
}
# How flags, SD.Next's settings, and ComfyUI's list of paths call the same folders.
FLAGS = {"ckpt_dir": "folders_checkpoints", "vae_dir": "folders_vae", "lora_dir": "folders_lora", "lyco_dir": "folders_lora",
         "embeddings_dir": "folders_embeddings", "hypernetwork_dir": "folders_hypernetworks", "esrgan_models_path": "folders_upscalers"}
COMFY_PATHS = {"checkpoints": "folders_checkpoints", "vae": "folders_vae", "loras": "folders_lora", "embeddings": "folders_embeddings",
               "hypernetworks": "folders_hypernetworks", "upscale_models": "folders_upscalers", "vae_approx": "folders_vae_approx"}
# The first of these whose file is there tells the program.
PROGRAMS = (("Easel", "extensions/easel-dynamic-prompts"), ("Forge", "modules_forge"), ("SD.Next", "modules/sdnq"),
            ("SD.Next", "installer.py"), ("ComfyUI", "comfy"), ("InvokeAI", "invokeai.yaml"), ("A1111", "modules/sd_models.py"),
            ("A1111", "models/Stable-diffusion"), ("ComfyUI", "models/checkpoints"))


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A folder with models of one kind. setting: the option of ours that would name it."""

    setting: str
    path: Path
    files: int
    bytes: int

    @property
    def title(self) -> str:
        return TITLES[self.setting]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What lies in another program's folder. The files of settings are None where there are none."""

    program: str
    root: Path
    folders: tuple[ModelFolder, ...]
    config: Path | None
    form_defaults: Path | None
    styles: Path | None


def look_at(folder: Path) -> Installation:
    """What is in the folder of another program, or in its folder `models`. Raises UserError when that cannot be seen."""
    missing = UserError(f"There is no folder {folder}.", remedy="Give the folder in which the other program is installed.")
    try:
        root = folder.expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL in it, or the home of a user who is not there
        raise missing from error
    if not root.is_dir():
        raise missing
    if root.name == "models" and _program(root) == "" and _program(root.parent):
        root = root.parent
    flags = _start_flags(root)
    data = _data_folder(root, flags)
    folders = tuple(_counted(_named_folders(root, data, flags)))
    found = Installation(
        program=_program(root) or "a folder of models", root=root, folders=folders, config=_file(data, "config.json"),
        form_defaults=_file(data, "ui-config.json"), styles=_file(data, "styles.csv"))
    if not (folders or found.config or found.form_defaults or found.styles):
        raise UserError(f"Nothing that can be used was found in {root}.", "It has none of the folders that known programs use.",
                        "Give the folder in which A1111, Forge, SD.Next, ComfyUI or InvokeAI is installed, or name single folders in "
                        "the settings under Model folders.")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """A file of settings. Raises UserError when it is no JSON object."""
    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            raise ValueError("it is too large")
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read.", f"{error}.", "Mend the file, or leave it out.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} cannot be read.", "It holds no table of settings.", "Mend the file, or leave it out.")
    return content


def _program(root: Path) -> str:
    return next((name for name, mark in PROGRAMS if (root / mark).exists()), "")


def _file(folder: Path, name: str) -> Path | None:
    return folder / name if (folder / name).is_file() else None


def _start_flags(root: Path) -> dict[str, Any]:
    """The folders that COMMANDLINE_ARGS of the start scripts name; lines that are comments do not count."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--data-dir")
    for flag in FLAGS:
        parser.add_argument("--" + flag.replace("_", "-"), "--" + flag.replace("_dir", "-dirs"), dest=flag, action="append", default=[])
    for name in ("webui-user.sh", "webui-user.bat"):
        try:
            text = (root / name).read_text("utf-8", errors="replace")[:MOST_TEXT_BYTES]
        except OSError:
            continue
        found = re.findall(r"^\s*(?:export\s+|set\s+)?COMMANDLINE_ARGS=(.*)$", text, re.MULTILINE | re.IGNORECASE)
        words = _words(found[-1], is_windows=name.endswith(".bat")) if found else []
        try:
            return vars(parser.parse_known_args(words)[0])
        except argparse.ArgumentError:
            continue  # a flag without its folder; the others are not worth guessing
    return {}


def _words(line: str, *, is_windows: bool) -> list[str]:
    try:
        if is_windows:
            return [word.strip('"') for word in shlex.split(line.strip(), posix=False)]
        return shlex.split(shlex.split(line)[0] if line.strip().startswith(("'", '"')) else line, comments=True)
    except (ValueError, IndexError):
        return []


def _data_folder(root: Path, flags: dict[str, Any]) -> Path:
    given = flags.get("data_dir")
    return (root / given).resolve() if given else root


def _named_folders(root: Path, data: Path, flags: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """(setting, folder) of all places where models may lie."""
    for setting, places in PLACES.items():
        for place in places:
            yield setting, data / place
    named = dict(flags)
    if config := _file(data, "config.json"):
        try:
            named |= {key: value for key, value in read_json(config).items() if key in FLAGS}
        except UserError:
            pass  # told when the settings themselves are compared
    for flag, setting in FLAGS.items():
        for value in _texts(named.get(flag)):
            yield setting, root / value
    yield from _comfy_folders(root)


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text.strip()]


def _comfy_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """What ComfyUI's extra_model_paths.yaml names: tables with a base path, and one or more folders a kind."""
    path = root / "extra_model_paths.yaml"
    if not path.is_file() or path.stat().st_size > MOST_TEXT_BYTES:
        return
    import yaml

    try:
        tables = yaml.safe_load(path.read_text("utf-8", errors="replace"))
    except (OSError, yaml.YAMLError, RecursionError):
        return
    for table in tables.values() if isinstance(tables, dict) else ():
        if not isinstance(table, dict):
            continue
        base = root / str(table.get("base_path") or "")
        for kind, setting in COMFY_PATHS.items():
            for line in str(table.get(kind) or "").splitlines():
                if line.strip():
                    yield setting, base / line.strip()


def _counted(places: Iterable[tuple[str, Path]]) -> Iterator[ModelFolder]:
    """The folders that hold files of weights, each once a kind."""
    seen: set[tuple[str, Path]] = set()
    for setting, place in places:
        try:
            path = place.expanduser().resolve()
            if (setting, path) in seen or not path.is_dir():
                continue
        except (OSError, RuntimeError, ValueError):  # a loop of links, no such user, NUL
            continue
        seen.add((setting, path))
        sizes = [_size(entry) for files in folders_below(path) for entry in files if entry.name.lower().endswith(WEIGHTS)]
        if sizes:
            yield ModelFolder(setting=setting, path=path, files=len(sizes), bytes=sum(sizes))


def _size(entry: Any) -> int:
    try:
        return int(entry.stat().st_size)
    except OSError:
        return 0
