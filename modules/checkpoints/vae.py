"""Which VAE file goes with a checkpoint."""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from modules.checkpoints.files import files_below
from modules.checkpoints.state_dict import SUFFIXES
from modules.errors import NotFound
from modules.sampling.names import nearest_first

AUTOMATIC, OWN = "Automatic", "None"
MARK = ".vae"


def vae_files(folders: Iterable[Path]) -> dict[str, Path]:
    """VAE files by the names that lists show, the first of a name counts."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in files_below(folder, SUFFIXES) if folder.is_dir() else ():
            found.setdefault(path.name, path)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def choose_vae(setting: str, checkpoint: Path, files: Mapping[str, Path], *, own_choice_counts_first: bool = False) -> Path | None:
    """The VAE file for a checkpoint, None for the one inside it.

    `setting`: the name of a file, "None", or "Automatic": the file chosen for this checkpoint, else `<checkpoint>.vae.*` beside it
    or among the files. `own_choice_counts_first`: the file chosen for this checkpoint comes before the name. Raises KeyError for a
    name that is none of the files.
    """
    preferred = preferred_vae(checkpoint)
    if preferred in files and (setting == AUTOMATIC or own_choice_counts_first):
        return files[preferred]
    if setting == AUTOMATIC:
        return beside(checkpoint, files)
    if setting in ("", OWN):
        return None
    found = find_vae(setting, files)
    if found is None:
        raise KeyError(setting)
    return found


def beside(checkpoint: Path, files: Mapping[str, Path]) -> Path | None:
    """`<checkpoint>.vae.safetensors` (.pt, .ckpt) in the checkpoint's folder, or a file of this name or of the checkpoint's."""
    for suffix in SUFFIXES:
        neighbour = checkpoint.with_name(f"{checkpoint.stem}{MARK}{suffix}")
        if neighbour.is_file():
            return neighbour
    names = [f"{checkpoint.stem}{middle}{suffix}" for middle in (MARK, "") for suffix in SUFFIXES]
    return next((files[name] for name in names if name in files), None)


def find_vae(name: str, files: Mapping[str, Path]) -> Path | None:
    """The file called `name`, with or without its ending, in any case."""
    wanted = name.lower()
    return next((path for known, path in files.items() if wanted in (known.lower(), path.stem.lower())), None)


def named_vae(name: str, files: Mapping[str, Path], folder: Path) -> Path:
    """The same. Raises NotFound with the nearest names, or with the folder where such files go when there are none."""
    path = find_vae(name, files)
    if path is None:
        nearest = nearest_first(name, list(files))
        remedy = f"Choose {', '.join(nearest[:3])}." if nearest else f"Put it into {folder}."
        raise NotFound(f"There is no VAE named {name!r}.", remedy=remedy)
    return path


def preferred_vae(checkpoint: Path) -> str:
    """The name under "vae" in the `.json` beside the checkpoint, as the editor of cards writes it; "" without one."""
    try:
        kept = json.loads(checkpoint.with_suffix(".json").read_text("utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return ""
    name = kept.get("vae") if isinstance(kept, dict) else None
    return name if isinstance(name, str) and name not in (AUTOMATIC, OWN) else ""
