"""Prompt editing and alternation: which text holds until which step."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from lark import Lark, Token, Transformer
from lark.lexer import Lexer

from modules.prompt.brackets import Brackets

# A text without edits is a str; otherwise edits and choices in order, and the text behind the last. Nesting may be thousands deep, so
# nothing here walks it by recursion, and the nodes are plain tuples, of which the garbage collector takes little notice.
Prompt: TypeAlias = "str | list[Edit | Choice | str]"


class Edit(NamedTuple):
    """Behind the text `lead`: `before` up to and including the step that `when` stands for, then `after`."""

    lead: str
    before: Prompt
    after: Prompt
    when: str


class Choice(NamedTuple):
    """Behind the text `lead`: step n (from 1) takes option (n - 1) mod count."""

    lead: str
    options: list[Prompt]


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
        for kind, value in Brackets(str(data)).tokens():
            yield Token(kind, value)


class _Builder(Transformer):
    """Called at each reduction, so that no tree of Lark's own is built."""

    def start(self, children: list[Any]) -> Prompt:
        return _prompts(children)[0]

    def edit(self, children: list[Any]) -> Edit:
        children[-1], _, when = children[-1].rpartition(":")
        *before, after = _prompts(children[1:])
        return Edit(str(children[0]), before[0] if before else "", after, when.strip())

    def choice(self, children: list[Any]) -> Choice:
        return Choice(str(children[0]), _prompts(children[1:]))


def _prompts(children: list[Any]) -> list[Prompt]:
    """The prompts between the signs of one bracket: each sign ends one with the text in front of it."""
    prompts: list[Prompt] = []
    nodes: list[Any] = []
    for child in children:
        if isinstance(child, str):
            prompts.append([*nodes, str(child)] if nodes else str(child))
            nodes = []
        else:
            nodes.append(child)
    return prompts


@cache
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_BracketLexer, transformer=_Builder())


def parse_schedule(text: str) -> Prompt:
    """The tree of a prompt. Every text parses; brackets that form no edit or alternation stay characters."""
    return _parser().parse(text)


def schedule(text: str, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False) -> list[tuple[int, str]]:
    """(last step of use, text) by rising step, steps counting from 1; the last entry ends at the last step.

    With `hires_steps` the schedule is that of the second pass, which has so many steps after a first of `steps`.
    """
    prompt = parse_schedule(text)
    timeline = Timeline(steps=max(steps, 1), old=use_old_scheduling)
    if hires_steps is not None and not use_old_scheduling:
        timeline = Timeline(steps=max(hires_steps, 1), earlier_steps=steps, earlier_passes=1)
    switches, alternates = _switches(prompt, timeline)
    inner = range(1, timeline.steps) if alternates else sorted(set(switches.values()) - {0, timeline.steps})
    return [(end, _text_at(prompt, end, switches)) for end in (*inner, timeline.steps)]


def _switches(prompt: Prompt, timeline: Timeline) -> tuple[dict[int, int], bool]:
    """The last step of `before` of each edit, by the edit's id(); and whether there is any alternation."""
    switches: dict[int, int] = {}
    alternates = False
    waiting: list[Prompt] = [prompt]
    while waiting:
        current = waiting.pop()
        for part in () if isinstance(current, str) else current:
            if isinstance(part, Edit):
                switches[id(part)] = timeline.last_step(part.when)
                waiting += (part.before, part.after)
            elif isinstance(part, Choice):
                alternates = True
                waiting += part.options
    return switches, alternates


def _text_at(prompt: Prompt, step: int, switches: dict[int, int]) -> str:
    """The text in the given step."""
    words: list[str] = []
    waiting: list[Iterator[Any]] = [iter([prompt] if isinstance(prompt, str) else prompt)]
    while waiting:
        for part in waiting[-1]:
            if isinstance(part, str):
                words.append(part)
                continue
            words.append(part.lead)
            if isinstance(part, Edit):
                chosen = part.before if step <= switches[id(part)] else part.after
            else:
                chosen = part.options[(step - 1) % len(part.options)]
            if isinstance(chosen, str):
                words.append(chosen)
            else:
                waiting.append(iter(chosen))
                break
        else:
            waiting.pop()
    return "".join(words)
