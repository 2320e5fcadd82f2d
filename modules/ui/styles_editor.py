"""The dialog in which styles are read, written and deleted, and the button that writes styles into the prompts."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from modules.errors import UserError
from modules.ui.components import (
    APPLY_STYLES,
    COPY_PROMPT,
    PRIVATE,
    REFRESH,
    TOOLTIPS,
    ToolButton,
    hidden_button,
    hidden_text,
    made,
    paragraphs,
)
from modules.ui.page_values import PageValues

if TYPE_CHECKING:
    from modules.runtime import Runtime
    from modules.ui.form import Form
    from modules.ui.prompt_row import PromptRow


@dataclass(frozen=True, kw_only=True)
class StylesEditor:
    """Components of the dialog."""

    name: gr.Dropdown
    file: gr.Dropdown
    prompt: gr.Textbox
    negative_prompt: gr.Textbox
    refresh: gr.Button
    apply: gr.Button
    copy: gr.Button
    save: gr.Button
    rename: gr.Button
    delete: gr.Button
    message: gr.HTML


def styles_editor(rt: Runtime, tab: str) -> StylesEditor:
    """Build the dialog inside the current Blocks context; dialogs.js opens and closes it."""
    with gr.Column(elem_id=f"{tab}_styles_dialog", elem_classes=["popup-dialog"]), gr.Column(elem_classes=["popup-dialog-inner"]):
        gr.HTML("<h2>Styles</h2>")
        gr.HTML(f'<div id="{tab}_style_cards" class="style-cards"></div>', apply_default_css=False)  # filled by 85_styles.js
        info = "Choose a style, or type a new name. {prompt} in a style stands for your own prompt."
        with gr.Row(elem_classes=["form-row"]):
            name = made(gr.Dropdown, choices=rt.styles.names(), value=None, label="Styles", info=info, allow_custom_value=True,
                        elem_id=f"{tab}_styles_edit_select", scale=4)
            refresh = ToolButton(REFRESH, elem_id=f"refresh_{tab}_styles", title="Read the styles file again")
            apply = ToolButton(APPLY_STYLES, elem_id=f"{tab}_style_apply_dialog", title="Write this style into the prompt boxes")
            copy = ToolButton(COPY_PROMPT, elem_id=f"{tab}_style_copy", title="Copy the prompt boxes into this style")
        prompt = made(gr.Textbox, label="Prompt", lines=3, elem_id=f"{tab}_edit_style_prompt", elem_classes=["prompt"])
        negative = made(gr.Textbox, label="Negative prompt", lines=3, elem_id=f"{tab}_edit_style_neg_prompt", elem_classes=["prompt"])
        file = made(gr.Dropdown, choices=file_choices(rt), value=None, label="File for a new style", elem_id=f"{tab}_edit_style_file",
                    visible=has_choice_of_files(rt))
        message = made(gr.HTML, "", elem_id=f"{tab}_styles_message")
        with gr.Row(elem_classes=["dialog-buttons"]):
            made(gr.Button, "Set picture", elem_id=f"{tab}_style_set_preview", min_width=110)
            made(gr.Button, "Remove picture", elem_id=f"{tab}_style_remove_preview", min_width=120)
            save = made(gr.Button, "Save", variant="primary", elem_id=f"{tab}_edit_style_save", min_width=90)
            rename = made(gr.Button, "Rename", elem_id=f"{tab}_edit_style_rename", min_width=90)
            delete = made(gr.Button, "Delete", elem_id=f"{tab}_edit_style_delete", min_width=90)
            made(gr.Button, "Close", elem_id=f"{tab}_edit_style_close", min_width=90)
    TOOLTIPS[f"{tab}_style_set_preview"] = "The picture that is selected in the gallery of this tab becomes the picture of this style"
    return StylesEditor(name=name, file=file, prompt=prompt, negative_prompt=negative, refresh=refresh, apply=apply, copy=copy, save=save,
                        rename=rename, delete=delete, message=message)


def file_choices(rt: Runtime) -> list[tuple[str, str]]:
    """Name and path of the files of styles."""
    return [(path.name, str(path)) for path in rt.styles.files()]


def has_choice_of_files(rt: Runtime) -> bool | str:
    """The property `visible` of the list of files: one file is no choice."""
    return True if len(rt.styles.files()) > 1 else "hidden"


def connect_style_buttons(rt: Runtime, form: Form, row: PromptRow, dialog: StylesEditor, page: PageValues) -> None:
    """Wire dialog, prompt boxes and the Styles dropdown of the tab."""
    prompts = [form.components["prompt"], form.components["negative_prompt"]]
    texts = [dialog.prompt, dialog.negative_prompt]
    chosen = form.components["styles"]

    def names_again(message: str = "") -> tuple[Any, Any, str]:
        names = rt.styles.names()
        return gr.update(choices=names), gr.update(choices=names), message

    def read(name: str | None) -> tuple[Any, Any]:
        style = rt.styles.find(name) if name else None
        return (style.prompt, style.negative_prompt) if style else (gr.skip(), gr.skip())

    def write(name: str | None, prompt: str, negative: str, file: str | None) -> tuple[Any, Any, str]:
        try:
            rt.styles.save(name or "", prompt or "", negative or "", Path(file) if file else None)
        except UserError as error:
            return gr.skip(), gr.skip(), paragraphs(str(error), "error")
        return names_again(paragraphs(f'Saved "{name}".', "note"))

    def rename(name: str | None, new_name: str | None) -> tuple[Any, Any, str]:
        if not (name and new_name):
            return gr.skip(), gr.skip(), ""
        try:
            rt.styles.rename(name, new_name)
        except UserError as error:
            return gr.skip(), gr.skip(), paragraphs(str(error), "error")
        edit, applied, message = names_again(paragraphs(f'"{name}" is called "{new_name}" now.', "note"))
        return gr.update(choices=edit["choices"], value=new_name), applied, message

    def remove(name: str | None) -> tuple[Any, ...]:
        if not name:
            return gr.skip(), gr.skip(), "", gr.skip(), gr.skip()
        try:
            rt.styles.delete(name)
        except UserError as error:
            return gr.skip(), gr.skip(), paragraphs(str(error), "error"), gr.skip(), gr.skip()
        edit, _, message = names_again(paragraphs(f'Deleted "{name}".', "note"))
        return gr.update(choices=edit["choices"], value=None), gr.update(choices=edit["choices"]), message, "", ""

    def read_again() -> tuple[Any, Any, str]:
        rt.styles.reload()
        return names_again()

    def apply(prompt: str, negative: str, names: Any) -> tuple[str, str, list[str]]:
        names = [names] if isinstance(names, str) else list(names or ())
        return (*rt.styles.apply(prompt or "", negative or "", names), [])

    page.follow_choices(dialog.name, rt.styles.names)
    page.follow_choices(chosen, rt.styles.names)
    page.follow(dialog.file, "choices", lambda: file_choices(rt))
    page.follow(dialog.file, "visible", lambda: has_choice_of_files(rt))
    lists = [dialog.name, chosen, dialog.message]
    dialog.name.input(read, dialog.name, texts, **PRIVATE)
    changes = [dialog.save.click(write, [dialog.name, *texts, dialog.file], lists, **PRIVATE),
               dialog.rename.click(rename, [dialog.name, hidden_text(f"{form.tab}_style_new_name")], lists, js="askStyleName", **PRIVATE),
               dialog.delete.click(remove, dialog.name, [*lists, *texts], js="confirmDeleteStyle", **PRIVATE),
               dialog.refresh.click(read_again, None, lists, **PRIVATE)]
    for change in changes:
        change.then(None, None, None, js=f"() => showStyleCards('{form.tab}')", **PRIVATE)
    hidden_button(f"{form.tab}_style_pick").click(lambda name: (name, *read(name)), dialog.name, [dialog.name, *texts],
                                                  js="pickedStyle", **PRIVATE)
    dialog.copy.click(None, prompts, texts, js="(prompt, negative) => [prompt, negative]", **PRIVATE)
    dialog.apply.click(lambda prompt, negative, name: apply(prompt, negative, name)[:2], [*prompts, dialog.name], prompts, **PRIVATE)
    row.apply_styles.click(apply, [*prompts, chosen], [*prompts, chosen], **PRIVATE)
