"""The look: one calm theme for light and dark, made of the system's own fonts."""
from __future__ import annotations

from pathlib import Path

import gradio as gr

WEB = Path(__file__).parent / "web"

# One accent for what can be pressed or is chosen; everything else is a grey with a little blue in it.
ACCENT = gr.themes.Color("#eefaf8", "#d3f2ed", "#a9e4db", "#76cfc4", "#45b3a8", "#2a978d", "#1c7a73", "#1a625d", "#194e4b", "#18413f",
                         "#0a2625", name="easel")
GREY = gr.themes.Color("#f8f9fa", "#f1f3f5", "#e3e7ea", "#cdd3d9", "#98a2ad", "#626d78", "#4b555f", "#39424b", "#262d34", "#1a2026",
                       "#12161b", name="easel_grey")


def theme() -> gr.themes.Base:
    """Colours, fonts and sizes as gradio's own variables; style sheets in web/ use these variables too."""
    look = gr.themes.Base(
        primary_hue=ACCENT, secondary_hue=ACCENT, neutral_hue=GREY,
        spacing_size=gr.themes.sizes.spacing_sm, radius_size=gr.themes.sizes.radius_md, text_size=gr.themes.sizes.text_md,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace"],
    )
    return look.set(
        body_background_fill="*neutral_50", body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900", body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_500", body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white", background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100", background_fill_secondary_dark="*neutral_800",
        border_color_primary="#d9dee3", border_color_primary_dark="*neutral_800",
        border_color_accent="*primary_500", border_color_accent_dark="*primary_500",
        block_background_fill="transparent", block_background_fill_dark="transparent",
        block_border_width="0px", block_border_width_dark="0px", block_padding="0px", block_shadow="none", block_shadow_dark="none",
        block_label_background_fill="transparent", block_label_background_fill_dark="transparent",
        block_label_border_width="0px", block_label_border_width_dark="0px",
        block_label_text_color="*neutral_600", block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700", block_title_text_color_dark="*neutral_300",
        block_title_text_weight="500", block_title_text_size="*text_sm",
        input_background_fill="white", input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_300", input_border_color_dark="*neutral_700", input_border_width="1px", input_border_width_dark="1px",
        input_border_color_focus="*primary_600", input_border_color_focus_dark="*primary_400",
        input_shadow="none", input_shadow_dark="none",
        input_shadow_focus="0 0 0 2px rgba(42,151,141,.25)", input_shadow_focus_dark="0 0 0 2px rgba(69,179,168,.3)",
        input_padding="7px 10px", layout_gap="12px", form_gap_width="0px",
        button_primary_background_fill="*primary_600", button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600", button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white", button_primary_text_color_dark="white",
        button_secondary_background_fill="white", button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800", button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300", button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px", button_border_width_dark="1px", button_transition="background-color .12s, border-color .12s",
        button_primary_border_color="*primary_600", button_primary_border_color_dark="*primary_600",
        slider_color="*primary_600", slider_color_dark="*primary_500",
        checkbox_background_color_selected="*primary_600", checkbox_background_color_selected_dark="*primary_600",
        checkbox_label_background_fill="transparent", checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_hover="transparent", checkbox_label_background_fill_hover_dark="transparent",
        checkbox_label_background_fill_selected="transparent", checkbox_label_background_fill_selected_dark="transparent",
        checkbox_label_border_width="0px", checkbox_label_border_width_dark="0px",
        checkbox_label_padding="2px 4px", checkbox_label_shadow="none",
    )


def style_sheets() -> list[Path]:
    """Our style sheets in the order in which they apply."""
    return sorted((WEB / "css").glob("*.css"))


def scripts() -> list[Path]:
    """Our browser scripts in the order in which they run."""
    return sorted((WEB / "js").glob("*.js"))
