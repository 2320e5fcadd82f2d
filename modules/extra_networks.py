"""Tags for extra networks in a prompt, <kind:name:weight>: taking them out of the text, and the networks they switch on."""
from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

TAG = re.compile(r"<(\w+):([^>]+)>")


@dataclass
class ExtraNetworkParams:
    """What stands in one tag behind the kind: all items, those without a name, those written as key=value."""

    items: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        pairs = [item.split("=") for item in self.items]
        self.positional = [item for item, pair in zip(self.items, pairs) if len(pair) != 2]
        self.named = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}

    @property
    def name(self) -> str:
        """The network's name, the first item without a key; empty where there is none."""
        return self.positional[0] if self.positional else ""


def parse(text: str) -> tuple[str, dict[str, list[ExtraNetworkParams]]]:
    """The text without tags, and the tags by kind in order of appearance."""
    tags: defaultdict[str, list[ExtraNetworkParams]] = defaultdict(list)  # extensions ask for kinds that no tag has

    def take(found: re.Match[str]) -> str:
        tags[found[1]].append(ExtraNetworkParams(items=found[2].split(":")))
        return ""

    # No tag ends behind the last ">": without this a long text of tags that are never closed would be searched from each of them.
    end = text.rfind(">") + 1
    return TAG.sub(take, text[:end]) + text[end:], tags


parse_prompt = parse  # a name that extensions expect here


def parse_prompts(texts: list[str]) -> tuple[list[str], dict[str, list[ExtraNetworkParams]]]:
    """Several texts without tags, and the tags of the first: the texts of a batch differ in words, not in networks."""
    parsed = [parse(text) for text in texts]
    return [text for text, _ in parsed], parsed[0][1] if parsed else defaultdict(list)


class ExtraNetwork(ABC):
    """One kind of extra network. Its methods are called for every batch, also when no tag names the kind."""

    def __init__(self, name: str):
        self.name = name

    @abstractmethod
    def activate(self, p: Any, params_list: list[ExtraNetworkParams]) -> None:
        """Make the networks of these tags work from now on."""

    @abstractmethod
    def deactivate(self, p: Any) -> None:
        """Undo what `activate` did."""

    def apply_to(self, p: Any) -> None:  # noqa: B027 - a hook that few need
        """Another model has become that of `p` in the middle of a pass: make the networks at work change it too, until `deactivate`.

        A network that changes no model has nothing to do here.
        """


# Kind in a tag -> network. Aliases are further keys for the same network.
extra_network_registry: dict[str, ExtraNetwork] = {}
extra_network_aliases: dict[str, ExtraNetwork] = {}


def register_extra_network(network: ExtraNetwork) -> None:
    """Let tags of the kind `network.name` reach the network."""
    extra_network_registry[network.name] = network


def register_extra_network_alias(network: ExtraNetwork, alias: str) -> None:
    """Let tags of another kind reach the network too."""
    extra_network_aliases[alias] = network


def unknown_kinds(tags: Mapping[str, list[ExtraNetworkParams]]) -> list[str]:
    """Kinds in a prompt that no network answers to."""
    return [kind for kind in tags if kind not in extra_network_registry and kind not in extra_network_aliases]


@contextmanager
def activated(p: Any, tags: Mapping[str, list[ExtraNetworkParams]]) -> Iterator[None]:
    """The networks of the tags are at work inside the scope; all that were switched on are switched off at its end.

    p: the generation, handed on to the networks.
    """
    wanted: dict[str, list[ExtraNetworkParams]] = {name: [] for name in extra_network_registry}
    for kind, params in tags.items():
        network = extra_network_registry.get(kind) or extra_network_aliases.get(kind)
        if network:
            wanted.setdefault(network.name, []).extend(params)
    with ExitStack() as stack:
        for name, params in wanted.items():
            network = extra_network_registry.get(name) or next(n for n in extra_network_aliases.values() if n.name == name)
            # First, so that a network that fails half-way is switched off too.
            stack.callback(network.deactivate, p)
            network.activate(p, params)
        yield


# For extensions that do this by themselves: what is open, by processing.
_open: list[tuple[Any, ExitStack]] = []


def activate(p: Any, extra_network_data: Mapping[str, list[ExtraNetworkParams]]) -> None:
    """Switch the networks of the tags on until `deactivate`."""
    stack = ExitStack()
    stack.enter_context(activated(p, extra_network_data))
    _open.append((p, stack))


def deactivate(p: Any, extra_network_data: Mapping[str, list[ExtraNetworkParams]]) -> None:
    """Switch off what was switched on last for `p`."""
    for place in range(len(_open) - 1, -1, -1):
        if _open[place][0] is p:
            _open.pop(place)[1].close()
            return
