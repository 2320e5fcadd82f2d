"""Prompt editing and alternation: which text holds until which step."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union

from lark import Lark, Token, Transformer
from lark.lexer import Lexer

from modules.prompt.brackets import find_brackets

# A prompt is a list of these; nesting may be thousands deep, so nothing here walks it by recursion.
Part = Union[str, "Edit", "Choice"]


@dataclass(frozen=True, eq=False, repr=False)
class Edit:
    """`before` up to and including the step that `when` stands for, then `after`."""

    before: list[Part]
    after: list[Part]
    when: str


@dataclass(frozen=True, eq=False, repr=False)
class Choice:
    """Step n (from 1) takes option (n - 1) mod count."""

    options: list[list[Part]]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """How the numbers in a prompt become steps of one pass of `steps` steps.

    In the second pass whole numbers count on from the `earlier_steps` of the first, and fractions run from 1 to 2.
    `old`: any number below 1 is a fraction, and every pass starts anew (the rule of interfaces before 2023-09).
    """

    steps: int
    earlier_steps: int = 0
    earlier_passes: int = 0
    old: bool = False

    def last_step(self, when: str) -> int:
        """The last step of the text before the switch, 0..steps; 0 when the switch lies before the first step."""
        number = float(when)
        if self.old:
            number = number * self.steps if number < 1 else number
        elif "." in when:
            number = (number - self.earlier_passes) * self.steps
        else:
            number -= self.earlier_steps
        return int(min(max(number, 0), self.steps))


class _BracketLexer(Lexer):
    """Hands the tokens of brackets.py to Lark."""

    def __init__(self, lexer_conf: Any):
        pass

    def lex(self, data: Any) -> Iterator[Token]:
        for kind, value in find_brackets(str(data)).tokens:
            yield Token(kind, value)


class _Builder(Transformer):
    """Called at each reduction, so that no tree of Lark's own is built. An edit or choice goes up with the text in front of it."""

    def start(self, children: list[Any]) -> list[Part]:
        return _split(children)[0]

    def edit(self, children: list[Any]) -> tuple[str, Edit]:
        when = children[-1].value.rpartition(":")
        children[-1] = when[0]
        sides = _split(children[1:])
        return children[0].value, Edit(sides[0] if len(sides) == 2 else [], sides[-1], when[2].strip())

    def choice(self, children: list[Any]) -> tuple[str, Choice]:
        return children[0].value, Choice(_split(children[1:]))


def _split(children: list[Any]) -> list[list[Part]]:
    """The prompts between the signs of one bracket: each sign ends one with the text in front of it."""
    prompts: list[list[Part]] = []
    current: list[Part] = []
    for child in children:
        if isinstance(child, tuple):
            current += child
        else:
            current.append(str(child))
            prompts.append(current)
            current = []
    return prompts


@cache
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_BracketLexer, transformer=_Builder())


def parse_schedule(text: str) -> list[Part]:
    """The parts of a prompt. Every text parses; brackets that form no edit or alternation stay characters."""
    return _parser().parse(text)


def schedule(text: str, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False) -> list[tuple[int, str]]:
    """(last step of use, text) by rising step, steps counting from 1; the last entry ends at the last step.

    With `hires_steps` the schedule is that of the second pass, which has so many steps after a first of `steps`.
    """
    parts = parse_schedule(text)
    timeline = Timeline(steps=max(steps, 1), old=use_old_scheduling)
    if hires_steps is not None and not use_old_scheduling:
        timeline = Timeline(steps=max(hires_steps, 1), earlier_steps=steps, earlier_passes=1)
    switches, alternates = _switches(parts, timeline)
    inner = range(1, timeline.steps) if alternates else sorted(set(switches.values()) - {0, timeline.steps})
    return [(end, _text_at(parts, end, switches)) for end in (*inner, timeline.steps)]


def _switches(parts: list[Part], timeline: Timeline) -> tuple[dict[int, int], bool]:
    """The last step of `before` of each edit, by the edit's id(); and whether there is any alternation."""
    switches: dict[int, int] = {}
    alternates = False
    waiting = [parts]
    while waiting:
        for part in waiting.pop():
            if isinstance(part, Edit):
                switches[id(part)] = timeline.last_step(part.when)
                waiting += (part.before, part.after)
            elif isinstance(part, Choice):
                alternates = True
                waiting += part.options
    return switches, alternates


def _text_at(parts: list[Part], step: int, switches: dict[int, int]) -> str:
    """The text in the given step."""
    words: list[str] = []
    waiting = [iter(parts)]
    while waiting:
        for part in waiting[-1]:
            if isinstance(part, str):
                words.append(part)
                continue
            if isinstance(part, Edit):
                chosen = part.before if step <= switches[id(part)] else part.after
            else:
                chosen = part.options[(step - 1) % len(part.options)]
            waiting.append(iter(chosen))
            break
        else:
            waiting.pop()
    return "".join(words)
