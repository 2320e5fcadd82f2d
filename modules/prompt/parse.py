"""Comments and emphasis: text to pieces with weights."""
from __future__ import annotations

import re

import numpy as np

ROUND, SQUARE = 1.1, 1 / 1.1
# Stands between two pieces where a new chunk is to begin.
BREAK = ("BREAK", -1.0)
WEIGHT_LIMIT = 1e30

COMMENT_LINE = re.compile(r"(^|\n)#[^\n]*(?:\n|$)")
ESCAPE_OR_COMMENT = re.compile(r"(\\.)|#[^\n]*(?:\n|$)")
# An escaped character; a weight with its closing bracket; a bracket; anything else.
EMPHASIS = re.compile(r"\\[\\()\[\]]|:\s*(?P<weight>[+-]?(?:\d{1,30}(?:\.\d{0,60})?|\.\d{1,60}))\s*\)|[\\()\[\]:]|[^\\()\[\]:]+")
# Beyond this much work the weights of nested brackets are summed as logarithms: linear in the text, and equal up to rounding.
EXACT_WORK = 2_000_000


def strip_comments(text: str) -> str:
    r"""The text without comments, from `#` to the end of the line; `\#` is a sign like any other and stays as it is.

    A line of nothing but a comment goes as a whole.
    """
    return ESCAPE_OR_COMMENT.sub(lambda found: found[1] or "\n", COMMENT_LINE.sub("\n", text))


def parse_emphasis(text: str) -> list[tuple[str, float]]:
    """Pieces of the text with their weights, neighbours of equal weight joined; BREAK marks a new chunk. Never raises.

    `(x)` is 1.1, `[x]` 1 / 1.1, `(x:1.5)` 1.5, factors multiply; a backslash makes a bracket literal. Round and square brackets are
    matched each on their own; an opened bracket acts to the end of the text, a closing one without a partner is a character.
    """
    scan = _EmphasisScan()
    for found in EMPHASIS.finditer(text):
        scan.take(found[0], found["weight"])
    scan.close_all()
    return _joined(scan.pieces, scan.weights())


class _EmphasisScan:
    """Pieces so far, the pieces at which open brackets began, and what each closed bracket does: (first, end, factor)."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, float]] = []
        self.round: list[int] = []
        self.square: list[int] = []
        self.factors: list[tuple[int, int, float]] = []

    def take(self, item: str, weight: str | None) -> None:
        if item[0] == "\\":
            self.pieces.append((item[1:], 1.0))
        elif item == "(":
            self.round.append(len(self.pieces))
        elif item == "[":
            self.square.append(len(self.pieces))
        elif weight is not None and self.round:
            self._close(self.round, float(weight))
        elif item == ")" and self.round:
            self._close(self.round, ROUND)
        elif item == "]" and self.square:
            self._close(self.square, SQUARE)
        else:
            self._add(item)

    def _close(self, opened: list[int], factor: float) -> None:
        self.factors.append((opened.pop(), len(self.pieces), factor))

    def _add(self, item: str) -> None:
        parts = re.split(r"\bBREAK\b", item) if "BREAK" in item else [item]
        last = len(parts) - 1
        for i, part in enumerate(parts):
            if i > 0:
                self.pieces.append(BREAK)
                part = part.lstrip()
            self.pieces.append((part.rstrip() if i < last else part, 1.0))

    def close_all(self) -> None:
        end = len(self.pieces)
        self.factors += [(first, end, ROUND) for first in self.round] + [(first, end, SQUARE) for first in self.square]

    def weights(self) -> list[float]:
        weights = np.array([weight for _, weight in self.pieces], dtype=np.float64)
        if sum(end - first for first, end, _ in self.factors) > EXACT_WORK:
            weights *= _products(len(weights), self.factors)
        else:
            with np.errstate(all="ignore"):
                for first, end, factor in self.factors:
                    weights[first:end] *= factor
        return np.nan_to_num(weights, nan=0.0, posinf=WEIGHT_LIMIT, neginf=-WEIGHT_LIMIT).clip(-WEIGHT_LIMIT, WEIGHT_LIMIT).tolist()


def _products(count: int, factors: list[tuple[int, int, float]]) -> np.ndarray:
    """Product per piece of all factors whose range holds it: sums of logarithms, signs and zeros counted apart."""
    firsts, ends = (np.array([f[i] for f in factors]) for i in (0, 1))
    values = np.array([f[2] for f in factors])

    def covering(amounts: np.ndarray) -> np.ndarray:
        changes = np.zeros(count + 1)
        np.add.at(changes, firsts, amounts)
        np.add.at(changes, ends, -amounts)
        return np.cumsum(changes)[:count]

    size = np.exp(np.minimum(covering(np.log(np.abs(np.where(values == 0, 1, values)))), np.log(WEIGHT_LIMIT)))
    sign = 1 - 2 * (np.rint(covering((values < 0).astype(float))) % 2)
    return np.where(np.rint(covering((values == 0).astype(float))) > 0, 0.0, sign * size)


def _joined(pieces: list[tuple[str, float]], weights: list[float]) -> list[tuple[str, float]]:
    """Neighbours of equal weight in one piece; at least one piece."""
    joined: list[tuple[list[str], float]] = []
    for (text, _), weight in zip(pieces, weights):
        if joined and joined[-1][1] == weight:
            joined[-1][0].append(text)
        else:
            joined.append(([text], weight))
    return [("".join(texts), weight) for texts, weight in joined] or [("", 1.0)]
