"""Encoded texts kept from job to job, found by everything that they depend on."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, MutableMapping

from modules.prompt.conditioning import Conditioning

MOST_SCHEDULES = 64
MOST_TEXTS = 256  # of an edited prompt with more variants nothing is kept

Texts = tuple[str, ...]


class ConditionCache:
    """The schedules of texts encoded last. Only the worker uses it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Hashable, Texts], list[Conditioning]] = OrderedDict()

    def under(self, circumstances: Hashable) -> MutableMapping[Texts, list[Conditioning]]:
        """The part of the cache that holds under these circumstances, as a mapping to read and write."""
        return _Part(self._known, circumstances)

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()


class _Part(MutableMapping[Texts, list[Conditioning]]):
    """A view of the entries under one key. What is too large to keep longer lives as long as the view."""

    def __init__(self, known: OrderedDict[tuple[Hashable, Texts], list[Conditioning]], circumstances: Hashable):
        self._known, self._circumstances = known, circumstances
        self._own: dict[Texts, list[Conditioning]] = {}

    def __getitem__(self, texts: Texts) -> list[Conditioning]:
        if texts in self._own:
            return self._own[texts]
        found = self._own[texts] = self._known[self._circumstances, texts]
        self._known.move_to_end((self._circumstances, texts))
        return found

    def __setitem__(self, texts: Texts, conditions: list[Conditioning]) -> None:
        self._own[texts] = conditions
        if len(texts) <= MOST_TEXTS:
            self._known[self._circumstances, texts] = conditions
        while len(self._known) > MOST_SCHEDULES:
            self._known.popitem(last=False)

    def __delitem__(self, texts: Texts) -> None:
        self._own.pop(texts, None)
        del self._known[self._circumstances, texts]

    def __iter__(self) -> Iterator[Texts]:
        return (texts for circumstances, texts in self._known if circumstances == self._circumstances)

    def __len__(self) -> int:
        return sum(1 for _ in self)
