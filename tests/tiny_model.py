"""The tiny Stable Diffusion 1 network that the golden data were recorded with, and a data folder around it."""
import hashlib
import os
import runpy
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

GOLDENS = Path(__file__).parent / "goldens"
TINY = GOLDENS / "tiny-model"
GENERATOR = TINY / "make_tiny_checkpoint.py"

# seed -> (file name without suffix, yaml beside it, SHA-256 of the file); the names show up in recorded infotexts.
VARIANTS = {
    1: ("tiny-sd1-s1", "tiny-sd1.yaml", "cebd47c6c9548566b7e4535ea99fa8433af4e62b6c8ffd8d996acfaafcf4d65e"),
    2: ("tiny-sd1-s2", "tiny-sd1.yaml", "ea4d79fae5322f77d4741dd10e58cca2c96b55a760521cb3ab10fa0ea2afd9c5"),
    3: ("tiny-sd1-inpainting", "tiny-sd1-inpainting.yaml", "5eba3eaed90d835451d0880b9a534b88c9b07561b6e5b5aa20b50630985cb019"),
    4: ("tiny-sd1-v", "tiny-sd1-v.yaml", "50bbbace2fc3e2c09be56dfbba1a5241b81d222090795381cab4b8b23b759289"),
}
EMBEDDINGS = ("tinyemb.safetensors", "my-style two.pt", "wrongdim.safetensors")
LORAS = ("tinylora.safetensors",)


@cache
def tiny_checkpoint(seed: int = 1) -> Path:
    """The checkpoint of this seed, with its yaml beside it: 1 and 2 plain, 3 inpainting (9 channels), 4 v-prediction.

    Made once and kept in the system's temporary folder; do not change the file, take a copy.
    """
    name, config, digest = VARIANTS[seed]
    folder = Path(tempfile.gettempdir()) / f"easel-tests-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.safetensors"
    if not path.exists() or sha256(path) != digest:
        written = write_checkpoint(seed, folder)
        assert sha256(written) == digest, f"the generator made another file for seed {seed}"
        os.replace(written, path)
    replace_with_copy(TINY / config, path.with_suffix(".yaml"))
    return path


def write_checkpoint(seed: int, folder: Path) -> Path:
    """Run the golden generator into a temporary file of `folder`."""
    build = runpy.run_path(str(GENERATOR))["build"]
    tensors = build(seed, in_channels=9 if seed == 3 else 4)
    handle, path = tempfile.mkstemp(suffix=".part", dir=folder)
    os.close(handle)
    save_file({key: np.ascontiguousarray(value) for key, value in sorted(tensors.items())}, path)
    return Path(path)


def make_data_dir(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> Path:
    """A data folder with tiny checkpoints, embeddings and a LoRA, as the recordings had them.

    Checkpoints are hard links where the file system allows: copy a file before damaging it.
    """
    checkpoints = folder / "models" / "Stable-diffusion"
    checkpoints.mkdir(parents=True)
    for seed in seeds:
        source = tiny_checkpoint(seed)
        link_or_copy(source, checkpoints / source.name)
        shutil.copyfile(source.with_suffix(".yaml"), checkpoints / f"{source.stem}.yaml")
    for place, names in ((folder / "embeddings", EMBEDDINGS), (folder / "models" / "Lora", LORAS)):
        place.mkdir(parents=True)
        for name in names:
            shutil.copyfile(TINY / name, place / name)
    return folder


def link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def replace_with_copy(source: Path, target: Path) -> None:
    """Several test processes may do this at the same moment."""
    handle, part = tempfile.mkstemp(dir=target.parent)
    os.close(handle)
    shutil.copyfile(source, part)
    os.replace(part, target)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
