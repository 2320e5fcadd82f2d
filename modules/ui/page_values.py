"""Values that change while the program runs, brought up to date in the page before it is loaded."""
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr


@dataclass(frozen=True)
class Followed:
    """A property of a component, and where its present value comes from."""

    component: gr.components.Component
    attribute: str
    source: Callable[[], Any]


class PageValues:
    """gradio builds the page once and serves that to everybody; this looks before each page load whether it still holds.

    Sources must be quick and must not raise.
    """

    def __init__(self) -> None:
        self._followed: list[Followed] = []
        self.controls: dict[str, dict[str, Any]] = {}  # of each generating tab, by name: see form_values
        self._has_changed = False
        self._lock = threading.Lock()

    def follow(self, component: Any, attribute: str, source: Callable[[], Any]) -> None:
        """Keep `component.attribute` equal to `source()`."""
        self._followed.append(Followed(component, attribute, source))

    def follow_choices(self, component: gr.Dropdown, source: Callable[[], Sequence[str | tuple[str, str]]]) -> None:
        """Keep the choices of a dropdown equal to `source()`: values, or pairs of what is shown and the value."""
        self.follow(component, "choices", lambda: [(choice, choice) if isinstance(choice, str) else choice for choice in source()])

    def look(self) -> None:
        """Bring the components up to date."""
        with self._lock:
            for row in self._followed:
                if getattr(row.component, row.attribute) != (value := row.source()):
                    setattr(row.component, row.attribute, value)
                    self._has_changed = True

    def bring_up_to_date(self, blocks: gr.Blocks) -> bool:
        """Bring the page up to date; whether anything in it was not so."""
        self.look()
        with self._lock:
            has_changed, self._has_changed = self._has_changed, False
            if has_changed:
                blocks.config = blocks.get_config_file()
        return has_changed
