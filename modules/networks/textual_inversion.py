"""Learned embeddings (textual inversion): the files, and finding their names in a prompt."""
from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from modules.checkpoints.files import files_below
from modules.networks import picture_embedding
from modules.networks.torch_archive import has_compressed_parts

SUFFIXES = (".safetensors", ".pt", ".bin")
LARGEST_FILE_BYTES = 64 * 2**20
MOST_VECTORS = 75
# Embeddings that stand in a LoRA file: "bundle_emb.<name>.<key that an embedding's own file would have>".
_BUNDLED = re.compile(r"bundle_emb\.(.+?)\.(string_to_param\.\*|emb_params|clip_l|clip_g)")


class NotAnEmbedding(ValueError):
    """A file that holds no embedding, with the reason as a sentence."""


class OrdinaryPicture(NotAnEmbedding):
    """A picture to look at, such as a preview: nothing is wrong with it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """A word that stands for learned vectors.

    vectors: float32 [v, C] for CLIP-L (or the only encoder); second_vectors: [v, C2] for SDXL's second encoder, or None.
    sha256: of the file, in hex.
    """

    name: str
    vectors: Tensor
    second_vectors: Tensor | None = None
    sha256: str = ""
    path: Path | None = None

    @property
    def short_hash(self) -> str:
        """As it stands in infotexts: the first 12 digits."""
        return self.sha256[:12]

    @property
    def width(self) -> int:
        """Numbers per vector, over both encoders."""
        return self.vectors.shape[1] + (0 if self.second_vectors is None else self.second_vectors.shape[1])


def read_embedding(path: Path) -> Embedding:
    """The embedding in a .safetensors, .pt or .bin file, or in a picture; its name is the file's stem.

    Pickles are read with weights_only, so that nothing in them runs. Raises NotAnEmbedding with a sentence for anything else.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise NotAnEmbedding(f"It has more than {LARGEST_FILE_BYTES >> 20} MB, which is too much for an embedding.")
        vectors, second = _vectors(_contents(path))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except NotAnEmbedding:
        raise
    except pickle.UnpicklingError as exc:
        # The message of torch would advise to read it without protection.
        raise NotAnEmbedding("It is damaged, or holds more than tensors and could run as a program.") from exc
    except Exception as exc:  # pickle, zip and safetensors raise a dozen kinds for damaged files
        raise NotAnEmbedding(f"It cannot be read: {str(exc).splitlines()[0] if str(exc) else type(exc).__name__}") from exc
    return Embedding(name=path.stem, vectors=vectors, second_vectors=second, sha256=sha256, path=path)


def bundled_embeddings(tensors: Mapping[str, Tensor]) -> tuple[list[Embedding], set[str]]:
    """The embeddings among the tensors of another file, without hashes of their own, and the keys that belong to them."""
    tables: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if found := _BUNDLED.fullmatch(key):
            tables.setdefault(found[1], {})[found[2]] = tensor
    embeddings, keys = [], set()
    for name, table in tables.items():
        try:
            vectors, second = _vectors(table)
        except NotAnEmbedding:
            continue  # its keys are told as those of no known kind
        embeddings.append(Embedding(name=name, vectors=vectors, second_vectors=second))
        keys |= {f"bundle_emb.{name}.{key}" for key in table}
    return embeddings, keys


