"""Names that gradio had once: classes, methods and modules. They add to gradio and change nothing that is there."""
from __future__ import annotations

import base64
import io
import sys
import types
import warnings
from collections.abc import Iterable
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.blocks import Block
from gradio.components.base import Component, FormComponent
from PIL import Image

NO_VALUE = object()
# Old name -> present class.
CLASSES: dict[str, type] = {"Box": gr.Group, "Variable": gr.State}
# What .style() may still set.
STYLES = ("height", "width", "container", "columns", "rows", "min_width", "object_fit", "equal_height", "scale", "size")


def add_names() -> None:
    """Put the old names into gradio, once."""
    if hasattr(gr, "Box"):
        return
    for name, kind in CLASSES.items():
        setattr(gr, name, kind)
        setattr(gr.components, name, kind)
    gr.components.IOComponent = Component
    gr.components.FormComponent = FormComponent
    gr.components.Form = gr.layouts.Form
    Block.update = classmethod(_update)
    Block.style = _style
    _add_modules()
    for name, function in (("encode_pil_to_base64", encode_pil_to_base64), ("decode_base64_to_image", decode_base64_to_image)):
        if not hasattr(processing_utils, name):
            setattr(processing_utils, name, function)


def _update(cls: type, value: Any = NO_VALUE, **properties: Any) -> dict[str, Any]:
    """`gr.Textbox.update(...)`: the change that a function returns for a component. Properties that are gone are left out."""
    from modules.ui.gradio3.construction import nearest_of_gradio, translated

    changes = translated(nearest_of_gradio(cls), properties)
    if value is not NO_VALUE:
        changes["value"] = value
    return gr.update(**changes)


def _style(self: Block, *_: Any, **styles: Any) -> Block:
    """`.style(...)`: sets what is a property of the component now, and leaves out the rest."""
    if "grid" in styles:
        styles.setdefault("columns", styles["grid"])
    for name in STYLES:
        if styles.get(name) is not None and hasattr(self, name):
            setattr(self, name, max(styles[name]) if name == "columns" and isinstance(styles[name], Iterable) else styles[name])
    if styles.get("container") is False and hasattr(self, "show_label"):
        self.show_label = False
    if styles.get("full_width") is False and isinstance(self, gr.Button):
        self.scale = 0
    return self


def _add_modules() -> None:
    """`gr.inputs`, `gr.outputs`, and the modules that are imported only to be silenced."""
    for name in ("inputs", "outputs"):
        module = types.ModuleType(f"gradio.{name}", "Components under their oldest place.")
        for kind in vars(gr.components).values():
            if isinstance(kind, type) and issubclass(kind, Component):
                setattr(module, kind.__name__, kind)
        sys.modules[module.__name__] = module
        setattr(gr, name, module)
    deprecation = types.ModuleType("gradio.deprecation", "Warnings that are not given any more.")
    deprecation.GradioDeprecationWarning = type("GradioDeprecationWarning", (UserWarning,), {})  # type: ignore[attr-defined]
    deprecation.warn_deprecation = warnings.warn  # type: ignore[attr-defined]
    sys.modules["gradio.deprecation"] = gr.deprecation = deprecation  # type: ignore[attr-defined]


def encode_pil_to_base64(picture: Image.Image) -> str:
    """A picture as the text of a data address."""
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def decode_base64_to_image(encoding: str) -> Image.Image:
    """The picture of a data address, or of base64 alone."""
    return Image.open(io.BytesIO(base64.b64decode(encoding.partition(",")[2] or encoding)))


