"""Files of weights, sound and spoiled, for tests of everything that reads them."""
import json
import os
import pickle
import zipfile
from pathlib import Path

import torch


class RunsCommand:
    """A pickle of this makes the folder `marker` when it is loaded carelessly."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


class Evaluates:
    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return eval, (f"__import__('os').mkdir({str(self.marker)!r})",)


def write_header(path: Path, header: dict | bytes, data: bytes = b"") -> Path:
    """A safetensors file with exactly this header."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def write_malicious(folder: Path, kind: type, legacy: bool) -> tuple[Path, Path]:
    """A checkpoint that would run something, and the folder that this something would make."""
    path, marker = folder / f"evil-{kind.__name__}-{legacy}.ckpt", folder / "marker"
    torch.save({"state_dict": {"a": torch.zeros(2)}, "x": kind(marker)}, path, _use_new_zipfile_serialization=not legacy)
    return path, marker


def write_plain_pickle(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def deflated_copy(source: Path, target: Path) -> Path:
    """The same archive with its members compressed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return target
