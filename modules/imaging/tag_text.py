"""Tags and their certainties as the text that goes into a prompt."""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from modules.imaging.tag_networks import RATING

SPECIAL = re.compile(r"([\\()])")


@dataclass(frozen=True, kw_only=True)
class TagOptions:
    """What settings say. `threshold`: 0..1; `left_out`: tags between commas, with spaces or underscores."""

    threshold: float = 0.5
    sorts_by_name: bool = True
    uses_spaces: bool = True
    escapes: bool = True
    shows_ranks: bool = False
    left_out: str = ""


def tag_text(certainties: Mapping[str, float], options: TagOptions) -> str:
    """Tags over the threshold, between commas; ratings are left out."""
    unwanted = {tag.strip().replace(" ", "_") for tag in options.left_out.split(",")}
    chosen = {tag: value for tag, value in certainties.items()
              if value >= options.threshold and not tag.startswith(RATING) and tag.replace(" ", "_") not in unwanted}
    names = sorted(chosen) if options.sorts_by_name else sorted(chosen, key=lambda tag: -chosen[tag])
    return ", ".join(_shown(name, chosen[name], options) for name in names)


def _shown(tag: str, value: float, options: TagOptions) -> str:
    text = tag.replace("_", " ") if options.uses_spaces else tag
    text = SPECIAL.sub(r"\\\1", text) if options.escapes else text
    return f"({text}:{value:.3f})" if options.shows_ranks else text
