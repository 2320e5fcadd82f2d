"""The table of learned embeddings under the names of A1111's `textual_inversion.textual_inversion`."""
from pathlib import Path

from modules import runtime
from modules.networks import textual_inversion as own


class Embedding:
    """A word that stands for vectors [v, C]."""

    def __init__(self, vec, name: str, step: int | None = None):
        self.vec, self.name, self.step = vec, name, step
        self.shape = self.vectors = None
        self.cached_checksum = self.sd_checkpoint = self.sd_checkpoint_name = self.optimizer_state_dict = None
        self.filename = self.hash = self.shorthash = None
        if vec is not None and not isinstance(vec, dict):
            self.vectors, self.shape = vec.shape[0], vec.shape[-1]

    def checksum(self) -> str | None:
        """The beginning of the hash of its file."""
        return self.shorthash


def _as_extensions_know(found: own.Embedding) -> Embedding:
    embedding = Embedding(found.vectors, found.name)
    embedding.filename, embedding.hash, embedding.shorthash = str(found.path or ""), found.sha256, found.short_hash
    return embedding


class EmbeddingDatabase:
    """Reads the program's own table; words registered here are entered in it."""

    def __init__(self):
        self.embedding_dirs: dict = {}
        self.expected_shape = -1
        self.previously_displayed_embeddings: tuple = ()

    @property
    def _table(self) -> own.EmbeddingTable:
        return runtime.current().embeddings

    @property
    def word_embeddings(self) -> dict[str, Embedding]:
        """Those that fit the present model, by name."""
        return {name: _as_extensions_know(found) for name, found in self._table.loaded.items()}

    @property
    def skipped_embeddings(self) -> dict[str, Embedding]:
        """Those that do not."""
        return {name: Embedding(None, name) for name in self._table.skipped}

    @property
    def ids_lookup(self) -> dict[int, list]:
        """First token of the name -> [(tokens of the name, embedding)]."""
        return {first: [(tokens, _as_extensions_know(found)) for tokens, found in entries]
                for first, entries in self._table._by_first_token.items()}

    def add_embedding_dir(self, path: str) -> None:
        """Look into a further folder."""
        self._table.folders = (*self._table.folders, Path(path))
        self._table.refresh()

    def register_embedding(self, embedding: Embedding, model) -> Embedding:
        """Enter a word under its own name."""
        return self.register_embedding_by_name(embedding, model, embedding.name)

    def register_embedding_by_name(self, embedding: Embedding, model, name: str) -> Embedding:
        """Enter a word under another name."""
        vectors = embedding.vec["clip_l"] if isinstance(embedding.vec, dict) else embedding.vec
        second = embedding.vec.get("clip_g") if isinstance(embedding.vec, dict) else None
        self._table.add(own.Embedding(name=name, vectors=vectors, second_vectors=second))
        return embedding

    def get_expected_shape(self) -> int:
        """Numbers per vector."""
        return self._table.width

    def load_textual_inversion_embeddings(self, force_reload: bool = False, sync_with_sd_model: bool = True) -> None:
        """Look at the folders again."""
        self._table.refresh()

    def find_embedding_at_position(self, tokens, offset: int):
        """(embedding, number of tokens of its name) at a place; (None, None) where there is none."""
        found = self._table.find(list(tokens), offset)
        return (_as_extensions_know(found[0]), found[1]) if found else (None, None)


def list_textual_inversion_templates() -> dict:
    """Texts for training; there are none."""
    return {}


textual_inversion_templates: dict = {}
