"""Model files that a person brings: which folder each kind belongs into, taking uploads piece by piece, and fetching from an address."""
from __future__ import annotations

import os
import shutil
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from modules import downloads, runtime
from modules.atomic_files import safe_name, write_problem
from modules.errors import NotFound, RequestError, UserError
from modules.imaging.known_files import KnownFile
from modules.jobs.job import Job
from modules.jobs.state import JobState
from modules.runtime import Runtime

KIND = "model file"
ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")
UPLOAD = ".easel-upload"
MOST_BYTES = 64 << 30
KEPT_FREE_BYTES = 1 << 30
SHA256_CHARS = 64


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """A kind of model file. `folder` is below models/, or the whole path below the data folder where `is_outside`."""

    name: str
    label: str
    folder: str
    is_outside: bool = False

    def path(self, rt: Runtime) -> Path:
        return (rt.folders.data if self.is_outside else rt.folders.models) / self.folder


KINDS = {kind.name: kind for kind in (
    ModelKind(name="checkpoint", label="Checkpoint", folder="Stable-diffusion"), ModelKind(name="lora", label="LoRA", folder="Lora"),
    ModelKind(name="embedding", label="Textual inversion embedding", folder="embeddings", is_outside=True),
    ModelKind(name="vae", label="VAE", folder="VAE"), ModelKind(name="hypernetwork", label="Hypernetwork", folder="hypernetworks"),
    ModelKind(name="upscaler", label="Upscaler", folder="ESRGAN"), ModelKind(name="preview", label="Preview decoder", folder="VAE-approx"))}
_uploading = threading.Lock()


def kind_named(name: str) -> ModelKind:
    """Raises NotFound."""
    if name not in KINDS:
        raise NotFound(f"There is no kind of model {name[:40]!r}.", remedy=f"Use one of: {', '.join(KINDS)}.")
    return KINDS[name]


def overview(rt: Runtime) -> list[dict[str, Any]]:
    """Each kind with its folder and how many files lie in it and below."""
    return [{"name": kind.name, "label": kind.label, "path": str(kind.path(rt)), "count": sum(1 for _ in files_of(kind.path(rt)))}
            for kind in KINDS.values()]


def files_of(folder: Path) -> Sequence[Path]:
    """The model files in a folder and below."""
    return [path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()] if folder.is_dir() else []


def checked_name(kind: ModelKind, name: str) -> str:
    """A file name as it is kept. Raises RequestError for one that leads elsewhere, or is that of no model file."""
    cleaned = safe_name(name.strip(), 200)
    if cleaned != name.strip() or cleaned.startswith("."):
        raise RequestError("name", f'"{name[:80]}" cannot be the name of a file.')
    if Path(cleaned).suffix.lower() not in ENDINGS:
        raise RequestError("name", f'"{cleaned}" is no model file.', f"Its ending is none of {', '.join(ENDINGS)}.",
                           f"For a {kind.label} choose such a file.")
    return cleaned


# Uploads

def uploaded_bytes(rt: Runtime, kind: ModelKind, name: str, version: str = "") -> int:
    """How much of an upload has arrived, so that it can go on there. Raises RequestError where the whole file is there already.

    version: tells files of one name apart, so that none goes on with what came of another one.
    """
    target = kind.path(rt) / checked_name(kind, name)
    check_is_new(rt, kind, target.name)
    part = _part(target, version)
    return part.stat().st_size if part.is_file() else 0


def _part(target: Path, version: str) -> Path:
    """Where the pieces of an upload are kept until it is whole."""
    return target.with_name(f"{target.name}{f'.{zlib.crc32(version.encode()):08x}' if version else ''}{UPLOAD}")


def take_piece(rt: Runtime, kind: ModelKind, name: str, start: int, size: int, piece: bytes, version: str = "") -> int:
    """Write a piece of a file of `size` bytes that begins at byte `start`; how much is there then. The last one makes the file.

    version: see `uploaded_bytes`. Raises RequestError, and UserError when the disk cannot take it; what has arrived stays.
    """
    with _uploading:
        there = uploaded_bytes(rt, kind, name, version)
        target = kind.path(rt) / checked_name(kind, name)
        part = _part(target, version)
        if start != there or not 0 < size <= MOST_BYTES or start + len(piece) > size:
            raise RequestError("start", f"The piece does not follow on what has arrived ({there:,} bytes).", remedy="Go on from there.")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(part.parent).free < size - start + KEPT_FREE_BYTES:
                raise UserError(f"There is no room for {target.name} in {target.parent}.", remedy="Free some space.")
            with part.open("ab") as stream:
                stream.write(piece)
                stream.flush()
                if start + len(piece) == size:
                    os.fsync(stream.fileno())
            if start + len(piece) == size:
                os.replace(part, target)
                look_again(rt)
        except OSError as error:
            raise write_problem(target.name, target.parent, error) from error
        return start + len(piece)


def look_again(rt: Runtime) -> None:
    """Let new files be found."""
    rt.checkpoints.refresh()
    rt.loras.refresh()


# From an address

def file_at(address: str, name: str, kind: ModelKind, sha256: str) -> KnownFile:
    """The file that an address stands for. Raises RequestError."""
    try:
        parts = urlsplit(address.strip())
        is_plain = parts.scheme == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        is_plain = False
    if not is_plain or len(address) > 2000:
        raise RequestError("url", "Models are fetched from https addresses only.")
    digest = sha256.strip().lower()
    if digest and (len(digest) != SHA256_CHARS or not all(sign in "0123456789abcdef" for sign in digest)):
        raise RequestError("sha256", "The checksum is no SHA-256.", remedy="It has 64 digits from 0 to f; leave it empty if you have none.")
    chosen = checked_name(kind, name or unquote(parts.path.rpartition("/")[2]))
    # How large it is, its server says; the limit is that of uploads.
    return KnownFile(name=chosen, use=kind.label, folders=(kind.folder,), url=address.strip(), size=MOST_BYTES // 2, sha256=digest,
                     is_exact=False)


def check_is_new(rt: Runtime, kind: ModelKind, name: str) -> None:
    """Raises RequestError where a file of this name is there: none is replaced."""
    if (kind.path(rt) / name).exists():
        raise RequestError("name", f"{name} is there already.", f"It lies in {kind.path(rt)}.")


def submit(rt: Runtime, address: str, name: str, kind: ModelKind, sha256: str, *, owner: str = "") -> Job:
    """Queue the fetching of a file. Raises RequestError, also where it is there already."""
    file = file_at(address, name, kind, sha256)
    check_is_new(rt, kind, file.name)
    request = {"url": file.url, "name": file.name, "model_kind": kind.name, "sha256": file.sha256}
    return rt.queue.submit(KIND, request, {}, title=f"Download {file.name}", owner=owner, resumable=False)


def run(job: Job, state: JobState) -> dict[str, Any]:
    """The worker's part."""
    rt = runtime.current()
    kind = kind_named(job.request["model_kind"])
    file = file_at(job.request["url"], job.request["name"], kind, job.request["sha256"])
    check_is_new(rt, kind, file.name)  # it may have come while the job waited
    path = downloads.fetched(file, kind.path(rt), downloads.shown_in(state, file))
    look_again(rt)
    return {"images": [], "path": str(path), "notes": [f"{file.name} is in {path.parent} now."]}
