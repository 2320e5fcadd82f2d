"""Importing this keeps gradio from writing a .pyi file beside the source of every class that derives from a component.

It does so where the class is made, and installed programs may lie in folders that nobody can write to. That is why this is the one
module that acts when it is imported: files that derive from components import it first.
"""
from typing import Any

from gradio import blocks_events, component_meta


def write_nothing(*args: Any) -> None:
    """In the place of gradio's writer."""


component_meta.create_or_modify_pyi = write_nothing
blocks_events.create_or_modify_pyi = write_nothing  # type: ignore[attr-defined]
