"""Small components: gradio's, always interactive, with the class names that style sheets and browser scripts look for."""
from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import gradio as gr

import modules.ui.no_stubs  # noqa: F401

# Of events that only the page uses: no spinner over their outputs, no name in gradio's own API.
PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

C = TypeVar("C", bound=gr.blocks.Block)

REFRESH, RANDOM, REUSE, SWAP = "🔄", "🎲️", "♻️", "⇅"
PASTE, CLEAR, APPLY_STYLES, RESTORE = "↙️", "🗑️", "📋", "🌀"
EDIT_STYLES, COPY_PROMPT, INSPECT = "🖌️", "📝", "🔍"
UNDO, REDO, HISTORY = "↶", "↷", "🕘"
FOLDER, SAVE, ZIP, REPLAY, ENLARGE, COMPARE = "📂", "💾", "🗃️", "🔁", "✨", "◫"
VARIATIONS = "🎛️"
CLIP_SIGN, BOORU_SIGN = "📎", "📦"
SEND_TEXT, SEND_PICTURE, SEND_TO_INPAINT, SEND_TO_EXTRAS, PICTURE_SIZE = "🔤", "🖼️", "🎨️", "📐", "📐"

# The drawing shown in place of a sign (css/10_icons.css): fonts for these signs are missing on many systems.
ICONS = {REFRESH: "refresh", RANDOM: "random", REUSE: "reuse", SWAP: "swap", PASTE: "paste", CLEAR: "clear", APPLY_STYLES: "apply",
         RESTORE: "restore", EDIT_STYLES: "edit", COPY_PROMPT: "copy", UNDO: "undo", REDO: "redo", HISTORY: "history",
         FOLDER: "folder", SAVE: "save", ZIP: "zip",
         REPLAY: "replay", INSPECT: "inspect", ENLARGE: "enlarge", COMPARE: "compare", VARIATIONS: "variations",
         SEND_TEXT: "to-text", SEND_PICTURE: "to-picture",
         SEND_TO_INPAINT: "to-inpaint", PICTURE_SIZE: "measure",
         CLIP_SIGN: "caption", BOORU_SIGN: "tags"}

_NOT_INTERACTIVE = (gr.HTML, gr.Row, gr.Column, gr.Group, gr.Tabs, gr.Tab, gr.Accordion)


def made(kind: type[C], *args: Any, elem_classes: Iterable[str] = (), **properties: Any) -> C:
    """A component of `kind` that is interactive and carries the class `gradio-<type>`.

    gradio disables a slider or dropdown that has a value and no event; the class is the name that style sheets expect.
    """
    if not issubclass(kind, _NOT_INTERACTIVE):
        properties.setdefault("interactive", True)
    name = "slider" if issubclass(kind, gr.Slider) else kind.__name__.lower()
    return kind(*args, elem_classes=[f"gradio-{name}", *elem_classes], **properties)


class ToolButton(gr.Button):
    """A small square button with one sign on it; `title` is its tooltip and its name for screen readers."""

    def __init__(self, value: str, *, elem_id: str, title: str, elem_classes: Iterable[str] = (), **properties: Any):
        drawing = ["easel-icon", f"icon-{ICONS[value]}"] if value in ICONS else []
        classes = ["gradio-button", "tool", *drawing, *elem_classes]
        super().__init__(value, elem_id=elem_id, elem_classes=classes, size="sm", min_width=36, scale=0, **properties)
        TOOLTIPS[elem_id] = title

    def get_block_name(self) -> str:
        return "button"

    def get_config(self) -> dict[str, Any]:  # type: ignore[override]
        # gradio reads the properties to send from the signature of the class it is given.
        return super().get_config(gr.Button)


class WideSlider(gr.Slider):
    """A slider whose number box takes values beyond its ends; the table of fields says what is accepted."""

    def get_block_name(self) -> str:
        return "slider"

    def get_config(self) -> dict[str, Any]:  # type: ignore[override]
        return super().get_config(gr.Slider)

    def preprocess(self, payload: float | None) -> float | None:  # type: ignore[override]
        return payload


# Element id -> tooltip; filled as components are made, sent to the page once (tooltips.js).
TOOLTIPS: dict[str, str] = {}


def hidden_text(elem_id: str, value: str = "") -> gr.Textbox:
    """A text box that is in the page for browser scripts and not to be seen."""
    return made(gr.Textbox, value=value, elem_id=elem_id, visible="hidden", show_label=False, container=False)


def hidden_button(elem_id: str) -> gr.Button:
    """A button that only browser scripts press."""
    return made(gr.Button, elem_id, elem_id=elem_id, visible="hidden")


@contextmanager
def drawn_later(elem_id: str) -> Iterator[gr.Column]:
    """A column that the page draws right after what is around it (12_drawn_later.js), so that a tab with much in it opens at once."""
    with made(gr.Column, elem_id=elem_id, visible=False) as column:
        yield column
    button = made(gr.Button, elem_id, elem_id=f"{elem_id}_draw", elem_classes=["draw-later"], visible="hidden")
    button.click(None, None, column, js="() => ({__type__: 'update', visible: true})", **PRIVATE)


def told_when_done(event: Any, button: gr.Button) -> None:
    """Tell the page's scripts when all that a press of the button does is done: `answeredPress` waits for it (10_base.js)."""
    event.then(None, None, None, js=f"() => pressAnswered('{button.elem_id}')", **PRIVATE)


def paragraphs(text: str, classes: str = "") -> str:
    """Plain text as HTML: every character stands for itself, line ends become line breaks."""
    lines = "<br>\n".join(html.escape(line) for line in text.splitlines())
    return f'<p class="{html.escape(classes)}">{lines}</p>' if lines else ""
