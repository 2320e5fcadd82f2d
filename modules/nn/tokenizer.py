"""CLIP's byte-pair tokens, from the vocabulary file that the installed open_clip package carries."""
from __future__ import annotations

import gzip
import importlib.util
from functools import cache
from pathlib import Path

import ftfy
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from modules.errors import UserError

VOCABULARY_FILE = "bpe_simple_vocab_16e6.txt.gz"
VOCABULARY_SIZE = 49408
MERGES = VOCABULARY_SIZE - 2 * 256 - 2
WORD_END = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
# Contractions, runs of letters, single digits, runs of anything else that is not a space (Radford et al. 2021).
PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


class ClipTokenizer:
    """Text to token ids without begin, end and padding, and ids back to text.

    pad_id: what short chunks are filled with; SD1 and CLIP-L use the end token, the encoders of open_clip (SD2, SDXL's second) 0.
    """

    start_id = VOCABULARY_SIZE - 2
    end_id = VOCABULARY_SIZE - 1

    def __init__(self, pad_id: int = VOCABULARY_SIZE - 1):
        self.pad_id = pad_id
        self.comma_id = 267
        self._pairs = _byte_pairs()

    def encode(self, text: str) -> list[int]:
        """Ids of a text of any length. Special tokens spelt out in it stay text; lone surrogates become question marks."""
        return self._pairs.encode(cleaned(text), add_special_tokens=False).ids

    def encode_all(self, texts: list[str]) -> list[list[int]]:
        """Ids of several texts."""
        return [self.encode(text) for text in texts]

    def words(self, ids: list[int]) -> list[str]:
        """The text of each id on its own; a space at the end stands for the end of a word, broken UTF-8 becomes U+FFFD."""
        return [self._word(i) for i in ids]

    def _word(self, token_id: int) -> str:
        symbol = self._pairs.id_to_token(token_id) or ""
        if symbol in (START, END):
            return symbol
        letters = _bytes_by_symbol()
        word = bytes(letters[c] for c in symbol.removesuffix(WORD_END)).decode("utf-8", errors="replace")
        return word + " " if symbol.endswith(WORD_END) else word


def cleaned(text: str) -> str:
    """Lower case, mended Unicode, single spaces: the form that CLIP was trained on."""
    spaced = " ".join(text.split())
    if not spaced.isascii() or not spaced.isprintable() or "&" in spaced:
        # There may be something to mend; for plain English this costs more than the tokens.
        readable = spaced.encode("utf-8", errors="replace").decode("utf-8")
        spaced = " ".join(ftfy.fix_text(readable).split())
    return spaced.lower()


def vocabulary_path() -> Path:
    """The vocabulary inside the installed open_clip package, which is found but not imported (importing takes seconds)."""
    spec = importlib.util.find_spec("open_clip")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / VOCABULARY_FILE
        if path.is_file():
            return path
    raise UserError(
        what="Cannot read prompts.",
        why=f"The CLIP vocabulary {VOCABULARY_FILE} of the package open_clip_torch is missing.",
        remedy="Install the packages of requirements.txt again.",
    )


@cache
def _byte_pairs() -> Tokenizer:
    """The byte-pair model. Ids: 256 byte symbols, the same at a word's end, one per merge, begin, end."""
    lines = gzip.decompress(vocabulary_path().read_bytes()).decode("utf-8").split("\n")
    merges = [(left, right) for left, right in (line.split() for line in lines[1:MERGES + 1])]
    symbols = list(_bytes_by_symbol())
    names = symbols + [s + WORD_END for s in symbols] + [left + right for left, right in merges] + [START, END]
    model = models.BPE({name: i for i, name in enumerate(names)}, merges, end_of_word_suffix=WORD_END, unk_token=END)
    pairs = Tokenizer(model)
    pairs.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    return pairs


@cache
def _bytes_by_symbol() -> dict[str, int]:
    """A printable character for each byte, in the order of the vocabulary: visible Latin-1 stands for itself, the rest from U+0100 up."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(256 + i): byte for i, byte in enumerate(hidden)}
