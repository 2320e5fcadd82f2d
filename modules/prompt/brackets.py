"""Which brackets of a prompt are edits and alternations: one pass over the characters, before the grammar sees them."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

TokenKind = Literal["EDIT", "COLON", "UNTIL", "CHOICE", "BAR", "CLOSE", "TAIL"]

SCAN = re.compile(r"\\.|[\[\]():|\\]|[^\\\[\]():|]+")
WHEN = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")
PARTNER = {")": "(", "]": "["}


@dataclass(frozen=True, kw_only=True)
class Brackets:
    """What the pass found. `tokens`: (kind, value) for the grammar; the value is the text in front of the sign, for UNTIL followed by
    ":when", and TAIL is the text behind the last sign. `unmatched`: offsets of brackets without a partner. `literal`: the whole text
    is taken as it is.
    """

    tokens: list[tuple[TokenKind, str]]
    unmatched: list[int]
    literal: bool


@dataclass(kw_only=True)
class _Open:
    """An opened bracket and what was seen directly inside it."""

    sign: str
    item: int
    colons: list[int] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    # False once something inside cannot be part of a prompt; then the bracket is a character like any other.
    sound: bool = True


class _Pass:
    """The state of one pass: items of the text, open brackets, and the marks given to items so far."""

    def __init__(self, text: str):
        self.items = SCAN.findall(text)
        self.open: list[_Open] = []
        self.marks: dict[int, TokenKind] = {}
        self.ends: dict[int, int] = {}
        self.unmatched: list[int] = []
        self.literal = False

    def run(self) -> None:
        for i, item in enumerate(self.items):
            if item in "([":
                self.open.append(_Open(sign=item, item=i))
            elif item in ")]":
                self._close(i, item)
            elif item == ":" and self.open:
                self.open[-1].colons.append(i)
            elif item == "|":
                self._bar(i)
            elif item == "\\":
                self.literal = True
        self._abandon()

    def _bar(self, i: int) -> None:
        if self.open:
            self.open[-1].bars.append(i)
        else:
            self.literal = True

    def _close(self, i: int, sign: str) -> None:
        if not self.open or self.open[-1].sign != PARTNER[sign]:
            # Nothing that is open now can be closed soundly any more: it would hold this bracket.
            self._abandon()
            self.unmatched.append(i)
            return
        bracket = self.open.pop()
        if not self._settle(bracket, i):
            self.literal |= bool(bracket.bars)
            if self.open:
                self.open[-1].sound = False

    def _settle(self, bracket: _Open, end: int) -> bool:
        """Mark a closed bracket by its content; whether it means anything at all."""
        colons, bars = bracket.colons, bracket.bars
        if not bracket.sound:
            return False
        if bracket.sign == "(":
            return len(colons) <= 1 and not bars
        if bars:
            return not colons and self._mark_choice(bracket, end)
        return not colons or (len(colons) <= 2 and self._mark_edit(bracket, end))

    def _mark_choice(self, bracket: _Open, end: int) -> bool:
        self.marks[bracket.item] = "CHOICE"
        self.marks.update(dict.fromkeys(bracket.bars, "BAR"))
        self.marks[end] = "CLOSE"
        return True

    def _mark_edit(self, bracket: _Open, end: int) -> bool:
        last = bracket.colons[-1]
        if end != last + 2 or not WHEN.fullmatch(self.items[last + 1]):
            return False
        self.marks[bracket.item] = "EDIT"
        if len(bracket.colons) == 2:
            self.marks[bracket.colons[0]] = "COLON"
        self.marks[last] = "UNTIL"
        self.ends[last] = end
        return True

    def _abandon(self) -> None:
        for bracket in self.open:
            self.unmatched.append(bracket.item)
            self.literal |= bool(bracket.bars)
        self.open.clear()


def find_brackets(text: str) -> Brackets:
    """Tokens of a prompt for the grammar of grammar.lark, in linear time and for any text.

    A bracket counts only if what it holds can be part of a prompt: its own brackets matched, at most one colon in round ones,
    bars and colons not mixed in square ones. A bar outside of an alternation, or a backslash with nothing behind it in its line,
    makes the whole text literal, as it did in the web interfaces that old pictures come from.
    """
    found = _Pass(text)
    found.run()
    starts = [0, *accumulate(map(len, found.items))]
    unmatched = sorted(starts[i] for i in found.unmatched)
    tokens: list[tuple[TokenKind, str]] = [("TAIL", text)] if found.literal else _tokens(text, found, starts)
    return Brackets(tokens=tokens, unmatched=unmatched, literal=found.literal)


def _tokens(text: str, found: _Pass, starts: list[int]) -> list[tuple[TokenKind, str]]:
    """Marked items with the text in front of each, and the rest."""
    tokens: list[tuple[TokenKind, str]] = []
    after = 0
    for i, kind in sorted(found.marks.items()):
        if kind == "UNTIL":
            end = found.ends[i]
            tokens.append((kind, text[after:starts[end]]))
            after = starts[end + 1]
        else:
            tokens.append((kind, text[after:starts[i]]))
            after = starts[i + 1]
    tokens.append(("TAIL", text[after:]))
    return tokens
