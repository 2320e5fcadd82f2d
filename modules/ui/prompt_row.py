"""The top row of a generating tab: prompts, Generate and its neighbours, tools, styles."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from modules.ui.components import (
    APPLY_STYLES,
    BOORU_SIGN,
    CLEAR,
    CLIP_SIGN,
    EDIT_STYLES,
    HISTORY,
    INSPECT,
    PASTE,
    REDO,
    RESTORE,
    TOOLTIPS,
    UNDO,
    ToolButton,
    made,
)
from modules.ui.form import Form

# Buttons of browser scripts (41_form.js, 42_history.js).
FORM_TOOLS = {
    "undo": (UNDO, "Take back the last change of the form (Ctrl+Z outside of text)"),
    "redo": (REDO, "Make the change again that was taken back (Ctrl+Shift+Z)"),
    "history": (HISTORY, "History and presets: earlier prompts and whole forms"),
}


@dataclass(frozen=True, kw_only=True)
class PromptRow:
    """The buttons of the row; prompts and styles are components of the form."""

    generate: gr.Button
    paste: gr.Button
    clear: gr.Button
    apply_styles: gr.Button
    inspect: gr.Button
    undo: gr.Button
    redo: gr.Button
    history: gr.Button
    restore: gr.Button


def prompt_row(form: Form, style_names: Sequence[str]) -> PromptRow:
    """Build the row inside the current Blocks context; adds prompt, negative_prompt and styles to the form."""
    tab = form.tab
    with gr.Row(elem_id=f"{tab}_toprow", elem_classes=["gradio-row", "toprow"]):
        with gr.Column(elem_id=f"{tab}_prompt_container", scale=6, elem_classes=["gradio-column", "prompt-container"]):
            _prompt_box(form, "prompt", "prompt", "What the picture shows")
            _prompt_box(form, "negative_prompt", "neg_prompt", "What it should not show")
        with gr.Column(elem_id=f"{tab}_actions_column", scale=1, min_width=300, elem_classes=["gradio-column", "actions-column"]):
            generate = generate_box(tab)
            tools = _tools(tab)
            with gr.Row(elem_id=f"{tab}_styles_row", elem_classes=["gradio-row", "styles-row"]):
                form.dropdown("styles", style_names, multiselect=True, elem_classes=["multiselect"])
                ToolButton(EDIT_STYLES, elem_id=f"{tab}_styles_edit_button", title="Edit styles")
    return PromptRow(generate=generate, **tools)


def _prompt_box(form: Form, name: str, element: str, placeholder: str) -> None:
    with gr.Row(elem_id=f"{form.tab}_{element}_row", elem_classes=["gradio-row", "prompt-row"]):
        form.textbox(name, lines=3, max_lines=20, placeholder=placeholder, elem_classes=["prompt"],
                     html_attributes=gr.InputHTMLAttributes(spellcheck=False, autocapitalize="off", autocorrect="off"))


def generate_box(tab: str) -> gr.Button:
    """Generate stays usable while a job runs; Interrupt and Skip appear beside it (class `running`, set by progress.js)."""
    with gr.Row(elem_id=f"{tab}_generate_box", elem_classes=["gradio-row", "generate-box"]):
        generate = made(gr.Button, "Generate", elem_id=f"{tab}_generate", variant="primary", min_width=120)
        made(gr.Button, "Interrupt", elem_id=f"{tab}_interrupt", min_width=70, elem_classes=["generate-box-interrupt"])
        made(gr.Button, "Interrupting…", elem_id=f"{tab}_interrupting", min_width=70, elem_classes=["generate-box-interrupting"])
        made(gr.Button, "Skip", elem_id=f"{tab}_skip", min_width=50, elem_classes=["generate-box-skip"])
    TOOLTIPS.update({
        f"{tab}_generate": "Put a job with the present values into the queue (Ctrl+Enter). Right-click for more.",
        f"{tab}_interrupt": "Stop the running job and keep what is finished (Esc)",
        f"{tab}_interrupting": "The job stops after the present picture. Press again to stop at once.",
        f"{tab}_skip": "Drop the present batch and go on with the next (Alt+Enter)",
    })
    return generate


# Buttons of browser scripts (57_interrogate.js).
INTERROGATORS = {
    "interrogate": (CLIP_SIGN, "Interrogate CLIP: describe the picture in a sentence, in place of the prompt"),
    "deepbooru": (BOORU_SIGN, "Interrogate DeepBooru: describe the picture in tags, in place of the prompt"),
}


def _tools(tab: str) -> dict[str, gr.Button]:
    with gr.Row(elem_id=f"{tab}_tools", elem_classes=["gradio-row", "tools"]):
        buttons = {
            "paste": ToolButton(PASTE, elem_id="paste", title="Read parameters from the prompt box, or those of the last picture"),
            "clear": ToolButton(CLEAR, elem_id=f"{tab}_clear_prompt", title="Clear both prompt boxes"),
            "apply_styles": ToolButton(APPLY_STYLES, elem_id=f"{tab}_style_apply", title="Write the selected styles into the prompt boxes"),
            "inspect": ToolButton(INSPECT, elem_id=f"{tab}_inspect",
                                  title="Inspect the prompts: tokens, weights, what holds in which step, what the job will cost"),
            **{name: ToolButton(sign, elem_id=f"{tab}_{name}", title=title) for name, (sign, title) in FORM_TOOLS.items()},
            "restore": ToolButton(RESTORE, elem_id=f"{tab}_restore_progress", title="Show the running job and the last result again"),
        }
        if tab == "img2img":
            for name, (sign, title) in INTERROGATORS.items():
                ToolButton(sign, elem_id=name, title=title)
    return buttons
