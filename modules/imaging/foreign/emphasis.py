"""Weights of words: read as other programs write them, written as we do.

A dialect is read into pieces of literal text with their weights. If our own reading of the text finds the same pieces, the text stays
as it is; otherwise it is written anew, so that brackets which mean nothing elsewhere stay brackets here.
"""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from modules.prompt.parse import parse_emphasis

Pieces = list[tuple[str, float]]
Dialect = Callable[[str], Pieces]

NOVELAI_STEP = 1.05
COMFYUI_STEP = 1.1
COMPEL_UP, COMPEL_DOWN = 1.1, 0.9
MOST_SIGNS = 40
LARGEST_WEIGHT = 100.0


def translated(text: str, dialect: Dialect) -> str:
    """`text` of another dialect in our syntax. Weights are exact to six digits; `#` begins no comment. Never raises."""
    pieces = joined(dialect(text))
    return text.replace("#", r"\#") if same(pieces, joined(parse_emphasis(text))) else written(pieces)


def has_weights(text: str) -> bool:
    """Whether our reading of the text weighs any of it."""
    return any(weight not in (1.0, -1.0) for _, weight in parse_emphasis(text))


def written(pieces: Iterable[tuple[str, float]]) -> str:
    """Pieces in our syntax; every bracket in them is literal."""
    texts = []
    for text, weight in pieces:
        inner = text.strip()
        literal = re.sub(r"[\\()\[\]#]", r"\\\g<0>", text)
        if weight == 1 or not inner:
            texts.append(literal)
            continue
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()):]
        number = f"{max(-LARGEST_WEIGHT, min(weight, LARGEST_WEIGHT)):.6f}".rstrip("0").rstrip(".")
        texts.append(f"{before}({literal.strip()}:{number}){after}")
    return "".join(texts)


def joined(pieces: Iterable[tuple[str, float]]) -> Pieces:
    """Neighbours of equal weight in one piece, empty ones left out."""
    groups: list[tuple[list[str], float]] = []
    for text, weight in pieces:
        if not text:
            continue
        if groups and math.isclose(groups[-1][1], weight, abs_tol=1e-9):
            groups[-1][0].append(text)
        else:
            groups.append(([text], weight))
    return [("".join(texts), weight) for texts, weight in groups]


def same(first: Pieces, second: Pieces) -> bool:
    return len(first) == len(second) and all(a == b and math.isclose(v, w) for (a, v), (b, w) in zip(first, second))


NOVELAI_SIGN = re.compile(r"[{}\[\]]|(?<![\w.])-?\d{0,4}\.?\d{1,6}::|::")


def novelai_pieces(text: str) -> Pieces:
    """NovelAI: `{x}` is 1.05, `[x]` 1 / 1.05, powers by nesting; `1.5::x::` a weight as such (from version 4).

    Round brackets are literal.
    """
    strong = weak = 0
    factor = 1.0
    pieces: Pieces = []
    place = 0
    for found in NOVELAI_SIGN.finditer(text):
        pieces.append((text[place:found.start()], _novelai_weight(strong, weak, factor)))
        place, sign = found.end(), found[0]
        if sign == "{":
            strong += 1
        elif sign == "}" and strong:
            strong -= 1
        elif sign == "[":
            weak += 1
        elif sign == "]" and weak:
            weak -= 1
        elif sign == "::" and factor != 1:
            factor = 1.0
        elif len(sign) > 2:
            factor = float(sign[:-2])
        else:
            pieces.append((sign, _novelai_weight(strong, weak, factor)))
    pieces.append((text[place:], _novelai_weight(strong, weak, factor)))
    return pieces


def _novelai_weight(strong: int, weak: int, factor: float) -> float:
    return factor * NOVELAI_STEP ** max(-MOST_SIGNS, min(strong - weak, MOST_SIGNS))


COMFYUI_SIGN = re.compile(r"\\[()]|[()]")


