"""Which brackets of a prompt are edits and alternations: one pass over the characters, before the grammar sees them."""
from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Literal

TokenKind = Literal["EDIT", "COLON", "UNTIL", "CHOICE", "BAR", "CLOSE", "TAIL"]

SCAN = re.compile(r"\\.|[\[\]():|\\]|[^\\\[\]():|]+")
WHEN = re.compile(r"\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*")
PARTNER = {")": "(", "]": "["}


class _Pass:
    """One pass over the items of a text.

    What is open lies in parallel lists of numbers rather than in objects: a text may open ten thousand brackets, and so many objects
    would set off the garbage collector. Bracket k of the open ones stands at item `open[k]`; the colons and bars directly inside it
    are the last ones of `colons` and `bars`, from `first_colon[k]` and `first_bar[k]` on.
    """

    def __init__(self, text: str):
        self.items = SCAN.findall(text)
        self.kinds: list[TokenKind | None] = [None] * len(self.items)
        self.ends: dict[int, int] = {}
        self.unmatched: list[int] = []
        self.literal = False
        self.open: list[int] = []
        self.first_colon: list[int] = []
        self.first_bar: list[int] = []
        # False once something inside cannot be part of a prompt; then the bracket is a character like any other.
        self.sound: list[bool] = []
        self.colons: list[int] = []
        self.bars: list[int] = []

    def run(self) -> None:
        for i, item in enumerate(self.items):
            if item in "([":
                self.open.append(i)
                self.first_colon.append(len(self.colons))
                self.first_bar.append(len(self.bars))
                self.sound.append(True)
            elif item in ")]":
                self._close(i, PARTNER[item])
            elif item == ":":
                self.colons.append(i)
            elif item == "|":
                self.bars.append(i)
            elif item == "\\":
                self.literal = True
        self._abandon()

    def _close(self, end: int, sign: str) -> None:
        if not self.open or self.items[self.open[-1]] != sign:
            # Nothing that is open now can be closed soundly any more: it would hold this bracket.
            self._abandon()
            self.unmatched.append(end)
            return
        start, sound = self.open.pop(), self.sound.pop()
        first_colon, first_bar = self.first_colon.pop(), self.first_bar.pop()
        colons, bars = self.colons[first_colon:], self.bars[first_bar:]
        del self.colons[first_colon:], self.bars[first_bar:]
        if sound and self._settle(start, end, colons, bars):
            return
        self.literal |= bool(bars)
        if self.open:
            self.sound[-1] = False

    def _settle(self, start: int, end: int, colons: list[int], bars: list[int]) -> bool:
        """Give a closed bracket its meaning; whether it can have one."""
        if self.items[start] == "(":
            return len(colons) <= 1 and not bars
        if bars:
            return not colons and self._mark_choice(start, end, bars)
        return not colons or (len(colons) <= 2 and self._mark_edit(start, end, colons))

    def _mark_choice(self, start: int, end: int, bars: list[int]) -> bool:
        self.kinds[start], self.kinds[end] = "CHOICE", "CLOSE"
        for bar in bars:
            self.kinds[bar] = "BAR"
        return True

    def _mark_edit(self, start: int, end: int, colons: list[int]) -> bool:
        last = colons[-1]
        if end != last + 2 or not WHEN.fullmatch(self.items[last + 1]):
            return False
        self.kinds[start] = "EDIT"
        self.kinds[colons[0]] = "COLON"
        self.kinds[last] = "UNTIL"
        self.ends[last] = end
        return True

    def _abandon(self) -> None:
        """Take everything that is open, and what was seen in it, for characters."""
        self.literal |= bool(self.bars)
        self.unmatched += self.open
        for stack in (self.open, self.first_colon, self.first_bar, self.sound, self.colons, self.bars):
            stack.clear()


class Brackets:
    """What the pass finds in a prompt, in linear time and for any text.

    A bracket counts only if what it holds can be part of a prompt: its own brackets matched, at most one colon in round ones,
    bars and colons not mixed in square ones. `is_literal`: a bar outside of an alternation, or a backslash with nothing behind it in
    its line, makes the whole text literal, as it did in the web interfaces that old pictures come from.
    """

    def __init__(self, text: str):
        self.text = text
        self._found = _Pass(text)
        self._found.run()
        self._starts = [0, *accumulate(map(len, self._found.items))]
        self.is_literal = self._found.literal

    @property
    def unmatched(self) -> list[int]:
        """Offsets of the brackets that have no partner."""
        return sorted(self._starts[i] for i in self._found.unmatched)

    def tokens(self) -> Iterator[tuple[TokenKind, str]]:
        """The signs that mean something, each with the text in front of it, for the grammar of grammar.lark.

        The value of UNTIL goes on with ":when", and TAIL has the text behind the last sign.
        """
        text, starts = self.text, self._starts
        after = 0
        for i, kind in () if self.is_literal else enumerate(self._found.kinds):
            if kind is not None:
                end = self._found.ends.get(i, i)
                yield kind, text[after:starts[end]]
                after = starts[end + 1]
        yield "TAIL", text[after:]
