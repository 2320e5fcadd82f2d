"""Templates to prompts: at random from a seed, or all combinations."""
from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from easel_dynamic_prompts.template import Assignment, Choice, Option, Sequence, TemplateError, Text, Variable, Wildcard, parse

MAX_NESTED_FILES = 25
Lines = Callable[[str], list[str]]


@dataclass
class Resolver:
    """Resolves templates with `random_source`; `missing` collects wildcards without a file."""

    lines: Lines
    random_source: random.Random
    variables: dict[str, Sequence] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def text(self, nodes: Sequence, depth: int = 0) -> str:
        """One prompt out of the template. Raises TemplateError when files or variables name one another without end."""
        if depth > MAX_NESTED_FILES:
            raise TemplateError("Wildcards or variables name one another without end.")
        return "".join(self._node(node, depth) for node in nodes)

    def _node(self, node, depth: int) -> str:
        if isinstance(node, Text):
            return node.text
        if isinstance(node, Choice):
            return self._choice(node, depth)
        if isinstance(node, Wildcard):
            return self._wildcard(node, depth)
        if isinstance(node, Assignment):
            self.variables[node.name] = (Text(self.text(node.content, depth + 1)),) if node.once else node.content
            return ""
        return self._variable(node, depth)

    def _choice(self, choice: Choice, depth: int) -> str:
        count = min(self.random_source.randint(choice.low, choice.high), len(choice.options))
        left = list(choice.options)
        chosen: list[Option] = []
        for _ in range(count):
            weights = [option.weight for option in left]
            picked = self.random_source.choices(left, weights)[0] if sum(weights) > 0 else self.random_source.choice(left)
            chosen.append(picked)
            left = [option for option in left if option is not picked]
        return choice.separator.join(self.text(option.content, depth + 1) for option in chosen)

    def _wildcard(self, wildcard: Wildcard, depth: int) -> str:
        lines = self.lines(wildcard.name)
        if not lines:
            if wildcard.name not in self.missing:
                self.missing.append(wildcard.name)
            return f"__{wildcard.name}__"
        return self.text(parse(self.random_source.choice(lines)), depth + 1)

    def _variable(self, variable: Variable, depth: int) -> str:
        content = self.variables.get(variable.name, variable.default)
        return f"${{{variable.name}}}" if content is None else self.text(content, depth + 1)


def combinations(nodes: Sequence, lines: Lines, variables: dict[str, Sequence] | None = None, depth: int = 0) -> Iterator[str]:
    """Every prompt of the template; the leftmost part varies slowest. Raises TemplateError as Resolver.text does."""
    if depth > MAX_NESTED_FILES:
        raise TemplateError("Wildcards or variables name one another without end.")
    known = {} if variables is None else variables
    for node in nodes:
        if isinstance(node, Assignment):
            known[node.name] = node.content
    if not nodes:
        yield ""
        return
    first, rest = nodes[0], nodes[1:]
    for head in _variants(first, lines, known, depth):
        for tail in combinations(rest, lines, known, depth):
            yield head + tail


def _variants(node, lines: Lines, known: dict[str, Sequence], depth: int) -> Iterator[str]:
    if isinstance(node, Text):
        yield node.text
    elif isinstance(node, Assignment):
        yield ""
    elif isinstance(node, Choice):
        yield from _variants_of_choice(node, lines, known, depth)
    elif isinstance(node, Wildcard):
        found = lines(node.name)
        for line in found:
            yield from combinations(parse(line), lines, known, depth + 1)
        if not found:
            yield f"__{node.name}__"
    else:
        content = known.get(node.name, node.default)
        if content is None:
            yield f"${{{node.name}}}"
        else:
            yield from combinations(content, lines, known, depth + 1)


def _variants_of_choice(choice: Choice, lines: Lines, known: dict[str, Sequence], depth: int) -> Iterator[str]:
    for count in range(choice.low, min(choice.high, len(choice.options)) + 1):
        for picked in itertools.combinations(choice.options, count):
            parts = [list(combinations(option.content, lines, known, depth + 1)) for option in picked]
            for chosen in itertools.product(*parts):
                yield choice.separator.join(chosen)