class _Groups:
    """Pieces so far, and the bracketed groups of them: (first piece, end, weight as such or None)."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.opened: list[int] = []
        self.closed: list[tuple[int, int, float | None]] = []

    def close(self) -> None:
        first = self.opened.pop()
        weight = None
        stem, colon, number = self.pieces[-1].rpartition(":") if len(self.pieces) > first else ("", "", "")
        if colon and (stem or len(self.pieces) > first + 1) and (weight := _finite(number)) is not None:
            self.pieces[-1] = stem
        self.closed.append((first, len(self.pieces), weight))


def comfyui_pieces(text: str) -> Pieces:
    r"""ComfyUI: `(x)` is 1.1 times the weight around it, `(x:1.2)` is 1.2 whatever is around it; `\(` and square brackets are literal.

    Brackets without a partner are literal.
    """
    groups = _Groups()
    place = 0
    partners = _partners(text)
    for found in COMFYUI_SIGN.finditer(text):
        groups.pieces.append(text[place:found.start()])
        place, sign = found.end(), found[0]
        if len(sign) == 2 or found.start() not in partners:
            groups.pieces[-1] += sign[-1]
        elif sign == "(":
            groups.opened.append(len(groups.pieces))
        else:
            groups.close()
    groups.pieces.append(text[place:])
    return list(zip(groups.pieces, _nested_weights(len(groups.pieces), groups.closed)))


def _partners(text: str) -> set[int]:
    """Places of the round brackets that have a partner."""
    opened: list[int] = []
    partners: set[int] = set()
    for found in COMFYUI_SIGN.finditer(text):
        if found[0] == "(":
            opened.append(found.start())
        elif found[0] == ")" and opened:
            partners |= {opened.pop(), found.start()}
    return partners


def _nested_weights(count: int, groups: list[tuple[int, int, float | None]]) -> list[float]:
    """The weight of each piece, from the outermost group inwards."""
    by_first = sorted(reversed(groups), key=lambda group: (group[0], -group[1]))
    weights: list[float] = []
    around: list[tuple[int, float]] = []  # (end, weight) of the groups that are open at a piece
    place = 0
    for piece in range(count):
        while around and around[-1][0] <= piece:
            around.pop()
        while place < len(by_first) and by_first[place][0] <= piece:
            _, end, weight = by_first[place]
            outer = around[-1][1] if around else 1.0
            if end > piece:
                around.append((end, min(outer * COMFYUI_STEP, LARGEST_WEIGHT) if weight is None else weight))
            place += 1
        weights.append(around[-1][1] if around else 1.0)
    return weights


COMPEL_SIGN = re.compile(r"\\[()]|\)(?:(?P<number>\d{1,3}(?:\.\d{1,6})?)|(?P<signs>\+{1,40}|-{1,40}))?|\("
                         r"|(?<=[^\s()+\\,-])(?P<word_signs>\+{1,40}|-{1,40})(?=[\s,.)]|$)")
COMPEL_WORD_ENDS = " \t\n,()"


def compel_pieces(text: str) -> Pieces:
    r"""Compel, the dialect of InvokeAI: `word++`, `(some words)1.3`, `(some words)--`; a plus is 1.1, a minus 0.9, powers by their number.

    Round brackets only group; `\(` is literal.
    """
    pieces: list[str] = []
    opened: list[int] = []
    factors: list[tuple[int, int, float]] = []
    place = 0
    for found in COMPEL_SIGN.finditer(text):
        before, place, sign = text[place:found.start()], found.end(), found[0]
        pieces.append(before)
        if found["word_signs"]:
            word = 1 + max(before.rfind(end) for end in COMPEL_WORD_ENDS)
            pieces[-1:] = [before[:word], before[word:]]
            factors.append((len(pieces) - 1, len(pieces), _signs(sign)))
        elif sign[0] == "\\":
            pieces.append(sign[1])
        elif sign == "(":
            opened.append(len(pieces))
        elif opened:
            factor = float(found["number"]) if found["number"] else _signs(found["signs"] or "")
            factors.append((opened.pop(), len(pieces), factor))
        else:
            pieces.append(sign)
    pieces.append(text[place:])
    return list(zip(pieces, _products(len(pieces), factors)))


def _signs(signs: str) -> float:
    return (COMPEL_UP if signs[:1] == "+" else COMPEL_DOWN) ** len(signs)


def _products(count: int, factors: list[tuple[int, int, float]]) -> list[float]:
    """The product of the factors over each piece, each change made once: no more work than there are brackets."""
    logs = [0.0] * (count + 1)
    zeros = [0] * (count + 1)
    for first, end, factor in factors:
        if factor > 0:
            logs[first] += math.log(factor)
            logs[end] -= math.log(factor)
        else:
            zeros[first] += 1
            zeros[end] -= 1
    weights = []
    log = zero = 0.0
    for piece in range(count):
        log, zero = log + logs[piece], zero + zeros[piece]
        weights.append(0.0 if zero else round(math.exp(min(log, 4.6)), 9))
    return weights


def _finite(text: str) -> float | None:
    if len(text) > MOST_SIGNS:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
