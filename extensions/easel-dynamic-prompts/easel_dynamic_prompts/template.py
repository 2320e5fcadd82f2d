"""The template language: text to a tree of choices, wildcards and variables."""
from __future__ import annotations

import re
from dataclasses import dataclass

MAX_DEPTH = 60

NUMBER = r"\d*\.?\d+"
WEIGHT = re.compile(rf"\s*({NUMBER})::")
COUNT = re.compile(r"\s*(?:(\d+)\s*-\s*(\d+)|(\d+))\s*\$\$")
WILDCARD = re.compile(r"__([^\s_{}|$](?:[^\n{}|$]*?[^\s{}|$])??)__")
ASSIGNMENT = re.compile(r"\$\{\s*(\w+)\s*=\s*(!?)")
VARIABLE = re.compile(r"\$\{\s*(\w+)\s*([:}])")


@dataclass(frozen=True)
class Text:
    """Literal text."""

    text: str


@dataclass(frozen=True)
class Option:
    """One of the options of a choice with its weight."""

    weight: float
    content: Sequence


@dataclass(frozen=True)
class Choice:
    """{a|b}: between `low` and `high` different options, joined by `separator`."""

    options: tuple[Option, ...]
    low: int = 1
    high: int = 1
    separator: str = ", "


@dataclass(frozen=True)
class Wildcard:
    """__name__: a line of the files that the name or pattern stands for."""

    name: str


@dataclass(frozen=True)
class Assignment:
    """${x=...}: names a template; with `once` it is resolved at this place, otherwise wherever it is used."""

    name: str
    content: Sequence
    once: bool


@dataclass(frozen=True)
class Variable:
    """${x} or ${x:default}."""

    name: str
    default: Sequence | None


Node = Text | Choice | Wildcard | Assignment | Variable
Sequence = tuple[Node, ...]


class TemplateError(ValueError):
    """A template that is nested too deeply."""


def parse(text: str) -> Sequence:
    """The tree of a template. What is not well formed is literal text. Raises TemplateError beyond MAX_DEPTH levels of nesting."""
    nodes, end = _sequence(text, 0, "", 0)
    if end < len(text):  # cannot happen: without stop signs a sequence runs to the end
        nodes = (*nodes, Text(text[end:]))
    return nodes


def is_template(text: str) -> bool:
    """Whether there is anything to resolve in `text`."""
    return any(not isinstance(node, Text) for node in parse(text))


def _sequence(text: str, at: int, stops: str, depth: int) -> tuple[Sequence, int]:
    """Nodes from `at` to the first sign of `stops` that is not nested, or to the end; and where that is."""
    if depth > MAX_DEPTH:
        raise TemplateError(f"The template is nested more than {MAX_DEPTH} levels deep.")
    nodes: list[Node] = []
    literal: list[str] = []

    def flush() -> None:
        if literal:
            nodes.append(Text("".join(literal)))
            literal.clear()

    while at < len(text) and text[at] not in stops:
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in "{}|$":
            literal.append(text[at + 1])
            at += 2
            continue
        found = _node(text, at, depth)
        if found is None:
            literal.append(text[at])
            at += 1
        else:
            flush()
            nodes.append(found[0])
            at = found[1]
    flush()
    return tuple(nodes), at


def _node(text: str, at: int, depth: int) -> tuple[Node, int] | None:
    """The node that begins at `at` and the place behind it; None where only literal text begins."""
    sign = text[at]
    if sign == "{":
        return _choice(text, at, depth)
    if sign == "_":
        wildcard = WILDCARD.match(text, at)
        return (Wildcard(wildcard[1]), wildcard.end()) if wildcard else None
    if sign == "$":
        return _assignment(text, at, depth) or _variable(text, at, depth)
    return None


def _choice(text: str, at: int, depth: int) -> tuple[Node, int] | None:
    begin = at + 1
    low = high = 1
    separator = ", "
    count = COUNT.match(text, begin)
    if count:
        low, high = (int(count[1]), int(count[2])) if count[1] else (int(count[3]), int(count[3]))
        begin = count.end()
        joined = re.compile(r"([^{}|$]*)\$\$").match(text, begin)
        if joined:
            separator, begin = joined[1], joined.end()
    options = []
    while True:
        weight = WEIGHT.match(text, begin)
        if weight:
            begin = weight.end()
        content, end = _sequence(text, begin, "|}", depth + 1)
        if end >= len(text):
            return None
        options.append(Option(float(weight[1]) if weight else 1.0, content))
        begin = end + 1
        if text[end] == "}":
            return Choice(tuple(options), min(low, high), max(low, high), separator), begin


def _assignment(text: str, at: int, depth: int) -> tuple[Node, int] | None:
    head = ASSIGNMENT.match(text, at)
    if not head:
        return None
    content, end = _sequence(text, head.end(), "}", depth + 1)
    return (Assignment(head[1], content, bool(head[2])), end + 1) if end < len(text) else None


def _variable(text: str, at: int, depth: int) -> tuple[Node, int] | None:
    head = VARIABLE.match(text, at)
    if not head:
        return None
    if head[2] == "}":
        return Variable(head[1], None), head.end()
    content, end = _sequence(text, head.end(), "}", depth + 1)
    return (Variable(head[1], content), end + 1) if end < len(text) else None
