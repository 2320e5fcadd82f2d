"""Tabs of extensions with other things between them.

gradio's page gives every tab its place among all children of `gr.Tabs`, and looks for it by its place among the tabs alone: a text box
before the first tab lets each tab overwrite the button of the next one. What is no tab is not shown either where the tabs are inside of
another tab. So it goes behind the tabs here, outside of them.
"""
from __future__ import annotations

import functools
from typing import Any

import gradio as gr

from modules.ui.gradio3.scope import MARK


def keep_tabs_to_themselves() -> None:
    """Leave nothing but tabs in each `gr.Tabs` that an extension makes."""
    original = gr.Tabs.__exit__

    @functools.wraps(original)
    def leave(self: gr.Tabs, *args: Any) -> None:
        if getattr(self, MARK, False):
            _move_others_out(self)
        original(self, *args)
    gr.Tabs.__exit__ = leave  # type: ignore[method-assign]


def _move_others_out(tabs: gr.Tabs) -> None:
    """Put what is no tab behind the tabs, in its order."""
    if tabs.parent is None:
        return
    others = [child for child in tabs.children if not isinstance(child, gr.Tab)]
    tabs.children = [child for child in tabs.children if isinstance(child, gr.Tab)]
    siblings = tabs.parent.children
    place = siblings.index(tabs) + 1 if tabs in siblings else len(siblings)
    siblings[place:place] = others
    for child in others:
        child.parent = tabs.parent
