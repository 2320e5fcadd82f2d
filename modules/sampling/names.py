"""Suggestions for names that do not exist."""
from __future__ import annotations

from difflib import SequenceMatcher


def nearest_first(name: str, choices: list[str]) -> list[str]:
    """The choices, those most like `name` first; case does not count."""
    wanted = name[:60].lower()
    return sorted(choices, key=lambda choice: -SequenceMatcher(None, wanted, choice.lower()).ratio())
