"""The extra networks that the prompts of a batch name, in force while the batch is made."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from modules import extra_networks
from modules.extra_networks import ExtraNetworkParams
from modules.generation.base import StableDiffusionProcessing

HASHES = " hashes"


@contextmanager
def activated(p: StableDiffusionProcessing, tags: Mapping[str, list[ExtraNetworkParams]]) -> Iterator[None]:
    """Change the model as the tags of the prompts say; every weight is as before when the scope ends, whatever happens inside."""
    for kind in extra_networks.unknown_kinds(tags):
        for param in tags[kind]:
            p.comment(f"<{kind}:{param.name}> was left out: there are no networks of the kind {kind!r}.")
    with extra_networks.activated(p, tags):
        yield


@contextmanager
def activated_too(p: StableDiffusionProcessing, tags: Mapping[str, list[ExtraNetworkParams]]) -> Iterator[None]:
    """As `activated`, for a second pass with networks or a model of its own; the infotext then names the networks of both passes."""
    before = {key: value for key, value in p.extra_generation_params.items() if key.endswith(HASHES)}
    with activated(p, tags):
        for key, value in before.items():
            both = dict.fromkeys([*value.split(", "), *p.extra_generation_params[key].split(", ")])
            p.extra_generation_params[key] = ", ".join(both)
        yield
