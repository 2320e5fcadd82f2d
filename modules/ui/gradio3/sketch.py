"""`gr.Image(tool="sketch")`: a picture on which a mask is painted, with the value that gradio 3 gave it."""
from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

import modules.ui.no_stubs  # noqa: F401
from modules.ui.gradio3.keywords import translated

TOOLS = ("sketch", "color-sketch")


class Sketch(gr.ImageEditor):
    """The editor of gradio, for functions that take {"image", "mask"} (sketch) or the painted picture (color-sketch)."""

    def __init__(self, value: Any = None, *, tool: str = "sketch", brush_color: str = "#ffffff", **keywords: Any):
        self.tool = tool
        colors = [brush_color] if tool == "sketch" else None
        kept = {name: given for name, given in keywords.items() if name not in ("source", "sources", "brush_radius")}
        super().__init__(value, **translated(gr.ImageEditor, {
            "brush": gr.Brush(colors=colors, color_mode="fixed") if colors else gr.Brush(), "transforms": (), "layers": False,
            "sources": ["upload", "clipboard"], **kept}))

    def get_block_name(self) -> str:
        return "imageeditor"

    def get_config(self, cls: Any = None) -> dict[str, Any]:
        return super().get_config(gr.ImageEditor)

    def preprocess(self, payload: Any) -> Any:
        value = super().preprocess(payload)
        if value is None:
            return None
        if self.tool == "color-sketch":
            return value["composite"]
        layers = [layer for layer in value["layers"] if layer is not None]
        background = value["background"] if value["background"] is not None else value["composite"]
        return {"image": background, "mask": _mask(layers, background)}

    def postprocess(self, value: Any) -> Any:
        picture = value.get("image") if isinstance(value, dict) and "image" in value else value
        return super().postprocess(picture)


def _mask(layers: list[Any], background: Any) -> Any:
    """White where something was painted, in the kind of the picture: PIL or array."""
    if background is None:
        return None
    is_array = isinstance(background, np.ndarray)
    height, width = background.shape[:2] if is_array else background.size[::-1]
    painted = np.zeros((height, width), dtype=bool)
    for layer in layers:
        levels = np.asarray(layer if is_array else layer.convert("RGBA"))
        if levels.ndim == 3 and levels.shape[2] == 4 and levels.shape[:2] == (height, width):
            painted |= levels[..., 3] > 0
    white = np.repeat(np.where(painted, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    return white if is_array else Image.fromarray(white)