def _contents(path: Path) -> Any:
    if path.suffix.lower() in picture_embedding.SUFFIXES:
        if (contents := picture_embedding.contents_of(path)) is None:
            raise OrdinaryPicture("It is a picture without an embedding in it.")
        return contents
    if path.suffix.lower() == ".safetensors":
        # Cloned: tensors over a memory map would change with the file.
        return {key: tensor.clone() for key, tensor in safetensors.torch.load_file(path, device="cpu").items()}
    if has_compressed_parts(path):
        raise NotAnEmbedding("Its parts are compressed, which PyTorch never does.")
    with torch.serialization.safe_globals([torch.nn.ParameterDict]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _vectors(contents: Any) -> tuple[Tensor, Tensor | None]:
    """Vectors for the first and the second encoder.

    Layouts: {"string_to_param": {"*": [v, C]}}, {"emb_params": [v, C]}, {"clip_l", "clip_g"} (SDXL), {"<word>": [C]} (diffusers).
    """
    if not isinstance(contents, dict):
        raise NotAnEmbedding("It holds no table of tensors.")
    if "clip_g" in contents and "clip_l" in contents:
        return _matrix(contents["clip_l"]), _matrix(contents["clip_g"])
    table: Any = contents.get("string_to_param", contents)
    table = getattr(table, "_parameters", table)
    tensors = [value for value in table.values() if isinstance(value, Tensor)] if isinstance(table, dict) else []
    if len(tensors) != 1:
        raise NotAnEmbedding(f"It holds {len(tensors)} tensors where an embedding has one.")
    return _matrix(tensors[0]), None


def _matrix(tensor: Tensor) -> Tensor:
    vectors = tensor.detach().float()
    vectors = vectors[None] if vectors.ndim == 1 else vectors
    if vectors.ndim != 2 or not 1 <= len(vectors) <= MOST_VECTORS:
        raise NotAnEmbedding(f"Its tensor has the shape {list(tensor.shape)}; 1 to {MOST_VECTORS} vectors are possible.")
    return vectors.contiguous()


class EmbeddingTable:
    """The embeddings that fit the loaded text encoder, found by the tokens of their names, so that case does not matter.

    folders: searched with what lies below them. encode_name: text to token ids (ClipTokenizer.encode).
    `loaded`: embedding by name. `skipped`: reason by name for files that cannot be used.
    """

    def __init__(self, folders: Iterable[Path], encode_name: Callable[[str], list[int]]):
        self.folders, self.encode_name = tuple(folders), encode_name
        self.width = 0
        self.loaded: dict[str, Embedding] = {}
        self.skipped: dict[str, str] = {}
        self._by_first_token: dict[int, list[tuple[list[int], Embedding]]] = {}
        self._read: dict[Path, tuple[tuple[int, int], Embedding | str | None]] = {}

    def refresh(self, width: int | None = None) -> None:
        """Read new and changed files, and choose those with `width` numbers per vector (None: as before).

        Of two files with one name the first counts. Costs a look at each file's date when nothing changed.
        """
        stamps = {path: _stamp(path) for path in _files(self.folders)}
        if width in (None, self.width) and stamps == {path: stamp for path, (stamp, _) in self._read.items()}:
            return
        fresh = EmbeddingTable(self.folders, self.encode_name)
        fresh.width = self.width if width is None else width
        for path, stamp in stamps.items():
            known = self._read.get(path)
            fresh._read[path] = known if known and known[0] == stamp else (stamp, _read_or_reason(path))
            fresh._take(path, fresh._read[path][1])
        # Filled first, then exchanged: other threads count tokens with this table meanwhile.
        self.__dict__.update(fresh.__dict__)

    def _take(self, path: Path, found: Embedding | str | None) -> None:
        if found is None:
            return
        if isinstance(found, str):
            self.skipped[path.stem] = found
        elif found.name in self.loaded:
            self.skipped[str(path)] = f"Another file has the name {found.name} too."
        else:
            self.add(found)

    def add(self, embedding: Embedding) -> bool:
        """Take an embedding into the table if it fits; otherwise note why not."""
        tokens = self.encode_name(embedding.name)
        if embedding.width != self.width:
            self.skipped[embedding.name] = f"Its vectors have {embedding.width} numbers; the loaded model needs {self.width}."
        elif not tokens:
            self.skipped[embedding.name] = "Its name has no character that a prompt can name."
        else:
            self.loaded[embedding.name] = embedding
            same_start = [e for e in self._by_first_token.get(tokens[0], []) if e[0] != tokens]
            self._by_first_token[tokens[0]] = sorted([*same_start, (tokens, embedding)], key=lambda e: -len(e[0]))
            return True
        return False

    @contextmanager
    def including(self, embeddings: Iterable[Embedding]) -> Iterator[None]:
        """The table has these too inside the scope, as far as they fit the encoder and no file has their name."""
        skipped = dict(self.skipped)
        added = [embedding for embedding in embeddings if not self._has_name(embedding.name) and self.add(embedding)]
        self.skipped = skipped
        try:
            yield
        finally:
            for embedding in added:
                if self.loaded.get(embedding.name) is embedding:
                    del self.loaded[embedding.name]
            for start, entries in list(self._by_first_token.items()):
                self._by_first_token[start] = [entry for entry in entries if all(entry[1] is not embedding for embedding in added)]

    def _has_name(self, name: str) -> bool:
        """Whether a prompt that says `name` means an embedding of the table: names that differ in case have the same tokens."""
        tokens = self.encode_name(name)
        return name in self.loaded or any(known == tokens for entries in self._by_first_token.values() for known, _ in entries)

    def find(self, tokens: list[int], position: int) -> tuple[Embedding, int] | None:
        """The embedding with the longest name that begins at `position`, with the number of tokens of its name."""
        for name, embedding in self._by_first_token.get(tokens[position], ()):
            if tokens[position:position + len(name)] == name:
                return embedding, len(name)
        return None


def _files(folders: Iterable[Path]) -> list[Path]:
    """Files with a fitting suffix, folder by folder, by name without regard to case."""
    files: list[Path] = []
    for folder in folders:
        found = [path for path in files_below(folder, (*SUFFIXES, *picture_embedding.SUFFIXES))
                 if path.is_file() and not path.stem.endswith(picture_embedding.PREVIEW)]
        files += sorted(found, key=lambda path: str(path).lower())
    return files


def _stamp(path: Path) -> tuple[int, int]:
    """What changes with a file; nothing is known of one that cannot be asked."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_size


def _read_or_reason(path: Path) -> Embedding | str | None:
    """None for a picture to look at."""
    try:
        return read_embedding(path)
    except OrdinaryPicture:
        return None
    except NotAnEmbedding as exc:
        return str(exc)
