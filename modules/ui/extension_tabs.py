"""Tabs that extensions bring."""
from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from gradio.context import Context

from modules import errors, script_callbacks

if TYPE_CHECKING:
    from modules.runtime import Runtime


class ExtensionTab(NamedTuple):
    """What a callback gives: the blocks of a tab, its title, and what follows `tab_` in its element id."""

    blocks: gr.Blocks
    title: str
    id: str


def extension_tabs(rt: Runtime) -> None:
    """Build all of them inside the current Tabs, after the tabs of generation, whose controls they may use."""
    for tab in asked_for(rt):
        with gr.Tab(tab.title, id=tab.id, elem_id=f"tab_{tab.id}"):
            try:
                tab.blocks.render()
            except Exception as error:  # an extension's fault must not take the page away
                errors.report(f"The tab {tab.title} cannot be shown", error)
                rt.notice(f"The tab {tab.title} of an extension cannot be shown: {error or type(error).__name__}.")


def asked_for(rt: Runtime) -> list[ExtensionTab]:
    """The tabs of all extensions, in the order in which their callbacks were registered."""
    with out_of_page():
        results = script_callbacks.call("ui_tabs", note=rt.notice)
    found: list[ExtensionTab] = []
    for item in (item for result in results for item in result if isinstance(item, (tuple, list)) and len(item) >= 3):
        blocks, title, name = item[:3]
        found.append(ExtensionTab(blocks, str(title), re.sub(r"\s+", "_", str(name))))
    return found


@contextmanager
def out_of_page() -> Iterator[Any]:
    """A scope outside of the page being built, in which others may make pages of their own."""
    root, block = Context.root_block, Context.block
    Context.root_block = Context.block = None
    try:
        yield
    finally:
        Context.root_block, Context.block = root, block
