"""SHA-256 of files under the names of A1111's `hashes`."""
from pathlib import Path

from modules import runtime
from modules.checkpoints.hashing import FileState, sha256_of


def calculate_sha256(filename: str) -> str:
    """In hex, read from the whole file. Raises OSError."""
    return sha256_of(Path(filename))


def sha256_from_cache(filename: str, title: str, use_addnet_hash: bool = False) -> str | None:
    """The hash of this content where it is known; None otherwise. Reads nothing."""
    path = Path(filename)
    try:
        return runtime.current().checkpoints.hashes.get(path, FileState.of(path)) or None
    except OSError:
        return None


def sha256(filename: str, title: str, use_addnet_hash: bool = False) -> str | None:
    """The hash, computed unless it is known; None for a file that cannot be read or with --no-hashing."""
    path = Path(filename)
    if runtime.current().args.no_hashing:
        return sha256_from_cache(filename, title)
    try:
        return runtime.current().checkpoints.hashes.compute(path, FileState.of(path)) or None
    except OSError:
        return None


def addnet_hash_safetensors(file) -> str:
    """SHA-256 of an open safetensors file behind its header."""
    import hashlib

    file.seek(0)
    size = int.from_bytes(file.read(8), "little")
    file.seek(size + 8)
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
